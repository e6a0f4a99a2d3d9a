"""From a source's rows to a corpus: columns found, texts cleaned, rows dealt to splits, labels encoded."""

from collections.abc import Mapping
from typing import Any

from quatrain.core.errors import UserError
from quatrain.corpora.cleaning import Cleaning, CleaningReport
from quatrain.corpora.pair_columns import check_label_column, text_columns_of
from quatrain.corpora.pair_corpus import TEXTS, PairCorpus
from quatrain.corpora.pair_files import Row, RowStream
from quatrain.corpora.pair_folder import split_order
from quatrain.corpora.pair_labels import UNLABELLED, LabelScheme, found_scheme, given_scheme, listed
from quatrain.corpora.pair_recipe import PairRecipe
from quatrain.corpora.pair_rows import Mistakes, PairRows, RowCleaner, gather_pair_rows
from quatrain.corpora.pair_sources import PairSource
from quatrain.corpora.pair_split import deal_rows

WAY_OUT = ", or leave all such rows out with data.incomplete_rows=drop"
"""What to do about many rows that cannot be trained on, besides mending them."""


def assemble_pairs(source: PairSource, recipe: PairRecipe, cleaning: Cleaning) -> PairCorpus:
    """Read all rows of ``source`` and make the corpus that ``recipe`` describes.

    Raises:
        UserError: with a sentence for each row that is wrong, up to a few, or for what is wrong with a split.
    """
    report, mistakes = CleaningReport(), Mistakes()
    rows: dict[str, PairRows] = {}
    for split, stream in source.splits.items():
        clean = row_cleaner(split, source, recipe, cleaning).clean(stream, stream.read(), report, mistakes)
        rows[split] = gather_pair_rows(stream, clean, drop_duplicates=cleaning.duplicate_lines, report=report)
    mistakes.raise_any()
    return finish_pairs(source, recipe, rows, report)


def row_cleaner(split: str, source: PairSource, recipe: PairRecipe, cleaning: Cleaning) -> RowCleaner:
    """What cleans the rows of a split, judged by its first one.

    Raises:
        UserError: there is none, or it lacks a column.
    """
    stream = source.splits[split]
    return RowCleaner(
        text_columns=check_columns(split, stream, first_row(split, stream), source, recipe),
        label_column=source.label_column or recipe.label_column,
        label_needed=not split.startswith("test"),
        cleaning=cleaning,
        may_be_empty=source.may_be_empty,
        drop_incomplete=recipe.incomplete_rows == "drop",
        **({"way_out": WAY_OUT} if "train" in source.splits else {}),
    )


def finish_pairs(
    source: PairSource, recipe: PairRecipe, rows: dict[str, PairRows], report: CleaningReport
) -> PairCorpus:
    """The corpus of all rows, clean: dealt to splits, their labels encoded.

    Without a train split the source says what the labels mean.

    Raises:
        UserError: as `assemble_pairs`.
    """
    mistakes = Mistakes()
    _check_texts(rows)
    rows = _dealt(rows, source, recipe)
    scheme = _scheme(source, recipe, rows, mistakes)
    labels = {split: _encoded(split, rows[split], scheme, recipe, mistakes) for split in rows}
    mistakes.raise_any()
    if scheme.names is not None and "train" in rows:
        _check_seen(rows, labels, scheme.names)
    columns = {split: _columns(rows[split], labels[split]) for split in sorted(rows, key=split_order)}
    return PairCorpus(name=source.name, columns=columns, label_names=scheme.names, report=report)


def first_row(split: str, stream: RowStream) -> Row:
    """The first row of ``stream``; UserError if it holds none."""
    for _, row in stream.read():
        return row
    raise UserError(f"{stream.origin} holds no row for {split}; give it rows.")


def check_columns(split: str, stream: RowStream, first: Row, source: PairSource, recipe: PairRecipe) -> tuple[str, ...]:
    """The text columns of ``first``; UserError where they, or a label that is needed, are missing."""
    columns = list(first)
    asked = source.text_columns or recipe.text_columns
    texts = text_columns_of(columns, stream.origin, asked=asked, task_name=recipe.glue_task)
    if not split.startswith("test"):
        check_label_column(columns, stream.origin, source.label_column or recipe.label_column)
    return texts


