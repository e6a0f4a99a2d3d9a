"""Encoded rows of one text or two: the files that keep them, and batches out of these."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from quatrain.core.batches import IGNORED
from quatrain.data.collate import Layout
from quatrain.data.pair_encoding import PairEncoder
from quatrain.data.sampler import Key, rows_of
from quatrain.data.token_file import TokenFile, TokenWriter, token_dtype

ROWS_AT_ONCE = 1000
_UNLABELLED = -1


class PairRows:
    """Encoded rows, padded by the batch, as `PairBatch` arrays."""

    def __init__(self, folder: Path, split: str, *, regression: bool, fill: int) -> None:
        self.fill = fill
        self.file = TokenFile(folder, split)
        self.types = TokenFile(folder, f"{split}.types") if (folder / f"{split}.types.json").exists() else None
        labels = np.load(folder / f"{split}.labels.npy")
        self.labels: NDArray[Any] = labels.astype(np.float32 if regression else np.int64)
        self.ignored = np.nan if regression else IGNORED
        self.labels[labels == _UNLABELLED] = self.ignored

    def majority_share(self) -> float | None:
        """The largest class's share of the labelled rows: what always guessing it scores; None for scores."""
        if self.labels.dtype == np.float32 or not (known := self.labels[self.labels != IGNORED]).size:
            return None
        return float(np.bincount(known).max() / known.size)

    def class_counts(self, classes: int) -> list[int]:
        """How many labelled rows each of ``classes`` has; not for scores."""
        return [int(count) for count in np.bincount(self.labels[self.labels != IGNORED], minlength=classes)]

    def __len__(self) -> int:
        """Count the rows."""
        return len(self.file)

    def lengths(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the number of tokens of each of ``rows``."""
        return self.file.lengths(rows)

    def __getitems__(self, keys: list[Key]) -> dict[str, NDArray[Any]]:
        """Return the rows of ``keys``, padded to the longest."""
        _, rows, fillers = rows_of(keys)
        flat, lengths = self.file.gather(rows)
        layout = Layout(lengths)
        batch = {"input_ids": layout.padded(flat, self.fill), "attention_mask": layout.attention_mask()}
        if self.types is not None:
            batch["token_type_ids"] = layout.padded(self.types.gather(rows)[0], 0)
        labels = self.labels[rows]
        labels[fillers] = self.ignored
        return {**batch, "labels": labels, "example_ids": np.where(fillers, -1 - rows, rows)}


def write_pair_rows(mapped: Any, split: str, encoder: PairEncoder, folder: Path) -> dict[str, Any]:
    """Move a mapped data set into our files in ``folder``, some rows at a time.

    Returns the number of examples and tokens, and the share of the examples that were truncated.
    """
    truncated = 0
    with TokenWriter(folder, split, token_dtype(encoder.tokenizer.vocab_size)) as writer:
        for batch in mapped.iter(ROWS_AT_ONCE):
            writer.append(batch["input_ids"])
            truncated += int(np.sum(batch["truncated"]))
    if encoder.token_types:
        with TokenWriter(folder, f"{split}.types", np.dtype(np.uint8)) as types:
            for batch in mapped.iter(ROWS_AT_ONCE):
                types.append(batch["token_type_ids"])
    np.save(folder / f"{split}.labels.npy", np.asarray(mapped["label"]))
    return {"examples": writer.rows, "tokens": writer.tokens, "truncated": truncated / max(1, writer.rows)}
