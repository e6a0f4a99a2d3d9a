"""Reading the rows of one split: texts cleaned and checked, labels as the source has them."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from quatrain.core.errors import UserError
from quatrain.corpora.cleaning import Cleaning, CleaningReport, Origin
from quatrain.corpora.pair_files import Row, RowStream
from quatrain.corpora.pair_labels import plain_label

SHOWN = 5
"""Mistakes told one by one; of the rest the number."""

_DIGITS = 18  # what surely fits 64 bits


class Mistakes:
    """Collects what is wrong with rows, so that the user hears of several at once."""

    def __init__(self) -> None:
        self._sentences: list[str] = []
        self._more = 0

    def add(self, sentence: str) -> None:
        """Keep the sentence, or only count it once `SHOWN` are kept."""
        if len(self._sentences) < SHOWN:
            self._sentences.append(sentence)
        else:
            self._more += 1

    def raise_any(self) -> None:
        """Raise UserError with all sentences if there are any."""
        if self._sentences:
            more = [f"{self._more} more rows have such mistakes."] if self._more else []
            raise UserError(self._sentences + more)


@dataclass
class PairRows:
    """Rows by column: ``texts`` (one or two each), ``labels`` as the source has them, ``idx``, and where each stood."""

    stream: RowStream
    texts: list[tuple[str, ...]] = field(default_factory=list)
    labels: list[Any] = field(default_factory=list)
    idx: list[int] = field(default_factory=list)
    numbers: list[int] = field(default_factory=list)

    def take(self, chosen: Sequence[int]) -> "PairRows":
        """The rows at these places."""
        return PairRows(
            self.stream,
            [self.texts[i] for i in chosen],
            [self.labels[i] for i in chosen],
            [self.idx[i] for i in chosen],
            [self.numbers[i] for i in chosen],
        )


class CleanRow(NamedTuple):
    """A row as the rest of the work wants it: its number and place (from 0) in its stream, its own ``idx`` if any."""

    number: int
    position: int
    texts: tuple[str, ...]
    label: Any
    idx: int | None


@dataclass(frozen=True)
class RowCleaner:
    """Checks and cleans the rows of one split.

    ``label_needed`` where each must have one; ``drop_incomplete``: a row without it, or without a text, is left out
    and counted, else it is a mistake, whose sentence ends with ``way_out``.
    """

    text_columns: tuple[str, ...]
    label_column: str
    label_needed: bool
    cleaning: Cleaning
    may_be_empty: bool
    drop_incomplete: bool = False
    way_out: str = " or take the row out"

    def clean(
        self, stream: RowStream, rows: Iterable[tuple[int, Row]], report: CleaningReport, mistakes: Mistakes
    ) -> Iterator[CleanRow]:
        """The ``rows`` of ``stream``. What is wrong goes to ``mistakes``, what was mended to ``report``."""
        for position, (number, row) in enumerate(rows):
            place, origin = stream.place(number), Origin(*stream.locate(number), plain=False)
            if self.drop_incomplete and self._is_incomplete(row):
                report.drop("incomplete_rows", origin, " | ".join(str(row.get(name)) for name in self.text_columns))
                continue
            wrong = [_text_sentence(row, column, place) for column in self.text_columns]
            if self.label_needed and self.label_column not in row:
                wrong.append(f"{place}: no column {self.label_column}; every row needs its label (data.label_column).")
            if any(wrong):
                mistakes.add(next(filter(None, wrong)))
                continue
            texts = tuple(self.cleaning.characters(row[column], report, origin) for column in self.text_columns)
            empty = [column for column, text in zip(self.text_columns, texts, strict=True) if not text.strip()]
            if empty and not self.may_be_empty:
                mistakes.add(f"{place}: the text in column {empty[0]} is empty; fill it{self.way_out}.")
                continue
            if self.label_needed and _is_no_label(row[self.label_column]):
                mistakes.add(f"{place}: the label in column {self.label_column} is empty; fill it{self.way_out}.")
                continue
            yield CleanRow(number, position, texts, row.get(self.label_column), _whole_number(row.get("idx")))

    def _is_incomplete(self, row: Row) -> bool:
        texts = [row.get(column) for column in self.text_columns]
        if any(text is None or (isinstance(text, str) and not self._shown(text)) for text in texts):
            return True
        return self.label_needed and _is_no_label(row.get(self.label_column))

    def _shown(self, text: str) -> str:
        """What cleaning leaves of ``text`` besides white space."""
        return self.cleaning.characters(text, CleaningReport(), Origin("", 1, plain=False)).strip()


def gather_pair_rows(
    stream: RowStream, clean: Iterable[CleanRow], *, drop_duplicates: bool, report: CleaningReport
) -> PairRows:
    """All rows of a stream.

    ``idx`` is the column of that name where every row has a whole number there, else the place among the stream's rows
    from 0. With ``drop_duplicates`` a row with texts and label equal to an earlier one's is dropped.
    """
    rows, own_idx, seen = PairRows(stream), [], set()
    for number, position, texts, label, idx in clean:
        if drop_duplicates:
            if (texts, str(label)) in seen:
                origin = Origin(*stream.locate(number), plain=False)
                report.drop("duplicate_lines", origin, " | ".join(texts))
                continue
            seen.add((texts, str(label)))
        rows.texts.append(texts)
        rows.labels.append(label)
        rows.idx.append(position)
        rows.numbers.append(number)
        own_idx.append(idx)
    known = [idx for idx in own_idx if idx is not None]
    if len(known) == len(own_idx):
        rows.idx = known
    return rows


def _text_sentence(row: Row, column: str, place: str) -> str | None:
    if column not in row:
        return f"{place}: no column {column}; every row needs its text (data.text_columns)."
    text = row[column]
    if not isinstance(text, str):
        return f"{place}: column {column} holds {_kind(text)}, not text; write it as a string."
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError as error:
            return f"{place}: column {column} holds half of a surrogate pair at character {error.start}; mend the text."
    return None


def _is_no_label(value: Any) -> bool:
    try:
        return plain_label(value) is None
    except ValueError:  # something else, which has its own sentence
        return False


def _kind(value: Any) -> str:
    return "nothing" if value is None else f"a value of type {type(value).__name__}"


def _whole_number(value: Any) -> int | None:
    if isinstance(value, str) and value.isdecimal() and len(value) < _DIGITS:
        return int(value)
    whole = isinstance(value, int) and not isinstance(value, bool) and abs(value) < 10**_DIGITS
    return value if whole else None
