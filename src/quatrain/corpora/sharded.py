"""A corpus made by several jobs: each makes one part, and the one that finds all parts there joins and publishes them.

Jobs may come in any order, at once, twice, and be killed at any moment: what appears at the target is whole and the
same to the byte as what one job alone writes, or nothing appears.
"""

import json
import shutil
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from quatrain.core.errors import NotNow, UserError
from quatrain.corpora.processed import write_error
from quatrain.corpora.shard_folder import Identity, PartPlace, ShardFolder, flush_all
from quatrain.corpora.sources import digest

REPORT = "report.json"


class Shardable(Protocol):
    """A corpus that can be made in parts."""

    name: str

    @property
    def settings(self) -> str:
        """A digest of all that decides what is made of the input, the code too."""
        ...

    def input(self) -> str:
        """A digest that changes with the input, made without reading it."""
        ...

    def notes(self, shards: int) -> list[str]:
        """What a user should know of how it is cut, one sentence each."""
        ...

    def make(self, shard: int, shards: int, folder: Path) -> dict[str, Any]:
        """Write one part; return an account of it, in plain values, for the joining."""
        ...

    def join(self, parts: Sequence[PartPlace], folder: Path) -> str:
        """Write what all parts make together; return the corpus's fingerprint."""
        ...

    def is_published(self, report: dict[str, Any]) -> bool:
        """Whether a published corpus with this report is this one."""
        ...


@dataclass(frozen=True)
class Place:
    """Where a corpus goes: to ``folder``, or where that is None to one in ``root`` that is named after its content."""

    folder: Path | None
    root: Path

    def beside(self, name: str, identity: Identity) -> Path:
        """The hidden folder of its parts."""
        if self.folder:
            return self.folder.with_name(f".{self.folder.name}.shards")
        return self.root / f".{name}-{digest(identity.settings, identity.input)[:8]}.shards"

    def named(self, name: str, fingerprint: str) -> Path:
        """The folder of the corpus with that fingerprint."""
        return self.folder or self.root / f"{name}-{fingerprint[:8]}"

    def candidates(self, name: str) -> list[Path]:
        """The folders that may hold it already."""
        if self.folder:
            return [self.folder] if self.folder.exists() else []
        return sorted(path for path in self.root.glob("*") if path.name.startswith(f"{name}-"))


@dataclass(frozen=True)
class Outcome:
    """What came of one job: whether it ``made`` its part, where the corpus is, and which shards it waits for."""

    made: bool
    published: Path | None
    missing: tuple[int, ...] = ()

    def sentence(self, shard: int, shards: int) -> str:
        """The same in words."""
        what = f"shard {shard} of {shards} is made" if self.made else f"shard {shard} of {shards} was made already"
        if self.published:
            return f"{what}; the corpus is in {self.published}"
        count = len(self.missing)
        shown = ", ".join(map(str, self.missing[:10])) + (", ..." if count > 10 else "")
        return f"{what}; the corpus waits for shard{'s' if count > 1 else ''} {shown}"


def make_shard(
    corpus: Shardable, place: Place, shard: int, shards: int, say: Callable[[str], None] | None = None
) -> Outcome:
    """Make one part of a corpus unless it is there, and publish the corpus if that was the last that was missing.

    Raises:
        UserError: ``place`` holds something else, or the input has a fault.
        NotNow: the input changed meanwhile, or the disk is full.
    """
    say = say or (lambda sentence: print(sentence, file=sys.stderr, flush=True))
    identity = Identity(corpus.settings, corpus.input())
    folder = ShardFolder(place.beside(corpus.name, identity), identity, shards)
    if published := _published(corpus, place):
        folder.remove()  # what one left that was killed when it had just published
        return Outcome(made=False, published=published)
    try:
        folder.path.mkdir(parents=True, exist_ok=True)
        made = _make(corpus, folder, identity, shard, say)
        if published := _published(corpus, place):
            folder.remove()
            return Outcome(made, published)
        if missing := folder.missing():
            return Outcome(made, None, tuple(missing))
        with folder.locked("join", lambda: say("the parts are being joined by another process; waiting for it")):
            return Outcome(made, _published(corpus, place) or _publish(corpus, folder, place))
    except OSError as error:
        # Another job has published, and removed the parts, while this one was at work.
        if published := _published(corpus, place):
            return Outcome(made=False, published=published)
        raise write_error(error, folder.path, "run.dir") from error


def _make(corpus: Shardable, folder: ShardFolder, identity: Identity, shard: int, say: Callable[[str], None]) -> bool:
    def fill(part: Path) -> dict[str, Any]:
        account = corpus.make(shard, folder.shards, part)
        if corpus.input() != identity.input:
            raise NotNow("data.source changed while it was read; start again when nothing writes to it any more.")
        return account

    name = f"shard {shard} of {folder.shards}"
    with folder.locked(f"shard{shard}", lambda: say(f"{name} is being made by another process; waiting for it")):
        if folder.part(shard) is None:
            for note in corpus.notes(folder.shards) if shard == 0 and folder.shards > 1 else ():
                say(note)
        why = folder.make(shard, fill)
    if why:
        say(f"{name} is made anew: its part {why}")
    return why is not None


def _publish(corpus: Shardable, folder: ShardFolder, place: Place) -> Path:
    parts = folder.verified()
    joined = folder.path / "joined.tmp"
    shutil.rmtree(joined, ignore_errors=True)
    joined.mkdir()
    fingerprint = corpus.join(parts, joined)
    flush_all(joined)
    target = place.named(corpus.name, fingerprint)
    if target.exists():
        raise UserError(
            f"{target} exists already and holds something else; remove it and start the same command again."
        )
    joined.rename(target)
    folder.remove()
    return target


def _published(corpus: Shardable, place: Place) -> Path | None:
    """Where the corpus is already.

    Raises:
        UserError: there is something else.
    """
    for folder in place.candidates(corpus.name):
        try:
            report = json.loads((folder / REPORT).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            report = None
        if isinstance(report, dict) and corpus.is_published(report):
            return folder
    if place.folder and place.folder.exists():
        raise UserError(f"run.dir={place.folder} exists already; name a new folder, or remove this one.")
    return None