def _check_texts(rows: Mapping[str, PairRows]) -> None:
    for split, held in rows.items():
        if not held.texts:
            raise UserError(
                f"{held.stream.origin}: data.incomplete_rows=drop leaves no row for {split}; name the columns of the"
                " text and the label (data.text_columns, data.label_column), or fill them."
            )
    wanted = len(next(iter(rows.values())).texts[0])
    for split, held in rows.items():
        if len(held.texts[0]) != wanted:
            raise UserError(
                f"{held.stream.origin}: {len(held.texts[0])} texts in a row of {split} where train has {wanted};"
                " name the same columns for all splits with data.text_columns."
            )


def _dealt(rows: dict[str, PairRows], source: PairSource, recipe: PairRecipe) -> dict[str, PairRows]:
    if not source.to_deal:
        return rows
    whole = rows["train"]
    sides = deal_rows(
        whole.texts,
        validation_share=recipe.validation_share if "validation" in source.to_deal else 0.0,
        test_share=recipe.test_share if "test" in source.to_deal else 0.0,
        seed=recipe.split_seed,
        origin=whole.stream.origin,
    )
    chosen: dict[str, list[int]] = {}
    for index, side in enumerate(sides):
        chosen.setdefault(side, []).append(index)
    return {**rows, **{side: whole.take(indices) for side, indices in chosen.items()}}


def _scheme(source: PairSource, recipe: PairRecipe, rows: Mapping[str, PairRows], mistakes: Mistakes) -> LabelScheme:
    said = given_scheme(None, recipe.label_names) or source.scheme
    task = given_scheme(recipe.task, None)
    if said is not None and task is not None and len(said.names or ()) != len(task.names or ()):
        raise UserError(
            f"data.glue_task={recipe.glue_task} is {_described(task)} but the labels of {source.name} are"
            f" {_described(said)}; set data.glue_task=null, or take the task that belongs to the data."
        )
    if said is not None or task is not None:
        return said or task or LabelScheme(None)
    train = rows["train"]
    found = found_scheme(train.labels)
    if found.names is not None and len(found.names) < 2:
        held = f"only the label {found.names[0]}" if found.names else "no label"
        mistakes.add(
            f"{train.stream.origin}: train holds {held} (data.label_column); give rows of two or more classes."
        )
    return found


def _described(scheme: LabelScheme) -> str:
    return "scores" if scheme.names is None else f"{len(scheme.names)} classes ({listed(scheme.names)})"


def _encoded(
    split: str, rows: PairRows, scheme: LabelScheme, recipe: PairRecipe, mistakes: Mistakes
) -> list[int] | list[float]:
    encoded: list[Any] = []
    for value, number in zip(rows.labels, rows.numbers, strict=True):
        try:
            label = scheme.encode(value)
        except ValueError as error:
            mistakes.add(wrong_label(rows.stream.place(number), error, recipe))
            continue
        if label == UNLABELLED and not split.startswith("test"):
            place = rows.stream.place(number)
            mistakes.add(
                f"{place}: the label {value} marks an unlabelled row, which only test may hold; {_fix(recipe)}."
            )
        encoded.append(label)
    return encoded


def wrong_label(place: str, error: ValueError, recipe: PairRecipe) -> str:
    """The sentence for a label that cannot be."""
    return f"{place}: {error}; {_fix(recipe)}."


def _fix(recipe: PairRecipe) -> str:
    return "mend the row, or set data.glue_task=null for labels of your own" if recipe.glue_task else "mend the row"


def _check_seen(rows: Mapping[str, PairRows], labels: Mapping[str, list[Any]], names: tuple[str, ...]) -> None:
    seen = {*labels["train"], UNLABELLED}
    for split in rows:
        unseen = next((i for i, label in enumerate(labels[split]) if label not in seen), None)
        if unseen is not None:
            there = listed([names[label] for label in sorted(seen - {UNLABELLED})])
            raise UserError(
                f"{rows[split].stream.place(rows[split].numbers[unseen])}: label {names[labels[split][unseen]]} is in"
                f" {split} but in no row of train, which has {there}; give train rows of it, or set another"
                " data.split_seed where one file is split."
            )


def _columns(rows: PairRows, labels: list[int] | list[float]) -> dict[str, list[Any]]:
    texts = {column: list(values) for column, values in zip(TEXTS, zip(*rows.texts, strict=True), strict=False)}
    return {**texts, "label": labels, "idx": rows.idx}
