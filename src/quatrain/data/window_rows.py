"""Windows over a stream of tokens, by number.

Training window i is tokens [i*stride, i*stride + length) and its target the same one token later, for every start in
``range(0, n - length, stride)``: each window is whole, and so is its target.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from quatrain.core.batches import IGNORED
from quatrain.data.sampler import Key, rows_of
from quatrain.data.token_file import TokenFile

Stream = TokenFile | NDArray[Any]
"""All tokens of a file, which travels to loader workers as its path, or an array in memory."""


class _Windows:
    """Windows over a stream."""

    def __init__(self, stream: Stream) -> None:
        self._stream = stream

    @property
    def tokens(self) -> NDArray[Any]:
        """The stream's tokens."""
        return self._stream.tokens if isinstance(self._stream, TokenFile) else self._stream


class TrainingWindows(_Windows):
    """Whole windows of ``length`` tokens, ``stride`` apart, as `WindowBatch` arrays."""

    def __init__(self, stream: Stream, *, length: int, stride: int) -> None:
        super().__init__(stream)
        self.length, self.stride = length, stride

    def __len__(self) -> int:
        """Count the windows."""
        return len(range(0, len(self.tokens) - self.length, self.stride))

    def __getitems__(self, keys: list[Key]) -> dict[str, NDArray[np.int64]]:
        """Return the windows of ``keys``."""
        _, rows, fillers = rows_of(keys)
        taken = self.tokens[(rows * self.stride)[:, None] + np.arange(self.length + 1)].astype(np.int64)
        target = np.where(fillers[:, None], IGNORED, taken[:, 1:])
        return {"input_ids": taken[:, :-1], "target": target, "example_ids": np.where(fillers, -1 - rows, rows)}


class EvaluationWindows(_Windows):
    """Windows that score every token of the stream but the first exactly once.

    A window of ``length`` tokens moves by min(stride, length) and asks only for targets that no earlier window scored.
    So a small stride gives each token more context: after the first window at least length - stride + 1 tokens.
    The last window may be shorter; in a batch with longer ones it is filled on the right with ``fill``.
    """

    def __init__(self, stream: Stream, *, length: int, stride: int, fill: int) -> None:
        super().__init__(stream)
        self.length, self.step, self.fill = length, min(stride, length), fill

    def __len__(self) -> int:
        """Count the windows."""
        targets = len(self.tokens) - 1
        return 0 if targets < 1 else 1 + max(0, -(-(targets - self.length) // self.step))

    def __getitems__(self, keys: list[Key]) -> dict[str, NDArray[np.int64]]:
        """Return the windows of ``keys``, the longest of them wide."""
        _, rows, fillers = rows_of(keys)
        starts = rows * self.step
        last = len(self.tokens) - 1
        width = int(np.minimum(self.length, last - starts).max(initial=0))
        places = starts[:, None] + np.arange(width + 1)
        inside = places <= last
        taken = np.where(inside, self.tokens[np.minimum(places, last)].astype(np.int64), self.fill)
        scored_before = np.where(rows > 0, starts - self.step + self.length, 0)
        fresh = inside[:, 1:] & (places[:, 1:] > scored_before[:, None]) & ~fillers[:, None]
        target = np.where(fresh, taken[:, 1:], IGNORED)
        return {"input_ids": taken[:, :-1], "target": target, "example_ids": np.where(fillers, -1 - rows, rows)}
