"""Files: which ones a path names, their endings and the splits that their names tell."""

import glob
import re
from collections.abc import Iterable, Iterator
from difflib import get_close_matches
from pathlib import Path
from typing import TypeVar

from quatrain.core.brought_files import keep_inside
from quatrain.core.errors import UserError

_PLAIN_SUFFIXES = (".txt", ".jsonl", ".csv", ".tsv", ".parquet")
SUFFIXES = (*_PLAIN_SUFFIXES, *(f"{suffix}.gz" for suffix in _PLAIN_SUFFIXES))
"""Endings of the files that are read; those with ``.gz`` are decompressed on the way."""

SPLITS = ("train", "validation", "test")

MOST_ENTRIES = 100_000
"""How many files and folders are looked at for one source."""


_T = TypeVar("_T")
_SPLIT_NAME = re.compile(r"(train|validation|valid|val|dev|test)([-_.]\d[^.]*)?\.", re.IGNORECASE)
_NAMED_FILES = 5
_SHORT_NAMES = {"valid": "validation", "val": "validation", "dev": "validation"}


def suffix_of(name: str) -> str | None:
    """The ending out of `SUFFIXES` that ``name`` has, or None."""
    lowered = name.lower()
    return next((suffix for suffix in reversed(SUFFIXES) if lowered.endswith(suffix)), None)


def split_of(name: str) -> str | None:
    """The split that a file's name tells: ``train.txt``, ``dev.jsonl``, ``test-00000-of-00002.parquet``; else None."""
    match = _SPLIT_NAME.match(name)
    return _SHORT_NAMES.get(found := match[1].lower(), found) if match else None


def list_files(source: str, key: str = "data.source", *, to_train: bool = True) -> list[tuple[str | None, Path]]:
    """The files that a file's, folder's or glob's name stands for, with their splits, in the order of reading.

    A folder is walked with what lies below, hidden files and unknown endings left out. Where it holds a file named
    after a split it brings its own splits and only such files are taken; else every split is None. The files of a glob
    have splits where all are named after one and train is among them. Empty where there is nothing. What a folder or
    a glob brings lies in it, not behind a link.

    Raises:
        UserError: files named after splits hold none for train (those of a folder may, where nothing is ``to_train``),
            a glob matches them beside others, or a file is a link to another place.
    """
    path = Path(source).expanduser()
    if path.is_file():
        return [(None, path)]
    if path.is_dir():
        named = [(split_of(file.name), keep_inside(file, path, key)) for file in sorted(_visible(path, key))]
        own = [(split, file) for split, file in named if split]
        if to_train and own and all(split != "train" for split, _ in own):
            there = ", ".join(file.name for _, file in own[:_NAMED_FILES])
            raise UserError(
                f"{key}={source} holds files for validation or test ({there}) but none for train; add train"
                f"{suffix_of(own[0][1].name)}, or rename them where they are all there is to train on."
            )
        return _in_order(own) if own else list(named)
    files = glob_files(source, key)
    splits = glob_splits(source, [(split_of(file.name), file) for file in files], key)
    return _in_order(list(zip(splits, files, strict=True))) if splits else [(None, file) for file in files]


def _in_order(files: list[tuple[str, Path]]) -> list[tuple[str | None, Path]]:
    return [(split, file) for split, file in sorted(files, key=lambda pair: SPLITS.index(pair[0]))]


def glob_files(source: str, key: str = "data.source") -> list[Path]:
    """The files that a pattern matches, sorted; none where ``source`` is no pattern.

    Raises:
        UserError: a match is a link that leads out of the folder that the pattern begins with.
    """
    if not glob.has_magic(source):
        return []
    # Path.glob refuses patterns that shells and this one take.
    pattern = Path(source).expanduser()
    found = glob.iglob(str(pattern), recursive=True)  # noqa: PTH207
    matches = (Path(name) for name in _not_too_many(found, source, key))
    folder = next(parent for parent in pattern.parents if not glob.has_magic(str(parent)))
    return sorted(keep_inside(file, folder, key) for file in matches if file.is_file())


def glob_splits(source: str, files: list[tuple[str | None, Path]], key: str = "data.source") -> list[str] | None:
    """The split of each file of a glob; None where no name tells one, or all tell the same, for the user asked for it.

    Raises:
        UserError: some are named after splits and others are not, or none is for train.
    """
    named = [split for split, _ in files if split]
    if not named or (len(set(named)) == 1 and len(named) == len(files)):
        return None
    if len(named) == len(files) and any(split.startswith("train") for split in named):
        return named
    of_split = ", ".join([file.name for split, file in files if split][:_NAMED_FILES])
    others = ", ".join([file.name for split, file in files if not split][:_NAMED_FILES])
    if not others:
        raise UserError(f"{key}={source} matches files of {of_split} but none for train; widen the pattern.")
    raise UserError(
        f"{key}={source} matches files of a split ({of_split}) beside others ({others}); narrow the pattern."
    )


def _visible(folder: Path, key: str) -> Iterator[Path]:
    for file in _not_too_many(folder.rglob("*"), folder, key):
        hidden = any(part.startswith(".") for part in file.relative_to(folder).parts)
        if not hidden and suffix_of(file.name) and file.is_file():
            yield file


def _not_too_many(found: Iterable[_T], source: str | Path, key: str) -> Iterator[_T]:
    """Hand on what was found, unless a whole disk is walked."""
    for number, entry in enumerate(found):
        if number == MOST_ENTRIES:
            raise UserError(
                f"{key}={source} leads to more than {MOST_ENTRIES:,} files and folders; name the folder of the corpus."
            )
        yield entry


def missing(source: str, key: str, also: tuple[str, ...] = ()) -> str:
    """The sentence for a source that names nothing, with the nearest spelling among its siblings and ``also``."""
    if glob.has_magic(source):
        return f"{key}={source} matches no file; check the pattern (and quote it, so that the shell leaves it alone)."
    path = Path(source).expanduser()
    try:
        siblings = [str(file) for file in path.parent.iterdir()]
    except OSError:
        siblings = []
    near = get_close_matches(str(path), siblings, 1, 0.8) or get_close_matches(source, also, 1, 0.6)
    hint = (
        f"did you mean {near[0]}?" if near else f"name a file, a folder, a glob, a URL, hub:NAME, or {', '.join(also)}."
    )
    return f"{key}={source} does not exist; {hint}"
