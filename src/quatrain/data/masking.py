"""Hiding tokens for a masked language model (Devlin et al., "BERT", 2019, section 3.1).

Whether and how a token is hidden is a hash of (seed, epoch, example, position): the same in any batch, on any rank.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from quatrain.core.batches import IGNORED
from quatrain.data.counter_hash import Words, key_of, mix, uniform, words

MaskRule = Literal["80_10_10", "always"]
MaskLabels = Literal["masked", "all"]

_CHOOSE, _TREAT, _REPLACE = 2, 3, 4  # one independent stream of random numbers for each question
_MASKED, _REPLACED = 0.8, 0.9  # below: the mask token; between: a random token; above: left as it is


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

    def __call__(
        self,
        input_ids: NDArray[np.int64],
        attention_mask: NDArray[np.int64],
        *,
        epochs: NDArray[np.int64],
        examples: NDArray[np.int64],
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return masked ids and labels, both [batch, seq].

        ``input_ids``, ``attention_mask``: [batch, seq]. ``epochs``, ``examples``: [batch]. Padding is never hidden.
        """
        maskable = (attention_mask == 1) & ~self.special[input_ids]
        chosen = maskable & (self._draw(_CHOOSE, epochs, examples, self._units(input_ids, maskable)) < self.probability)
        positions = np.broadcast_to(np.arange(input_ids.shape[1]), input_ids.shape)
        masked, replaced = chosen, np.zeros_like(chosen)
        if self.rule == "80_10_10":
            treatment = self._draw(_TREAT, epochs, examples, positions)
            masked = chosen & (treatment < _MASKED)
            replaced = chosen & (treatment >= _MASKED) & (treatment < _REPLACED)
        result = np.where(masked, self.mask_id, input_ids)
        if replaced.any():
            ordinary = np.flatnonzero(~self.special)
            hashed = self._hash(_REPLACE, epochs, examples, positions)[replaced]
            result[replaced] = ordinary[(hashed % np.uint64(len(ordinary))).astype(np.int64)]
        asked = maskable if self.labels == "all" else chosen
        return result, np.where(asked, input_ids, IGNORED)

    def _units(self, input_ids: NDArray[np.int64], maskable: NDArray[np.bool_]) -> NDArray[np.int64]:
        """The position [batch, seq] whose random number decides: its own, or that of its word's first token."""
        positions = np.broadcast_to(np.arange(input_ids.shape[1], dtype=np.int64), input_ids.shape)
        if self.word_starts is None:
            return positions
        after_special = np.ones_like(maskable)
        after_special[:, 1:] = ~maskable[:, :-1]
        starts = ~maskable | after_special | self.word_starts[input_ids]
        return np.maximum.accumulate(np.where(starts, positions, 0), axis=1)

    def _hash(
        self, stream: int, epochs: NDArray[np.int64], examples: NDArray[np.int64], positions: NDArray[np.int64]
    ) -> Words:
        rows = key_of(stream, self.seed, epochs, examples)
        return mix(rows[:, None] ^ mix(words(positions)))

    def _draw(
        self, stream: int, epochs: NDArray[np.int64], examples: NDArray[np.int64], positions: NDArray[np.int64]
    ) -> NDArray[np.float64]:
        return uniform(self._hash(stream, epochs, examples, positions))
