"""Text datasets of the Hugging Face hub, at a pinned commit."""

from collections.abc import Iterator
from itertools import chain
from typing import Any

from quatrain.core.errors import NotNow, UserError
from quatrain.corpora.cleaning import Origin
from quatrain.corpora.file_contents import WHOLE, Stretch
from quatrain.corpora.files import SPLITS, split_of
from quatrain.corpora.hub import hub_source, resolve_commit
from quatrain.corpora.records import missing_column, text_value
from quatrain.corpora.sources import RawText, digest


class HubSource:
    """One dataset, ``hub:OWNER/NAME`` or ``hub:OWNER/NAME:CONFIG``, whose texts stand in one column.

    The commit is asked for at once, the data when they are first read; they lie in the library's own cache and are read
    from there by memory map. The dataset must have a train split; what it has but train, validation and test is left.

    Raises:
        UserError: no such dataset, config, revision or column, no train split, or the hub cannot be reached.
    """

    def __init__(self, source: str, text_column: str, revision: str | None, key: str) -> None:
        self._dataset, self._config = hub_source(source)
        self._column = text_column
        self._key = key
        self.name = self._dataset.rpartition("/")[2]
        self.commit = resolve_commit(self._dataset, "dataset", revision, key)
        self._loaded: dict[str, Any] | None = None

    @property
    def splits(self) -> tuple[str, ...]:
        """Train and those of validation and test that are there."""
        return tuple(split for split in SPLITS if split in self._data())

    def texts(self) -> Iterator[RawText]:
        """The rows; the line of an origin is the row's number."""
        return chain.from_iterable(self.texts_of(split) for split in self.splits)

    def count(self, split: str) -> int:
        """The rows of a split."""
        return len(self._data()[split])

    def texts_of(self, split: str, stretch: Stretch = WHOLE) -> Iterator[RawText]:
        """The rows of one split, or a stretch of them."""
        rows = self._data()[split]
        if self._column not in rows.column_names:
            raise UserError(missing_column(f"hub:{self._dataset}", self._column, rows.column_names))
        where = f"hub:{self._dataset} ({split})"
        chosen = rows.select_columns([self._column]).select(range(stretch.start, min(stretch.stop, len(rows))))
        for number, row in enumerate(chosen, stretch.start + 1):
            text = text_value(row[self._column], f"{where}, row {number}", self._column)
            yield RawText((text,), Origin(where, number, plain=False), split)

    def fingerprint(self) -> str:
        """Over the dataset's name, config, commit and column."""
        return digest("hub", self._dataset, str(self._config), self.commit, self._column)

    def _data(self) -> dict[str, Any]:
        if self._loaded is None:
            self._loaded = self._load()
        return self._loaded

    def _load(self) -> dict[str, Any]:
        import datasets

        try:
            loaded: dict[str, Any] = dict(datasets.load_dataset(self._dataset, self._config, revision=self.commit))
        except (ValueError, datasets.exceptions.DatasetsError) as error:
            first = str(error).strip().split("\n")[0]
            raise UserError(f"{self._key}=hub:{self._dataset} cannot be loaded: {first}") from error
        except (OSError, ImportError) as error:
            raise NotNow(
                f"{self._key}=hub:{self._dataset} cannot be fetched ({type(error).__name__}: {error}); "
                f"try again, or name a local copy with {self._key}=FILE."
            ) from error
        named = {split_of(f"{split}.") or split: rows for split, rows in loaded.items()}
        if "train" not in named:
            raise UserError(
                f"{self._key}=hub:{self._dataset} has no split train but {', '.join(loaded)}; name another dataset, "
                f"or keep what is to be trained on as a file and name that with {self._key}=FILE."
            )
        return {**named, **loaded}
