"""What ``data.source`` names where sentence pairs are wanted: verse, the hub, a folder, a glob, an address, a file."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from difflib import get_close_matches
from glob import has_magic
from pathlib import Path
from typing import Any

from quatrain.core.errors import NotNow, UserError
from quatrain.corpora.file_contents import WHOLE, Stretch
from quatrain.corpora.files import glob_files, missing
from quatrain.corpora.glue import GLUE_HUB_NAME, GLUE_TASKS
from quatrain.corpora.hub import HUB, hub_source, resolve_commit
from quatrain.corpora.locations import check_hash, fetch, is_url, looked_up, stem_of
from quatrain.corpora.msr_paraphrase import holds_msr_paraphrase, msr_paraphrase_splits
from quatrain.corpora.pair_files import KNOWN_SUFFIXES, NumberedRows, RowCut, RowStream, row_stream
from quatrain.corpora.pair_folder import folder_streams, glob_streams, pair_split_of, processing_report, split_order
from quatrain.corpora.pair_labels import LabelScheme
from quatrain.corpora.shard_cuts import Rows

VERSE = "verse"

_BOTH = ("validation", "test")


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
    sha256: str | None = None,
    label_column: str = "label",
    verse_size: int = 4000,
    verse_seed: int = 0,
) -> PairSource:
    """Find what ``source`` names; local files are not read yet, the hub's and those of an address are fetched.

    A ``hub:OWNER/NAME`` may end in ``:CONFIG``; that of `GLUE_HUB_NAME` is the task.

    Raises:
        UserError: there is no such source, it lacks a split or has another hash, or the hub has or gives none.
    """
    if source == VERSE:
        return _verse(verse_size, verse_seed)
    if source.startswith(HUB):
        return _hub(source, task_name, revision, label_column)
    if is_url(source):
        file, name = fetch(source, sha256, "data.source")
        return PairSource(stem_of(name), {"train": row_stream(file, source)}, to_deal=_BOTH)
    with looked_up(source, "data.source"):
        return _local(source, task_name, sha256)


def _local(source: str, task_name: str | None, sha256: str | None) -> PairSource:
    path = Path(source).expanduser()
    if path.is_dir():
        check_hash([entry for entry in path.iterdir() if entry.is_file()] if sha256 else [], sha256, "data.source")
        return _folder(path, task_name)
    if path.is_file():
        check_hash([path], sha256, "data.source")
        return PairSource(path.name.split(".")[0], {"train": row_stream(path)}, to_deal=_BOTH)
    files = glob_files(source)
    if not files:
        raise UserError(_missing(source, path))
    check_hash(files, sha256, "data.source")
    streams = glob_streams(source, files)
    return PairSource(stem_of(source), streams, to_deal=_BOTH if len(streams) == 1 else ())


def _verse(size: int, seed: int) -> PairSource:
    def rows(stretch: Stretch) -> NumberedRows:
        from quatrain.corpora.verse import pairs

        for number, pair in enumerate(pairs(stretch.stop, seed, stretch.start), stretch.start + 1):
            yield number, dict(zip(("sentence1", "sentence2", "label"), pair, strict=True))

    scheme = LabelScheme(GLUE_TASKS["mrpc"].label_names, given=True)
    cut = RowCut(lambda: Rows(size, size), rows)
    stream = RowStream(VERSE, "pair", lambda: rows(Stretch(0, size)), content=f"{size} {seed}", cut=cut)
    return PairSource(VERSE, {"train": stream}, _BOTH, scheme)


def _folder(folder: Path, task_name: str | None) -> PairSource:
    name = folder.resolve().name
    if holds_msr_paraphrase(folder) and task_name in ("mrpc", None):
        msr = msr_paraphrase_splits(folder)
        return PairSource(name, msr, () if "validation" in msr else ("validation",))
    plain = PairSource(name, folder_streams(folder))
    report = processing_report(folder)
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


def _missing(source: str, path: Path) -> str:
    if has_magic(source):
        return missing(source, "data.source")
    siblings = [entry.name for entry in path.parent.iterdir()] if path.parent.is_dir() else []
    near = get_close_matches(path.name, [*siblings, VERSE], n=1)
    hint = f" (did you mean {near[0]}?)" if near else ""
    return (
        f"data.source={source} is neither a file nor a folder{hint}; name a file ({KNOWN_SUFFIXES}), a folder with"
        " train, validation and test files or with the original msr_paraphrase files, a glob, a URL, hub:OWNER/NAME,"
        f" or {VERSE}."
    )


def _hub(source: str, task_name: str | None, revision: str | None, label_column: str) -> PairSource:
    name, config = hub_source(source)
    if name == GLUE_HUB_NAME and not config:
        if task_name is None:
            raise UserError(f"data.source={source} needs data.glue_task; set it to one of {', '.join(GLUE_TASKS)}.")
        config = task_name
    commit = resolve_commit(name, "dataset", revision, "data.source")
    splits = _fetched(source, name, config, commit)
    if "train" not in splits:
        raise UserError(f"data.source={source} has no split train but {', '.join(splits)}; name another data set.")
    kept = {named: data for split, data in splits.items() if (named := pair_split_of(split))}
    kept |= {split: data for split, data in splits.items() if split in kept}
    streams = {split: _hub_stream(source, split, kept[split], commit) for split in sorted(kept, key=split_order)}
    names = getattr(splits["train"].features.get(label_column), "names", None)
    return PairSource(
        name.rpartition("/")[2] + (f"-{config}" if config else ""),
        streams,
        to_deal=() if any(split.startswith("validation") for split in kept) else ("validation",),
        scheme=LabelScheme(tuple(names), given=True) if names else None,
        may_be_empty=True,
    )


def _fetched(source: str, name: str, config: str | None, commit: str) -> Mapping[str, Any]:
    from datasets import load_dataset

    try:
        return load_dataset(name, config, revision=commit)
    except (ConnectionError, TimeoutError) as error:
        raise NotNow(f"data.source={source} cannot be fetched ({_line(error)}); try again with a network.") from error
    except Exception as error:  # whatever the data set's own files make the library raise
        raise UserError(f"data.source={source} cannot be loaded: {_line(error)}; name another data set.") from error


def _hub_stream(source: str, split: str, data: Any, commit: str) -> RowStream:
    def rows(stretch: Stretch) -> Iterator[tuple[int, dict[str, Any]]]:
        number = stretch.start
        for batch in data.select(range(stretch.start, min(stretch.stop, len(data)))).iter(batch_size=1000):
            for values in zip(*batch.values(), strict=True):
                number += 1
                yield number, dict(zip(batch, values, strict=True))

    cut = RowCut(lambda: Rows(len(data), len(data)), rows)
    return RowStream(f"{source} {split}", "row", lambda: rows(WHOLE), content=commit, cut=cut)


def _line(error: Exception) -> str:
    return next(iter(str(error).splitlines()), type(error).__name__).rstrip(".")
