"""Files of pairs for each split: a folder of them or a glob, in one file each or in shards."""

import json
import re
from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from quatrain.core.brought_files import keep_inside, read_bounded
from quatrain.core.errors import UserError
from quatrain.corpora.files import glob_splits
from quatrain.corpora.pair_files import KNOWN_SUFFIXES, RowStream, joined, row_format, row_stream

REPORT_FILE = "report.json"
"""In a folder of processed pairs: what its labels and columns mean, beside the account of the processing."""

_LARGEST_REPORT = 32 * 10**6

# As published sets have it: train-00000-of-00001.parquet, validation_matched-00000-of-00002.parquet.
_SPLIT_NAME = re.compile(r"(train|validation|valid|val|dev|test)(_matched|_mismatched)?([-_]\d[^.]*)?", re.IGNORECASE)
_VALIDATION = {"valid", "val", "dev"}


def pair_split_of(name: str) -> str | None:
    """The split that the name of a file or of a hub's split tells, such as ``validation_matched``; else None."""
    match = _SPLIT_NAME.fullmatch(name.split(".")[0])
    if match is None:
        return None
    stem = match[1].lower()
    return ("validation" if stem in _VALIDATION else stem) + (match[2] or "").lower()


def split_order(name: str) -> tuple[int, str]:
    """Sorts split names as training, validation, test."""
    return ("train", "validation", "test").index(name.split("_")[0]), name


TRAINED_ON = ("train", "validation")
"""The splits that training needs."""


def folder_streams(folder: Path, needed: Sequence[str] = TRAINED_ON) -> dict[str, RowStream]:
    """The rows of each split of a folder.

    Raises:
        UserError: it has no file for a split that is ``needed``, two for the same rows, or one that is a link.
    """
    files = sorted(path for path in folder.iterdir() if path.is_file())
    named = [(split, path) for path in files if (split := pair_split_of(path.name)) and row_format(path)]
    for _, path in named:
        keep_inside(path, folder, "data.source")
    return split_streams(str(folder), named, files, needed)


def glob_streams(source: str, files: Sequence[Path]) -> dict[str, RowStream]:
    """The rows of a glob's ``files``: by split where they are named after splits, else all for ``train``.

    Raises:
        UserError: a file has no known suffix, the names mix splits and others, or as `folder_streams`.
    """
    if unknown := [path for path in files if row_format(path) is None]:
        raise UserError(
            f"data.source={source}: {unknown[0]} has no known suffix; pairs are read from {KNOWN_SUFFIXES}."
        )
    splits = glob_splits(source, [(pair_split_of(path.name), path) for path in files])
    if splits is None:
        return {"train": joined([row_stream(path) for path in files], source)}
    return split_streams(source, list(zip(splits, files, strict=True)), files)


def split_streams(
    source: str, named: Sequence[tuple[str, Path]], files: Sequence[Path], needed: Sequence[str] = TRAINED_ON
) -> dict[str, RowStream]:
    """The rows of each split, out of its one file or its shards; ``files`` are all that were found at ``source``.

    Raises:
        UserError: there is no file for a split that is ``needed``, or two for the same rows.
    """
    found: dict[str, list[Path]] = {}
    for split, path in named:
        found.setdefault(split, []).append(path)
    for split, paths in found.items():
        shards = [path.name.split(".")[0] if _is_shard(path) else "" for path in paths]
        if len(paths) > 1 and ("" in shards or len(set(shards)) < len(shards)):
            raise UserError(
                f"data.source={source} has two files for {split} ({paths[0].name}, {paths[-1].name}); keep one of them."
            )
    for wanted in needed:
        if not any(split.startswith(wanted) for split in found):
            there = ", ".join(path.name for path in islice(files, 10)) or "nothing"
            raise UserError(
                f"data.source={source} has no file for {wanted} but {there};"
                f" add {wanted}.jsonl (or another known suffix), or name one file, which is then split."
            )
    return {
        split: joined([row_stream(path) for path in found[split]], f"{source} ({split})")
        for split in sorted(found, key=split_order)
    }


def processing_report(folder: Path) -> dict[str, Any] | None:
    """The report that processing left, or None where there is none; a user's own file may have the same name.

    Raises:
        UserError: it is a link elsewhere, or larger than any report.
    """
    file = folder / REPORT_FILE
    if not file.is_file():
        return None
    try:
        report = json.loads(read_bounded(keep_inside(file, folder, "data.source"), _LARGEST_REPORT, "data.source"))
    except (ValueError, RecursionError):
        return None
    ours = isinstance(report, dict) and {"label_names", "text_columns", "fingerprint"} <= set(report)
    return report if ours and _are_names(report["label_names"] or []) and _are_names(report["text_columns"]) else None


def _are_names(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(name, str) for name in value)


def _is_shard(path: Path) -> bool:
    match = _SPLIT_NAME.fullmatch(path.name.split(".")[0])
    return match is not None and match[3] is not None
