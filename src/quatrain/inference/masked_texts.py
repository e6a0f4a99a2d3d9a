"""Texts with masks to be filled: written in either convention, encoded as the model takes them, or refused."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from quatrain.core.errors import UserError
from quatrain.tokenizers.encoding import without_surrogates

if TYPE_CHECKING:
    from quatrain.inference.loading import Loaded

MASKS = ("<mask>", "[MASK]")
"""The mask tokens of the two conventions."""

_EXAMPLE = ("Shall", "I", "compare", "thee", "to", "a", "summer's", "day")
_SHOWN_WORDS = 12


@dataclass(frozen=True)
class MaskedText:
    """An encoded text: ``inputs`` of the model by name, all of one length, and the places of its masks."""

    inputs: dict[str, list[int]]
    masks: list[int]

    @property
    def ids(self) -> list[int]:
        """The text's ids, special tokens included."""
        return self.inputs["input_ids"]


def encode_masked(loaded: "Loaded", text: str, name: str) -> MaskedText:
    """Encode ``text``, called ``name`` where it is refused.

    Raises:
        UserError: it has no mask, or more tokens than the model has positions.
    """
    hf = loaded.tokenizer.hf
    inputs = dict(hf(own_convention(without_surrogates(text), hf), verbose=False))
    ids = inputs["input_ids"]
    masks = [place for place, one in enumerate(ids) if one == loaded.tokenizer.mask_id]
    if not masks:
        raise UserError(f"{name} has no mask; write {hf.mask_token} for a word to be guessed: {_example(text, hf)}")
    if loaded.longest is not None and len(ids) > loaded.longest:
        raise UserError(
            f"{name} has {len(ids)} tokens, special ones included, and {loaded.target.given} positions for"
            f" {loaded.longest}; shorten it."
        )
    return MaskedText(inputs, masks)


def check_texts(loaded: "Loaded", texts: Sequence[str]) -> None:
    """Refuse ``texts`` before any is filled.

    Raises:
        UserError: one sentence for each that has no mask or is too long.
    """
    wrong = []
    for number, text in enumerate(texts, start=1):
        try:
            encode_masked(loaded, text, f"text {number}" if len(texts) > 1 else "The text")
        except UserError as error:
            wrong += error.sentences
    if wrong:
        raise UserError(wrong)


def own_convention(text: str, hf: Any) -> str:
    """``text`` with the other convention's mask token written as that of ``hf``, unless it has that for something."""
    for mask in MASKS:
        if hf.backend_tokenizer.token_to_id(mask) is None:
            text = text.replace(mask, str(hf.mask_token))
    return text


def _example(text: str, hf: Any) -> str:
    """The user's own words, one of them masked."""
    words = text.split()[:_SHOWN_WORDS]
    words = list(_EXAMPLE) if len(words) < 2 else words
    words[min(2, len(words) - 1)] = str(hf.mask_token)
    return f'"{" ".join(words)}"'
