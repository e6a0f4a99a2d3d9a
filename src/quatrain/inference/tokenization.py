"""What a tokenizer makes of texts, side by side, and what becomes of them on the way back. Loads no weights."""

from collections.abc import Sequence
from dataclasses import dataclass

from quatrain.core.errors import UserError
from quatrain.inference.target import in_its_own_words
from quatrain.inference.whole_characters import common_start
from quatrain.tokenizers.encoding import without_surrogates
from quatrain.tokenizers.pretrained import Pretrained
from quatrain.tokenizers.tokenizer import Tokenizer

_AROUND = 20
"""Characters that are shown from a difference on."""


@dataclass(frozen=True)
class Tokenized:
    """A text, or a pair of texts, as a model gets it.

    ``tokens``, ``ids``, ``types`` (of which text a token is, by the tokenizer's own template) and ``mask`` (0 for
    padding) are of one length. ``cut``: tokens that ``max_length`` left out. ``returned``: of each of ``texts`` what
    its ids alone, uncut and without added special tokens, decode to.
    """

    texts: tuple[str, ...]
    tokens: list[str]
    ids: list[int]
    types: list[int]
    mask: list[int]
    cut: int
    returned: tuple[str, ...]

    @property
    def differences(self) -> list[str]:
        """A sentence for each text that does not come back as it was."""
        pairs = zip(self.texts, self.returned, strict=True)
        return [_difference(text, returned) for text, returned in pairs if text != returned]


@in_its_own_words
def load_tokenizer(given: str) -> Tokenizer:
    """The tokenizer of a run, an export, any folder with a tokenizer's files, or a hub name; no model is needed.

    Raises:
        UserError: there is none, or it cannot be used.
        NotNow: the hub does not give it.
    """
    return Pretrained(source=given).fit()


def tokenize_texts(
    tokenizer: Tokenizer, texts: Sequence[str], *, pairs: Sequence[str] | None = None, max_length: int | None = None
) -> list[Tokenized]:
    """Encode ``texts``, each with the one of ``pairs`` that belongs to it, all padded to one length.

    Special tokens written in a text are read as such. ``max_length``: of the longer text of a pair tokens are left out
    at its end until all have room, as for training.

    Raises:
        UserError: ``max_length`` has no room for text, or there is no padding token for texts of several lengths.
    """
    hf = tokenizer.hf
    added = hf.num_special_tokens_to_add(pair=pairs is not None)
    if max_length is not None and max_length <= added:
        raise UserError(
            f"max_length={max_length} leaves no room for text, for the tokenizer adds {added} special tokens; take at"
            f" least {added + 1}."
        )
    clean = [list(map(without_surrogates, column)) for column in (texts, *([pairs] if pairs is not None else []))]
    alone = [hf(column, add_special_tokens=False, verbose=False)["input_ids"] for column in clean]
    whole = [added + sum(map(len, ids)) for ids in zip(*alone, strict=True)]
    kept = [length if max_length is None else min(length, max_length) for length in whole]
    if hf.pad_token is None and len(set(kept)) > 1:
        raise UserError(
            "This tokenizer has no padding token, and texts of several lengths cannot stand side by side without one;"
            " give one text at a time."
        )
    encoded = hf(
        *clean,
        padding=hf.pad_token is not None,
        truncation=max_length is not None,
        max_length=max_length,
        return_token_type_ids=True,
        return_attention_mask=True,
        verbose=False,
    )
    return [
        Tokenized(
            texts=of_row,
            tokens=hf.convert_ids_to_tokens(encoded["input_ids"][row]),
            ids=encoded["input_ids"][row],
            types=encoded["token_type_ids"][row],
            mask=encoded["attention_mask"][row],
            cut=whole[row] - kept[row],
            returned=tuple(tokenizer.decode(column[row]) for column in alone),
        )
        for row, of_row in enumerate(zip(*clean, strict=True))
    ]


def _difference(text: str, returned: str) -> str:
    at = common_start(text, returned)
    was, became = (_head(shown[at:]) for shown in (text, returned))
    if not was:
        return f"after its end {became!r} is added"
    return f"from character {at + 1} on {was!r} " + (f"became {became!r}" if became else "is lost")


def _head(text: str) -> str:
    return text if len(text) <= _AROUND else f"{text[:_AROUND]}…"
