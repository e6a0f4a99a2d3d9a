"""All of a source as one held-out split, dealt out to nobody: what a trained model is to be scored on.

A source that brings splits of its own gives the one that is asked for, and needs none to train on.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cached_property
from pathlib import Path

import numpy as np

from quatrain.core.errors import UserError
from quatrain.corpora.cleaning import Cleaning
from quatrain.corpora.documents import Documents
from quatrain.corpora.file_contents import check_file
from quatrain.corpora.files import SPLITS, list_files
from quatrain.corpora.glue import GLUE_TASKS
from quatrain.corpora.hub import HUB
from quatrain.corpora.layout import Layout
from quatrain.corpora.locations import check_hash_form, check_hub_name, check_url, is_url, looked_up, stem_of
from quatrain.corpora.msr_paraphrase import holds_msr_paraphrase
from quatrain.corpora.pair_assembly import assemble_pairs, first_row
from quatrain.corpora.pair_columns import check_label_column
from quatrain.corpora.pair_corpus import PairCorpus
from quatrain.corpora.pair_files import PAIR_SUFFIXES
from quatrain.corpora.pair_folder import folder_streams, processing_report
from quatrain.corpora.pair_labels import LabelScheme
from quatrain.corpora.pair_recipe import IncompleteRows, PairRecipe
from quatrain.corpora.pair_sources import VERSE, PairSource, open_pair_source
from quatrain.corpora.sources import FileSource, RawText, Source, digest, find_source
from quatrain.corpora.splits import Shares
from quatrain.corpora.text import TextCorpus

KEY = "data.source"
UNSPLIT = "test"
"""What the split of a source is called that brings none and of which no one was asked for."""


def text_of_split(
    source: str,
    split: str | None,
    *,
    documents: Documents = "whole",
    text_column: str = "text",
    sha256: str | None = None,
    revision: str | None = None,
    cleaning: Cleaning | None = None,
    verse_size: int = 4000,
    verse_seed: int = 0,
) -> TextCorpus:
    """Open a corpus whose one split is ``split``; None: see `choose`. The other arguments are those of `load_text`.

    Raises:
        UserError: as `load_text`, or the source has splits and not this one.
    """
    folder = None if sha256 else _folder_of_texts(source, text_column)  # a hash is of one file, and others refuse it
    found = folder or find_source(
        source,
        text_column=text_column,
        sha256=sha256,
        revision=revision,
        verse_size=verse_size,
        verse_seed=verse_seed,
    )
    chosen = choose(source, found.splits, split)
    return _OneSplit(_Part(found, chosen), chosen, documents=documents, cleaning=cleaning or Cleaning())


def pairs_of_split(
    source: str,
    split: str | None,
    *,
    labels: Callable[[tuple[str, ...] | None], LabelScheme],
    glue_task: str | None = None,
    text_columns: list[str] | None = None,
    label_column: str = "label",
    incomplete_rows: IncompleteRows = "refuse",
    sha256: str | None = None,
    revision: str | None = None,
    cleaning: Cleaning | None = None,
    verse_size: int = 4000,
    verse_seed: int = 0,
) -> PairCorpus:
    """Read the rows of ``split`` alone; None: see `choose`. The other arguments are those of `load_pairs`.

    ``labels``: from the classes by number that the source itself or its GLUE task tells, None where neither does, to
    what the labels mean.

    Raises:
        UserError: as `load_pairs`, the source has splits and not this one, or there is no column of labels.
    """
    if wrong := _wrong_place(source, sha256):
        raise UserError(wrong)
    opened = (None if sha256 else _folder_of_pairs(source)) or open_pair_source(
        source,
        task_name=glue_task,
        revision=revision,
        sha256=sha256,
        label_column=label_column,
        verse_size=verse_size,
        verse_seed=verse_seed,
    )
    unsplit = opened.to_deal == SPLITS[1:]
    chosen = choose(source, None if unsplit else tuple(opened.splits), split)
    stream = opened.splits["train" if unsplit else chosen]
    check_label_column(list(first_row(chosen, stream)), stream.origin, opened.label_column or label_column)
    told = opened.scheme.names if opened.scheme else GLUE_TASKS[glue_task].label_names if glue_task else None
    recipe = PairRecipe(glue_task, text_columns, label_column, None, 0.0, 0.0, 0, incomplete_rows)
    part = replace(opened, splits={chosen: stream}, to_deal=(), scheme=labels(told))
    return assemble_pairs(part, recipe, cleaning or Cleaning())


def choose(source: str, own: tuple[str, ...] | None, asked: str | None) -> str:
    """The split to take of a source with these splits of its ``own``, None where it has none.

    ``asked``; else the test split, else the validation split; of an unsplit source `UNSPLIT`.

    Raises:
        UserError: there is no such split.
    """
    if own is None:
        if asked not in (None, *SPLITS[1:]):
            raise UserError(f"{KEY}={source} has no splits, so all of it is scored; leave --split {asked} out.")
        return asked or UNSPLIT
    held_out = [name for name in own if not name.startswith("train")]
    usual = [name for kind in ("test", "validation") for name in held_out if name.startswith(kind)]
    if found := [asked] if asked in held_out else [] if asked else usual:
        return str(found[0])
    what = f"no held-out split {asked}" if asked else "no held-out split"
    raise UserError(f"{KEY}={source} has {what} but {', '.join(own)}; name one that it holds out, or a single file.")


class _Part:
    """The texts of one split of a source, or all where it has none."""

    def __init__(self, source: Source, split: str) -> None:
        self.name = source.name
        self.splits: tuple[str, ...] | None = None
        self._source, self._split = source, split

    def texts(self) -> Iterator[RawText]:
        """Those texts, as of no split."""
        return (raw._replace(split=None) for raw in self._source.texts() if raw.split in (None, self._split))

    def fingerprint(self) -> str:
        """Over the source and the split."""
        return digest("part", self._split, self._source.fingerprint())


class _OneSplit(TextCorpus):
    """All of a source that has no splits, as one."""

    def __init__(self, source: _Part, split: str, *, documents: Documents, cleaning: Cleaning) -> None:
        super().__init__(source, documents=documents, cleaning=cleaning, shares=Shares(0.0, 0.0))
        self._split = split

    @cached_property
    def layout(self) -> Layout:
        """Every document in the one split."""
        whole = super().layout
        number = SPLITS.index(self._split)
        return Layout(
            np.full(len(whole.dealt), number, np.uint8),
            [],
            {**dict.fromkeys(SPLITS, 0), self._split: whole.documents["train"]},
            {**dict.fromkeys(SPLITS, 0), self._split: whole.characters["train"]},
            whole.report,
        )


def _folder_of_texts(source: str, text_column: str) -> FileSource | None:
    """The files of a folder, which may hold none to train on; None where ``source`` is no folder that holds any."""
    with looked_up(source, KEY):
        files = list_files(source, KEY, to_train=False) if Path(source).expanduser().is_dir() else []
    if wrong := [sentence for _, path in files if (sentence := check_file(path, KEY))]:
        raise UserError(wrong)
    return FileSource(files, stem_of(source), text_column, KEY) if files else None


def _wrong_place(source: str, sha256: str | None) -> list[str]:
    """What is wrong with the form of a source of pairs."""
    if wrong := check_hash_form(source, KEY, sha256, (VERSE,)):
        return wrong
    if source.startswith(HUB):
        return check_hub_name(source, KEY)
    return check_url(source, KEY, sha256, PAIR_SUFFIXES) if is_url(source) else []


def _folder_of_pairs(source: str) -> PairSource | None:
    """The files by split of a folder, which may hold none to train on; None where it is another kind of source."""
    with looked_up(source, KEY):
        folder = Path(source).expanduser()
        if not folder.is_dir() or holds_msr_paraphrase(folder) or processing_report(folder) is not None:
            return None
        streams = folder_streams(folder, needed=())
    return PairSource(folder.resolve().name, streams) if streams else None
