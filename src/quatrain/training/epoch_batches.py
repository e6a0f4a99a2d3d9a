"""Looking at the batches of an epoch without training on them: how large they are, and some that stand for all."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from quatrain.data.sampler import Key

LOOKED_AT = 200
"""Batches of an epoch whose shapes are read; of a longer one, evenly spaced ones."""


@dataclass(frozen=True)
class Shape:
    """One batch: its keys, its places with the padding, and how many of them are real tokens."""

    keys: list[Key] = field(repr=False)
    positions: int
    tokens: int


@dataclass(frozen=True)
class Shapes:
    """Batches spread evenly over an epoch of ``rows``, the smallest first."""

    rows: Any
    sample: list[Shape]

    @property
    def padding_share(self) -> float:
        """Of all places in the batches."""
        return 1 - sum(shape.tokens for shape in self.sample) / max(1, sum(shape.positions for shape in self.sample))

    @property
    def mean_positions(self) -> float:
        """Places of a batch on average."""
        return sum(shape.positions for shape in self.sample) / max(1, len(self.sample))

    @property
    def mean_tokens(self) -> float:
        """Real tokens of a batch on average."""
        return sum(shape.tokens for shape in self.sample) / max(1, len(self.sample))

    @property
    def largest(self) -> Shape:
        """The batch with the most places: the fullest moment of the memory."""
        return self.sample[-1]

    @property
    def vary(self) -> bool:
        """Whether batches are of different sizes, apart from the epoch's last."""
        return len({shape.positions for shape in self.sample}) > 2

    def spread(self, count: int) -> list[Shape]:
        """Return ``count`` batches from the quantiles of the size, repeated where there are fewer.

        Wherever the list is cut, its beginning covers small and large ones alike.
        """
        parts = [self.sample[int((place + 0.5) / count * len(self.sample))] for place in range(count)]
        return [parts[place] for place in _halving(count)]

    def batch(self, shape: Shape) -> Any:
        """Return the batch of ``shape`` as tensors."""
        from quatrain.data.collate import as_tensors

        return as_tensors(self.rows.__getitems__(shape.keys))


def look(loader: Any, looked_at: int = LOOKED_AT) -> Shapes:
    """Read the shapes of at most ``looked_at`` batches of ``loader``, evenly spaced over its next epoch."""
    rows, sampler = loader.dataset.rows, loader.sampler
    batches = len(loader)
    count = min(batches, looked_at)
    places = sorted({int((number + 0.5) / count * batches) for number in range(count)})
    found = []
    for place in places:
        keys = sampler.keys(sampler.epoch, place)
        arrays = rows.__getitems__(keys)
        size = int(arrays["input_ids"].size)
        found.append(Shape(keys, size, int(arrays["attention_mask"].sum()) if "attention_mask" in arrays else size))
    return Shapes(rows, sorted(found, key=lambda shape: shape.positions))


def look_at_all(loaders: Any) -> list[Shapes]:
    """As `look`, for a data module's one loader or list of loaders; an empty set is left out."""
    listed: Sequence[Any] = loaders if isinstance(loaders, list) else [loaders]
    return [look(loader) for loader in listed if len(loader)]


def _halving(count: int) -> list[int]:
    """The numbers below ``count`` by their reversed bits: 0, the middle, the quarters, ... (van der Corput 1935)."""
    width = max(1, (count - 1).bit_length())
    return sorted(range(count), key=lambda number: int(f"{number:0{width}b}"[::-1], 2))
