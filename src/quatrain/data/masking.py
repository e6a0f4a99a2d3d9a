"""Hiding tokens for a masked language model (Devlin et al., "BERT", 2019, section 3.1).

Whether and how a token is hidden is a hash of (seed, epoch, example, position): the same in any batch, on any rank.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from quatrain.core.batches import IGNORED
from quatrain.data.collate import Layout, Tokens
from quatrain.data.counter_hash import Words, begun_key, below, mix, words

MaskRule = Literal["80_10_10", "always"]
MaskLabels = Literal["masked", "all"]

_CHOOSE, _TREAT, _REPLACE = 2, 3, 4  # one independent stream of random numbers for each question
_MASKED, _REPLACED = below(0.8), below(0.9)  # below: the mask token; between: a random token; above: left as it is


@dataclass(frozen=True)
class Masking:
    """How tokens are hidden.

    ``probability``: chance of each token (each whole word) to be asked for. ``rule``: ``80_10_10`` puts the mask token
    in 80 % of the places asked for, a random token in 10 % and leaves 10 %; ``always`` puts the mask token.
    ``special`` [vocab] bool: ids never hidden and never drawn. ``word_starts`` [vocab] bool, where given, makes whole
    words the unit: all tokens from a start to before the next. ``labels``: ``masked`` asks for hidden places only,
    ``all`` gives the unmasked id at every place that holds no special token.
    """

    probability: float
    rule: MaskRule
    mask_id: int
    special: NDArray[np.bool_]
    word_starts: NDArray[np.bool_] | None = None
    labels: MaskLabels = "masked"
    seed: int = 0

    def __call__(self, ids: Tokens, layout: Layout, *, epochs: Tokens, examples: Tokens) -> tuple[Tokens, Tokens]:
        """Return masked ids and labels, both [tokens].

        ``ids``: [tokens], the examples one after another as ``layout`` says. ``epochs``, ``examples``: [batch].
        """
        rows, places = layout.rows, mix(words(np.arange(layout.longest)))
        keys = [mix(words(part)) for part in (epochs, examples)]
        maskable = ~self.special[ids]
        chosen = maskable & (self._hash(_CHOOSE, keys, rows, places[self._units(ids, maskable, layout)]) < self._chance)
        asked = np.flatnonzero(chosen)
        result = ids.copy()
        if self.rule == "always":
            result[asked] = self.mask_id
        else:
            treatment = self._hash(_TREAT, keys, rows[asked], places[layout.positions[asked]])
            result[asked[treatment < _MASKED]] = self.mask_id
            replaced = asked[(treatment >= _MASKED) & (treatment < _REPLACED)]
            drawn = self._hash(_REPLACE, keys, rows[replaced], places[layout.positions[replaced]])
            result[replaced] = self._ordinary[(drawn % np.uint64(len(self._ordinary))).astype(np.int64)]
        return result, np.where(maskable if self.labels == "all" else chosen, ids, IGNORED)

    @cached_property
    def _chance(self) -> np.uint64:
        return below(self.probability)

    @cached_property
    def _ordinary(self) -> Tokens:
        return np.flatnonzero(~self.special)

    @cached_property
    def _streams(self) -> dict[int, Words]:
        """The beginning of the key of each stream: what no example changes."""
        return {stream: begun_key(4, stream, self.seed) for stream in (_CHOOSE, _TREAT, _REPLACE)}

    def _units(self, ids: Tokens, maskable: NDArray[np.bool_], layout: Layout) -> Tokens:
        """The position [tokens] whose random number decides: its own, or that of its word's first token."""
        if self.word_starts is None:
            return layout.positions
        starts = ~maskable | self.word_starts[ids] | (layout.positions == 0)
        starts[1:] |= ~maskable[:-1]
        first = np.maximum.accumulate(np.where(starts, np.arange(len(ids)), 0))
        return layout.positions[first]

    def _hash(self, stream: int, keys: list[Words], rows: Tokens, places: Words) -> Words:
        """Hash (stream, seed, epoch, example), whose last two are mixed in ``keys``, with mixed positions [tokens]."""
        key = self._streams[stream]
        for part in keys:
            key = mix(key ^ part)
        return mix(key[rows] ^ places)
