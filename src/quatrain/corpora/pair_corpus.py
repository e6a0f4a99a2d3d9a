"""What loading sentence pairs gives: rows by split, and what their labels mean."""

import hashlib
from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

from quatrain.corpora.cleaning import CleaningReport

if TYPE_CHECKING:
    from datasets import Dataset

TEXTS = ("text_a", "text_b")


class PairCorpus:
    """Labelled rows of one text or two, by split.

    ``columns``: split -> column -> values; the columns are ``text_a``, ``text_b`` (only where there are two), ``label``
    (class number or score; -1 in a test split is unlabelled) and ``idx``, the row's number in its source.
    ``label_names``: classes by number; None is a regression. ``report``: what cleaning changed and dropped.
    """

    def __init__(
        self,
        *,
        name: str,
        columns: Mapping[str, Mapping[str, list[Any]]],
        label_names: tuple[str, ...] | None,
        report: CleaningReport,
    ) -> None:
        self.name, self.columns, self.label_names, self.report = name, columns, label_names, report

    @property
    def text_columns(self) -> tuple[str, ...]:
        """``text_a``, and ``text_b`` where there are two."""
        return tuple(column for column in TEXTS if column in next(iter(self.columns.values())))

    @cached_property
    def splits(self) -> "dict[str, Dataset]":
        """The same rows as data sets in memory; their fingerprints are equal in every process."""
        import pyarrow as pa
        from datasets import Dataset
        from datasets.table import InMemoryTable

        label = pa.float64() if self.label_names is None else pa.int64()
        types = {**dict.fromkeys(self.text_columns, pa.string()), "label": label, "idx": pa.int64()}
        schema = pa.schema(list(types.items()))
        return {
            split: Dataset(
                InMemoryTable.from_pydict(dict(columns), schema=schema),
                fingerprint=hashlib.sha256(f"{self.fingerprint} {split}".encode()).hexdigest()[:16],
            )
            for split, columns in self.columns.items()
        }

    @cached_property
    def fingerprint(self) -> str:
        """sha256 over the names of the labels and every value of every split, after cleaning and dealing.

        So the recipe (source, cleaning, shares, seed) counts by what it brought about, and equal rows have equal
        fingerprints however they were come by.
        """
        digest = hashlib.sha256(repr(self.label_names).encode())
        for split, columns in self.columns.items():
            for column, values in columns.items():
                digest.update(f"\n{split} {column} {len(values)}\n".encode())
                for value in values:
                    data = value.encode() if isinstance(value, str) else repr(value).encode()
                    digest.update(b"%d:" % len(data) + data)
        return digest.hexdigest()
