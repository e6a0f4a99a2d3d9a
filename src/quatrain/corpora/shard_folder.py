"""The hidden folder beside a corpus in which its parts wait for each other.

Every part is a folder of its own that appears whole, with a manifest: which shard of how many, by which settings and of
which input it was made, and the sha256 of its files. Locks, which the system lets go of when their process ends, keep
two commands from making the same part, or joining, at once; where a file system has no locks across machines, the same
is made twice and published once.
"""

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from glob import escape
from pathlib import Path
from typing import Any

from quatrain.core.atomic_files import temporary_sibling
from quatrain.core.errors import UserError

MANIFEST = "manifest.json"
_BLOCK = 1 << 20


@dataclass(frozen=True)
class Identity:
    """What a part was made by and of, as hexadecimal digests."""

    settings: str
    input: str


@dataclass(frozen=True)
class PartPlace:
    """A part that is there: its folder, and what its maker says to those who join the parts."""

    folder: Path
    account: dict[str, Any]


class ShardFolder:
    """The parts of one corpus in ``shards`` shards."""

    def __init__(self, path: Path, identity: Identity, shards: int) -> None:
        self.path = path
        self.shards = shards
        self._identity = identity

    def part(self, shard: int) -> PartPlace | None:
        """The part of a shard, if it is there and was made by the same settings of the same input."""
        manifest = self._manifest(shard)
        if manifest is None or self._other(manifest):
            return None
        return PartPlace(self._place(shard), manifest["account"])

    def missing(self) -> list[int]:
        """The shards whose parts are not there."""
        return [shard for shard in range(self.shards) if self.part(shard) is None]

    def make(self, shard: int, fill: Callable[[Path], dict[str, Any]]) -> str | None:
        """Make the part of a shard, unless it is there; return why an old one gave way, ``""`` if there was none.

        None says that nothing was to be done. Must be called within `locked`. ``fill`` writes into an empty folder and
        returns the account of the part.
        """
        manifest = self._manifest(shard)
        why = "" if manifest is None else self._other(manifest)
        if manifest is not None and why is None:
            return None
        place = self._place(shard)
        for old in (self._place(shard), *self.path.glob(f".{place.name}.*.tmp")):
            shutil.rmtree(old, ignore_errors=True)
        temporary = temporary_sibling(place)
        try:
            temporary.mkdir()
            account = fill(temporary)
            sums = {file.name: _sha256(file) for file in sorted(temporary.iterdir())}
            told = {"shard": shard, "of": self.shards, **asdict(self._identity), "sha256": sums, "account": account}
            (temporary / MANIFEST).write_text(json.dumps(told, ensure_ascii=False) + "\n", encoding="utf-8")
            temporary.rename(place)
        except OSError:
            if self.part(shard) is None:
                raise
            return None  # another machine was faster
        finally:
            shutil.rmtree(temporary, ignore_errors=True)
        return why or ""

    def verified(self) -> list[PartPlace]:
        """All parts in order, each as it was written.

        Raises:
            UserError: some are damaged, which are removed.
        """
        damaged = []
        for shard in range(self.shards):
            folder = self._place(shard)
            sums = (self._manifest(shard) or {}).get("sha256")
            if not sums or any(not (folder / name).is_file() or _sha256(folder / name) != sums[name] for name in sums):
                shutil.rmtree(folder, ignore_errors=True)
                damaged.append(shard)
        if damaged:
            shown = ", ".join(map(str, damaged))
            raise UserError(
                f"{self.path} has parts that are not as they were written, of shards {shown}; they are removed: start"
                " the same command again."
            )
        return [place for shard in range(self.shards) if (place := self.part(shard))]

    def remove(self) -> None:
        """Remove all parts; for others that look they are gone at once."""
        with suppress(OSError):  # another was faster, or there is none
            self.path.rename(temporary_sibling(self.path))
        for gone in (self.path, *self.path.parent.glob(f".{escape(self.path.name)}.*.tmp")):
            shutil.rmtree(gone, ignore_errors=True)

    @contextmanager
    def locked(self, what: str, waiting: Callable[[], None]) -> Iterator[None]:
        """Hold the lock of ``what`` within the block; call ``waiting`` before waiting for another that holds it."""
        from filelock import FileLock, Timeout

        lock = FileLock(self.path / f"{what}.lock")
        try:
            lock.acquire(timeout=0)
        except Timeout:
            waiting()
            lock.acquire()
        try:
            yield
        finally:
            lock.release()

    def _place(self, shard: int) -> Path:
        return self.path / f"{shard}-of-{self.shards}"

    def _manifest(self, shard: int) -> dict[str, Any] | None:
        try:
            manifest = json.loads((self._place(shard) / MANIFEST).read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None
        except ValueError:
            return {}
        return manifest if isinstance(manifest, dict) else {}

    def _other(self, manifest: dict[str, Any]) -> str | None:
        """What sets a part apart from what is wanted; None where nothing does."""
        if not {"settings", "input", "sha256", "account"} <= set(manifest):
            return "could not be read"
        if manifest["settings"] != self._identity.settings:
            return "was made by other settings, or by another version"
        if manifest["input"] != self._identity.input:
            return "was made of other input, or before the input changed"
        return None


def flush_all(folder: Path) -> None:
    """Force all files of a folder onto the disk."""
    for file in folder.iterdir():
        descriptor = os.open(file, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _sha256(file: Path) -> str:
    content = hashlib.sha256()
    with file.open("rb") as stream:
        while block := stream.read(_BLOCK):
            content.update(block)
    return content.hexdigest()
