"""Rows of token ids in a file: written as they come, read through the page cache.

``NAME.tokens`` holds the ids of all rows one after another (uint16 where the vocabulary allows, else uint32),
``NAME.offsets`` where each row begins and the last one ends (int64), ``NAME.json`` the type. The rows together are also
one stream.
"""

import json
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
from numpy.typing import NDArray


def token_dtype(vocab_size: int) -> np.dtype[Any]:
    """Return the smallest type that holds every id below ``vocab_size``."""
    return np.dtype(np.uint16 if vocab_size <= 1 << 16 else np.uint32)


class TokenWriter:
    """Writes rows to ``folder/name.*``; a context manager. Memory does not depend on how much is written."""

    def __init__(self, folder: Path, name: str, dtype: np.dtype[Any]) -> None:
        self._description = folder / f"{name}.json"
        self._tokens = (folder / f"{name}.tokens").open("wb")
        self._offsets = (folder / f"{name}.offsets").open("wb")
        self._offsets.write(np.zeros(1, dtype=np.int64).tobytes())
        self._dtype = dtype
        self.tokens = 0
        self.rows = 0

    def append(self, rows: Iterable[NDArray[Any]]) -> None:
        """Write further rows, each a one-dimensional array of ids."""
        kept = list(rows)
        if not kept:
            return
        ends = self.tokens + np.cumsum([len(row) for row in kept], dtype=np.int64)
        self._tokens.write(np.concatenate(kept).astype(self._dtype, copy=False).tobytes())
        self._offsets.write(ends.tobytes())
        self.tokens = int(ends[-1])
        self.rows += len(kept)

    def __enter__(self) -> "TokenWriter":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._tokens.close()
        self._offsets.close()
        if kind is None:
            described = {"dtype": self._dtype.name, "tokens": self.tokens, "rows": self.rows}
            self._description.write_text(json.dumps(described), encoding="utf-8")


class TokenFile:
    """Rows that a `TokenWriter` wrote, mapped into memory. Travels to loader workers as a path, not as its content."""

    def __init__(self, folder: Path, name: str) -> None:
        self._place = (folder, name)
        described = json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))
        dtype = np.dtype(described["dtype"])
        self.tokens: NDArray[Any] = (
            np.memmap(folder / f"{name}.tokens", dtype=dtype, mode="r")
            if described["tokens"]
            else np.zeros(0, dtype=dtype)  # an empty file cannot be mapped
        )
        self._offsets: NDArray[np.int64] = np.memmap(folder / f"{name}.offsets", dtype=np.int64, mode="r")

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), self._place

    def __len__(self) -> int:
        """Count the rows."""
        return len(self._offsets) - 1

    def lengths(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the number of tokens of each of ``rows``."""
        return np.asarray(self._offsets[rows + 1] - self._offsets[rows])

    def gather(self, rows: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return the tokens of ``rows`` one after another (int64) and the length of each row."""
        lengths = self.lengths(rows)
        ends = np.cumsum(lengths)
        starts = np.asarray(self._offsets[rows])
        places = np.arange(ends[-1] if len(ends) else 0) + np.repeat(starts - (ends - lengths), lengths)
        return self.tokens[places].astype(np.int64), lengths
