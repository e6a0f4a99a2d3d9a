"""What ``data.source`` names where sentence pairs are wanted: the verse, the hub, a folder, a file."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from difflib import get_close_matches
from itertools import islice
from pathlib import Path
from typing import Any

from quatrain.core.errors import NotNow, UserError
from quatrain.corpora.glue import GLUE_HUB_NAME, GLUE_TASKS
from quatrain.corpora.hub import resolve_commit
from quatrain.corpora.msr_paraphrase import holds_msr_paraphrase, msr_paraphrase_splits
from quatrain.corpora.pair_files import KNOWN_SUFFIXES, NumberedRows, RowStream, row_format, row_stream
from quatrain.corpora.pair_labels import LabelScheme

VERSE = "verse"
HUB_PREFIX = "hub:"
REPORT_FILE = "report.json"
"""In a folder of processed pairs: what its labels and columns mean, beside the account of the processing."""

_SPLIT_FILE = re.compile(r"(train|validation|valid|val|dev|test)(_matched|_mismatched)?", re.IGNORECASE)
_VALIDATION = {"valid", "val", "dev"}


@dataclass(frozen=True)
class PairSource:
    """Rows that are still as their source has them.

    ``splits``: the rows by split. ``to_deal``: splits that the source lacks, to be dealt out of ``train``.
    ``scheme``, ``text_columns``, ``label_column``: where the source itself says them.
    ``may_be_empty``: a text may be empty, because the user cannot mend it (the hub) or it was checked before.
    """

    name: str
    splits: Mapping[str, RowStream]
    to_deal: tuple[str, ...] = ()
    scheme: LabelScheme | None = None
    text_columns: tuple[str, ...] | None = None
    label_column: str | None = None
    may_be_empty: bool = False


def open_pair_source(
    source: str,
    *,
    task_name: str | None,
    revision: str | None,
    label_column: str = "label",
    verse_size: int = 4000,
    verse_seed: int = 0,
) -> PairSource:
    """Find what ``source`` names; local files are not read yet, the hub's are fetched.

    A ``hub:OWNER/NAME`` may end in ``:CONFIG``; that of `GLUE_HUB_NAME` is the task.

    Raises:
        UserError: there is no such source, a folder lacks a split, or the hub has or gives none.
    """
    if source == VERSE:
        return _verse(verse_size, verse_seed)
    if source.startswith(HUB_PREFIX):
        return _hub(source, task_name, revision, label_column)
    path = Path(source).expanduser()
    if path.is_dir():
        return _folder(path, task_name)
    if not path.is_file():
        raise UserError(_missing(source, path))
    if row_format(path) is None:
        raise UserError(f"data.source={source} has no known suffix; pairs are read from {KNOWN_SUFFIXES}.")
    return PairSource(path.name.split(".")[0], {"train": row_stream(path)}, to_deal=("validation", "test"))


def split_order(name: str) -> tuple[int, str]:
    """Sorts split names as training, validation, test."""
    return ("train", "validation", "test").index(name.split("_")[0]), name


def _verse(size: int, seed: int) -> PairSource:
    def rows() -> NumberedRows:
        from quatrain.corpora.verse import pairs

        for number, (text_a, text_b, label) in enumerate(pairs(size, seed), 1):
            yield number, {"sentence1": text_a, "sentence2": text_b, "label": label}

    scheme = LabelScheme(GLUE_TASKS["mrpc"].label_names, given=True)
    return PairSource(VERSE, {"train": RowStream(VERSE, "pair", rows)}, ("validation", "test"), scheme)


def _folder(folder: Path, task_name: str | None) -> PairSource:
    name = folder.resolve().name
    if holds_msr_paraphrase(folder) and task_name in ("mrpc", None):
        msr = msr_paraphrase_splits(folder)
        return PairSource(name, msr, () if "validation" in msr else ("validation",))
    plain = PairSource(name, {split: row_stream(path) for split, path in _split_files(folder).items()})
    report = _processing_report(folder / REPORT_FILE)
    if report is None:
        return plain
    names = report["label_names"]
    return replace(
        plain,
        scheme=LabelScheme(None if names is None else tuple(names), given=True),
        text_columns=tuple(report["text_columns"]),
        label_column="label",
        may_be_empty=True,
    )


def _processing_report(path: Path) -> dict[str, Any] | None:
    """The report that processing left, or None where there is none; a user's own file may have the same name."""
    try:
        report = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    ours = isinstance(report, dict) and {"label_names", "text_columns", "fingerprint"} <= set(report)
    return report if ours else None


