"""Streamed text is what decoding all ids at once gives, in whole characters, for every kind of decoder."""

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quatrain.corpora.verse import poems
from quatrain.inference.whole_characters import HALF, WholeCharacters, common_start
from quatrain.tokenizers.trained import ByteLevelBPE, WordPiece

BYTE_LEVEL = ByteLevelBPE(vocab_size=330).fit(lambda: poems(20, 0)).hf
PIECES = WordPiece(vocab_size=200, special_tokens=["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]).fit(
    lambda: ["we do not say don't, we're off. \"ever\" ! ? 's 've 'm n't", *poems(20, 0)]
)


def _byte_fallback() -> Any:
    """As Llama has it: pieces of words with ▁ for a space, and bytes for what has no piece."""
    from tokenizers import Tokenizer, decoders, models, normalizers
    from transformers import PreTrainedTokenizerFast

    pieces = ["<unk>", "<s>", *(f"<0x{byte:02X}>" for byte in range(256)), "▁", *"abcdelorsv", "▁l", "ov", "▁lov"]
    vocabulary = {piece: place for place, piece in enumerate(pieces)}
    merges = [("▁", "l"), ("o", "v"), ("▁l", "ov")]
    backend = Tokenizer(models.BPE(vocabulary, merges, byte_fallback=True, unk_token="<unk>", fuse_unk=True))
    backend.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    backend.decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)]
    )
    return PreTrainedTokenizerFast(tokenizer_object=backend, unk_token="<unk>", bos_token="<s>")


FALLBACK = _byte_fallback()


def _decoded(hf: Any, ids: Sequence[int]) -> str:
    return str(hf.decode(ids, skip_special_tokens=True, clean_up_tokenization_spaces=False))


def _pieces(hf: Any, ids: Sequence[int], context: Sequence[int] = ()) -> list[str]:
    text = WholeCharacters(hf, context)
    return [*(text.add(one) for one in ids), text.rest()]


@given(text=st.text(max_size=120), before=st.text(max_size=40))
@settings(max_examples=60, deadline=None)
def test_text_comes_back_in_whole_characters(text: str, before: str) -> None:
    for hf in (BYTE_LEVEL, FALLBACK):
        context, ids = (hf(part, add_special_tokens=False)["input_ids"] for part in (before, text))
        pieces = _pieces(hf, ids, context)
        whole = _decoded(hf, [*context, *ids])
        assert "".join(pieces) == whole[len(_decoded(hf, context)) :]
        if HALF not in text:
            assert HALF not in "".join(pieces)


@given(ids=st.lists(st.integers(0, BYTE_LEVEL.vocab_size - 1), max_size=200))
@settings(max_examples=60, deadline=None)
def test_any_ids_of_byte_level_bpe_give_what_decoding_gives(ids: list[int]) -> None:
    """Bytes that are no characters too, and special tokens, which are left out."""
    assert "".join(_pieces(BYTE_LEVEL, ids)) == _decoded(BYTE_LEVEL, ids)


@given(ids=st.lists(st.integers(0, PIECES.vocab_size - 1), max_size=200))
@settings(max_examples=60, deadline=None)
def test_any_ids_of_wordpiece_give_what_decoding_gives(ids: list[int]) -> None:
    assert "".join(_pieces(PIECES.hf, ids)) == _decoded(PIECES.hf, ids)


@pytest.mark.parametrize("text", ["we don't, do not! we're off . ' 's", "it 's n't ' ' x"])
def test_words_that_wordpiece_joins_later_are_told_joined(text: str) -> None:
    ids = PIECES.encode([text])[0].tolist()
    assert "".join(_pieces(PIECES.hf, ids)) == _decoded(PIECES.hf, ids)


def test_a_token_is_told_as_soon_as_it_is_there() -> None:
    ids = BYTE_LEVEL("Shall I compare thee", add_special_tokens=False)["input_ids"]
    text = WholeCharacters(BYTE_LEVEL)
    for place, one in enumerate(ids):
        assert text.add(one) == _decoded(BYTE_LEVEL, [ids[place]])


def test_old_ids_are_forgotten() -> None:
    text = WholeCharacters(FALLBACK)
    ids = FALLBACK("😀 love €" * 300)["input_ids"]
    told = "".join(text.add(one) for one in ids) + text.rest()
    assert told == "😀 love €" * 300
    assert len(text._ids) < 100


def test_common_start_counts_what_two_texts_share() -> None:
    assert [common_start(*pair) for pair in (("", "a"), ("ab", "ab"), ("abc", "abd"), ("ab", "abc"))] == [0, 2, 2, 2]
