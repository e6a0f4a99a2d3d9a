"""The files that a job reads, and whether they are still what they were when it ran."""

from collections.abc import Iterator, Mapping
from functools import lru_cache
from glob import glob, has_magic
from pathlib import Path
from typing import Any

from quatrain.corpora.file_hashes import file_sha256
from quatrain.runs.directory import RunDirectory, write_json
from quatrain.runs.reading import read_json, read_mapping

INPUTS = (("data", "source"), ("tokenizer", "source"), ("model", "weights"))
"""Where a config names input of this machine: group and key."""

FILE = "inputs.json"

Inputs = dict[str, dict[str, Any]]


def inputs_of(config: Mapping[str, Any], known: Mapping[str, Mapping[str, Any]] | None = None) -> Inputs:
    """Return size, modification time and sha256 of every file that ``config`` reads from this machine, by its path.

    Of a file whose size and time are as ``known`` has them, the hash is taken from there.
    """
    return {str(path): _of(path, (known or {}).get(str(path))) for path in _files(config)}


def note_inputs(run: RunDirectory, config: Mapping[str, Any]) -> None:
    """Write ``inputs.json`` in the run directory."""
    write_json(run.path / FILE, inputs_of(config))


def are_noted(run: RunDirectory) -> bool:
    """Whether the run directory says what it read."""
    return (run.path / FILE).exists()


def changed_inputs(run: RunDirectory, config: Mapping[str, Any]) -> list[str]:
    """The files that are not what they were when ``run`` began: changed, gone or new; none where none were noted.

    Raises:
        UserError: the note in the run directory is not one of ours.
    """
    if not are_noted(run):
        return []
    before = {name: was for name, was in read_mapping(run.path / FILE, read_json, "").items() if isinstance(was, dict)}
    now = inputs_of(config, before)
    names = dict.fromkeys([*before, *now])
    return [name for name in names if before.get(name, {}).get("sha256") != now.get(name, {}).get("sha256")]


def _files(config: Mapping[str, Any]) -> Iterator[Path]:
    for group, key in INPUTS:
        value = config[group].get(key)
        if not isinstance(value, str) or not Path(value).is_absolute():  # names and addresses; paths are absolute
            continue
        for path in _matching(value):
            if path.is_dir():
                yield from (file for file in sorted(path.rglob("*")) if file.is_file() and _is_read(file, path))
            elif path.is_file():
                yield path


def _matching(source: str) -> list[Path]:
    if Path(source).exists() or not has_magic(source):
        return [Path(source)]
    return [path for path in map(Path, sorted(glob(source, recursive=True))) if path.is_file()]  # noqa: PTH207


def _is_read(file: Path, folder: Path) -> bool:
    """Whether a run may read a file of ``folder``: none that is hidden, as locks are, and of a run what it exports."""
    parts = file.relative_to(folder).parts
    is_run = (folder / "config.yaml").is_file()
    return not any(part.startswith(".") for part in parts) and (not is_run or parts[0] in ("export", "tokenizer"))


def _of(path: Path, known: Mapping[str, Any] | None) -> dict[str, Any]:
    stat = path.stat()
    seen = {"bytes": stat.st_size, "modified_ns": stat.st_mtime_ns}
    if known and all(known.get(name) == value for name, value in seen.items()):
        return dict(known)
    return {**seen, "sha256": _sha256(path, stat.st_size, stat.st_mtime_ns)}


@lru_cache(maxsize=1024)
def _sha256(path: Path, size: int, modified_ns: int) -> str:
    """Once in a process for a file that many jobs read, and once for all of them if it is large."""
    return file_sha256(path)