def _split_files(folder: Path) -> dict[str, Path]:
    found: dict[str, Path] = {}
    files = sorted(path for path in folder.iterdir() if path.is_file())
    for path in files:
        match = _SPLIT_FILE.fullmatch(path.name.split(".")[0])
        if match is None or row_format(path) is None:
            continue
        stem, half = match[1].lower(), (match[2] or "").lower()
        split = ("validation" if stem in _VALIDATION else stem) + half
        if split in found:
            raise UserError(
                f"data.source={folder} has two files for {split} ({found[split].name}, {path.name}); keep one of them."
            )
        found[split] = path
    for wanted in ("train", "validation"):
        if not any(split.startswith(wanted) for split in found):
            there = ", ".join(path.name for path in islice(files, 10)) or "nothing"
            raise UserError(
                f"data.source={folder} has no file for {wanted} but {there};"
                f" add {wanted}.jsonl (or another known suffix), or name one file, which is then split."
            )
    return {split: found[split] for split in sorted(found, key=split_order)}


def _missing(source: str, path: Path) -> str:
    siblings = [entry.name for entry in path.parent.iterdir()] if path.parent.is_dir() else []
    near = get_close_matches(path.name, [*siblings, VERSE], n=1)
    hint = f" (did you mean {near[0]}?)" if near else ""
    return (
        f"data.source={source} is neither a file nor a folder{hint}; name a file ({KNOWN_SUFFIXES}), a folder with"
        f" train, validation and test files or with the original msr_paraphrase files, hub:OWNER/NAME, or {VERSE}."
    )


def _hub(source: str, task_name: str | None, revision: str | None, label_column: str) -> PairSource:
    name, _, config = source.removeprefix(HUB_PREFIX).partition(":")
    if name == GLUE_HUB_NAME and not config:
        if task_name is None:
            raise UserError(f"data.source={source} needs data.glue_task; set it to one of {', '.join(GLUE_TASKS)}.")
        config = task_name
    commit = resolve_commit(name, "dataset", revision, "data.source")
    splits = _fetched(source, name, config, commit)
    if "train" not in splits:
        raise UserError(f"data.source={source} has no split train but {', '.join(splits)}; name another data set.")
    kept = {split: data for split, data in splits.items() if _SPLIT_FILE.fullmatch(split)}
    streams = {split: _hub_stream(source, split, kept[split]) for split in sorted(kept, key=split_order)}
    names = getattr(splits["train"].features.get(label_column), "names", None)
    return PairSource(
        name.rpartition("/")[2] + (f"-{config}" if config else ""),
        streams,
        to_deal=() if any(split.startswith("validation") for split in kept) else ("validation",),
        scheme=LabelScheme(tuple(names), given=True) if names else None,
        may_be_empty=True,
    )


def _fetched(source: str, name: str, config: str, commit: str) -> Mapping[str, Any]:
    from datasets import load_dataset

    try:
        return load_dataset(name, config or None, revision=commit)
    except (ConnectionError, TimeoutError) as error:
        raise NotNow(f"data.source={source} cannot be fetched ({_line(error)}); try again with a network.") from error
    except Exception as error:  # whatever the data set's own files make the library raise
        raise UserError(f"data.source={source} cannot be loaded: {_line(error)}; name another data set.") from error


def _hub_stream(source: str, split: str, data: Any) -> RowStream:
    def rows() -> Iterator[tuple[int, dict[str, Any]]]:
        number = 0
        for batch in data.iter(batch_size=1000):
            for values in zip(*batch.values(), strict=True):
                number += 1
                yield number, dict(zip(batch, values, strict=True))

    return RowStream(f"{source} {split}", "row", rows)


def _line(error: Exception) -> str:
    return next(iter(str(error).splitlines()), type(error).__name__).rstrip(".")
