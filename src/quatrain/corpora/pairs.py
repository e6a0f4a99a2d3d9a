"""Sentences and sentence pairs with labels, from wherever they come, in one form.

corpus = load_pairs("mrpc/")      # GLUE's MRPC from its original files: 3668, 408 and 1725 rows
corpus.splits["train"][0]         # {"text_a": ..., "text_b": ..., "label": 1, "idx": 0}
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from quatrain.core.errors import UserError
from quatrain.corpora.cleaning import Cleaning
from quatrain.corpora.pair_assembly import assemble_pairs
from quatrain.corpora.pair_checks import check_pair_source
from quatrain.corpora.pair_corpus import PairCorpus
from quatrain.corpora.pair_files import Row, RowStream
from quatrain.corpora.pair_folder import split_order
from quatrain.corpora.pair_recipe import IncompleteRows, PairRecipe
from quatrain.corpora.pair_sources import PairSource, open_pair_source

__all__ = ["PairCorpus", "check_pair_source", "load_pairs", "pairs_from_memory"]


class UnreadPairs(NamedTuple):
    """A corpus of pairs before its rows are read."""

    source: PairSource
    recipe: PairRecipe
    cleaning: Cleaning

    def read(self) -> PairCorpus:
        """The corpus.

        Raises:
            UserError: with a sentence for each mistake in the rows.
        """
        return assemble_pairs(self.source, self.recipe, self.cleaning)


def open_pairs(
    source: str,
    *,
    sha256: str | None = None,
    glue_task: str | None = "mrpc",
    text_columns: Sequence[str] | None = None,
    label_column: str = "label",
    label_names: Sequence[str] | None = None,
    revision: str | None = None,
    cleaning: Cleaning | None = None,
    validation_share: float = 0.1,
    test_share: float = 0.1,
    split_seed: int = 0,
    incomplete_rows: IncompleteRows = "refuse",
    verse_size: int = 4000,
    verse_seed: int = 0,
) -> UnreadPairs:
    """Find what ``source`` names and check it, without reading the rows of local files.

    Args:
        source: ``verse``; ``hub:OWNER/NAME``, with ``:CONFIG`` where it has several; a folder with the original
            msr_paraphrase files, with files of its own for each split (in shards, too), or written by `write_pairs`;
            one file or URL (jsonl, csv, tsv, parquet; gz of each), whose rows are dealt to the splits; or a glob of
            files, which are dealt likewise where their names tell no splits.
        sha256: of the file that a URL (where it must be given) or a path names.
        glue_task: says columns and classes where nothing else does; None for a task of the user's own.
        text_columns: one name or two; None takes the task's, or else customary ones.
        label_column: holds classes by number or by name, or scores.
        label_names: classes by number; None takes the source's own or the task's, or else what training holds.
        revision: branch, tag or commit of a hub source.
        cleaning: rules for each text; None for the defaults. Its ``duplicate_lines`` drops rows that stood before in
            their split. Rows are otherwise kept, each once and in order.
        validation_share: share of the rows that go to validation where the source does not bring it.
        test_share: the same for the test split.
        split_seed: which rows those are; see `deal_rows`.
        incomplete_rows: drop leaves out, and counts, rows with an empty text, or without a label where one is needed.
        verse_size: how many pairs of verse.
        verse_seed: which ones.

    Raises:
        UserError: with a sentence for each mistake in the arguments.
    """
    wrong = check_pair_source(
        source,
        sha256=sha256,
        glue_task=glue_task,
        text_columns=text_columns,
        label_column=label_column,
        label_names=label_names,
        validation_share=validation_share,
        test_share=test_share,
        verse_size=verse_size,
    )
    if wrong:
        raise UserError(wrong)
    opened = open_pair_source(
        source,
        task_name=glue_task,
        revision=revision,
        sha256=sha256,
        label_column=label_column,
        verse_size=verse_size,
        verse_seed=verse_seed,
    )
    recipe = PairRecipe(
        glue_task, text_columns, label_column, label_names, validation_share, test_share, split_seed, incomplete_rows
    )
    return UnreadPairs(opened, recipe, cleaning or Cleaning())


def load_pairs(source: str, **choices: Any) -> PairCorpus:
    """Load pairs from ``source``, checked and cleaned; ``choices`` are the other arguments of `open_pairs`.

    Raises:
        UserError: with a sentence for each mistake in the arguments, or in the rows.
    """
    return open_pairs(source, **choices).read()


def pairs_from_memory(
    rows: Iterable[Row] | Mapping[str, Iterable[Row]],
    *,
    name: str = "rows",
    glue_task: str | None = None,
    text_columns: Sequence[str] | None = None,
    label_column: str = "label",
    label_names: Sequence[str] | None = None,
    cleaning: Cleaning | None = None,
    validation_share: float = 0.1,
    test_share: float = 0.1,
    split_seed: int = 0,
    incomplete_rows: IncompleteRows = "refuse",
) -> PairCorpus:
    """The same as `load_pairs` for rows that are at hand: mappings from column to value, or such rows by split.

    Rows without splits are dealt to them; by split, ``train`` and ``validation`` must be there.

    Raises:
        UserError: as `load_pairs`.
    """
    recipe = PairRecipe(
        glue_task, text_columns, label_column, label_names, validation_share, test_share, split_seed, incomplete_rows
    )
    wrong = recipe.sentences()
    if wrong:
        raise UserError(wrong)
    return UnreadPairs(_memory_source(rows, name), recipe, cleaning or Cleaning()).read()


def _memory_source(rows: Iterable[Row] | Mapping[str, Iterable[Row]], name: str) -> PairSource:
    if not isinstance(rows, Mapping):
        return PairSource(name, {"train": _memory_stream(rows, name)}, to_deal=("validation", "test"))
    unknown = [split for split in rows if split.split("_")[0] not in ("train", "validation", "test")]
    missing = [wanted for wanted in ("train", "validation") if not any(split.startswith(wanted) for split in rows)]
    if unknown or missing:
        what = f"a split {unknown[0]}" if unknown else f"no split {missing[0]}"
        raise UserError(f"{name} has {what}; give rows for train, validation and, where wanted, test, or one list.")
    splits = {split: _memory_stream(rows[split], f"{name} {split}") for split in sorted(rows, key=split_order)}
    return PairSource(name, splits)


def _memory_stream(rows: Iterable[Row], origin: str) -> RowStream:
    kept = list(rows)
    for number, row in enumerate(kept, 1):
        if not isinstance(row, Mapping):
            raise UserError(f"{origin}, row {number}: a {type(row).__name__}; give mappings from column to value.")
    return RowStream(origin, "row", lambda: iter(enumerate(kept, 1)), content=repr(kept))
