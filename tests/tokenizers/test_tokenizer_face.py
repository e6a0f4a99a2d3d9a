"""The face of every tokenizer: special strings in text, wrapping, words, saving, long texts."""

import pickle
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quatrain.core.errors import UserError
from quatrain.tokenizers.byte_level import begins_word, from_bytes
from quatrain.tokenizers.cutting import cut
from quatrain.tokenizers.pretrained import Pretrained
from quatrain.tokenizers.tokenizer import Tokenizer
from quatrain.tokenizers.trained import ByteLevelBPE, WordPiece

from transformers import AutoTokenizer, PreTrainedTokenizerFast  # isort: skip

NAMES = ["bpe", "gpt2_like", "wordpiece"]


@pytest.fixture(params=NAMES)
def tokenizer(request: pytest.FixtureRequest) -> Tokenizer:
    return request.getfixturevalue(request.param)


def test_encode_gives_int32_arrays_without_added_tokens(tokenizer: Tokenizer) -> None:
    texts = ["the sea", "", "a ship"]
    arrays = tokenizer.encode(texts)
    assert [array.dtype for array in arrays] == [np.int32] * 3
    assert [array.tolist() for array in arrays] == [
        tokenizer.hf(text, add_special_tokens=False)["input_ids"] for text in texts
    ]
    assert tokenizer.encode([]) == []


def test_special_strings_are_ordinary_text(tokenizer: Tokenizer) -> None:
    """Only end of text is allowed, and only GPT-2's kind has it."""
    strings = sorted(tokenizer.special_strings - {"<|endoftext|>"})
    arrays = tokenizer.encode([*strings, *(f"sea {string} sky{string}" for string in strings)])
    hidden = tokenizer.special_ids - {tokenizer.unk_id}
    assert not any(hidden & set(array.tolist()) for array in arrays)


def test_end_of_text_becomes_its_one_id(gpt2_like: Tokenizer) -> None:
    sea, sky = (array.tolist() for array in gpt2_like.encode(["sea", " sky"]))
    assert gpt2_like.encode(["sea<|endoftext|> sky<|endoftext|>"])[0].tolist() == [*sea, 0, *sky, 0]


def test_allowed_strings_become_their_id_and_others_do_not(bpe: Tokenizer) -> None:
    masks = Tokenizer(bpe.hf, allowed_special=["<mask>"])
    (sea, pads, sky) = (array.tolist() for array in masks.encode(["sea", "<pad>", " sky"]))
    assert len(pads) > 1
    assert masks.encode(["sea<mask><pad>"])[0].tolist() == [*sea, 4, *pads]
    # RoBERTa's mask takes the space on its left
    assert masks.encode(["sea <mask> sky"])[0].tolist() == [*sea, 4, *sky]
    assert Tokenizer(bpe.hf, allowed_special="all").encode(["<s><pad>"])[0].tolist() == [0, 1]
    assert Tokenizer(bpe.hf, allowed_special=[]).encode(["<mask>"])[0].tolist() != [4]
    assert masks.fingerprint != bpe.fingerprint


def test_an_allowed_string_that_is_no_special_token_is_told(bpe: Tokenizer) -> None:
    with pytest.raises(UserError, match=r"tokenizer.allowed_special names '<nask>', which is no special token"):
        Tokenizer(bpe.hf, allowed_special=["<nask>"])


def test_encoding_leaves_the_transformers_tokenizer_as_it_is(bpe: Tokenizer) -> None:
    """Pipelines such as fill-mask need their special strings."""
    bpe.encode(["<mask>"])
    assert bpe.hf("sea<mask>")["input_ids"][-2:] == [4, 2]


def test_wrap_is_the_models_convention(bpe: Tokenizer, gpt2_like: Tokenizer, wordpiece: Tokenizer) -> None:
    assert bpe.wrap() == ([0], [2])
    assert bpe.wrap_pair() == ([0], [2, 2], [2])
    assert wordpiece.wrap() == ([2], [3])
    assert wordpiece.wrap_pair() == ([2], [3], [3])
    assert gpt2_like.wrap() == ([], [])


def test_wrapped_encoding_is_that_of_transformers(tokenizer: Tokenizer) -> None:
    before, after = tokenizer.wrap()
    (ids,) = tokenizer.encode(["the sea sings"])
    assert [*before, *ids.tolist(), *after] == tokenizer.hf("the sea sings")["input_ids"]


def test_words_begin_where_a_reader_sees_it(bpe: Tokenizer, wordpiece: Tokenizer) -> None:
    def words(tokenizer: Tokenizer, text: str) -> list[str]:
        (ids,) = tokenizer.encode([text])
        starts = np.flatnonzero(tokenizer.word_starts()[ids])
        return [tokenizer.decode(part).strip() for part in np.split(ids, starts) if len(part)]

    assert words(bpe, " the sailor's day; sky") == ["the", "sailor's", "day", ";", "sky"]
    assert words(wordpiece, "the sailor day; sky") == ["the", "sailor", "day", ";", "sky"]
    assert words(bpe, " Ünder\nsea") == ["Ünder", "sea"]
    assert bpe.word_starts().shape == (bpe.vocab_size,)
    assert bpe.word_starts()[sorted(bpe.special_ids)].all()


@pytest.mark.parametrize(
    ("piece", "begins"),
    [
        (" sea", True),
        ("sea", False),
        (";", True),
        ("'s", False),
        ("\u2014", True),
        ("\u201csea", True),
        ("\u201d", True),
        ("\u2019s", False),
        ("\u00e9t\u00e9", False),
        ("\u0301", False),
        ("\u00a0", True),
        ("\u00bf", True),
        ("\U0001f30a", True),
        ("\u4e2d", False),
    ],
)
def test_punctuation_of_any_script_begins_a_word(piece: str, begins: bool) -> None:
    assert begins_word(from_bytes(piece.encode())) is begins


def test_a_part_of_a_character_continues_its_word() -> None:
    dash = "\u2014".encode()
    assert [begins_word(from_bytes(part)) for part in (dash[:2], dash[1:], dash + dash[:1])] == [False, False, True]


def test_a_saved_tokenizer_is_loaded_to_the_same_class_and_ids(tokenizer: Tokenizer, tmp_path: Path) -> None:
    tokenizer.save(tmp_path)
    names = {file.name for file in tmp_path.iterdir()}
    own = {"vocab.txt"} if tokenizer.wrap_pair()[1] == [3] else {"vocab.json", "merges.txt"}
    assert names == {"tokenizer.json", "tokenizer_config.json"} | own
    loaded = AutoTokenizer.from_pretrained(tmp_path)
    assert type(loaded) is type(tokenizer.hf)
    assert Tokenizer(loaded).fingerprint == tokenizer.fingerprint
    text = "the <mask> Sea's [MASK] ü 3"
    assert loaded(text)["input_ids"] == tokenizer.hf(text)["input_ids"]
    assert Pretrained(source=str(tmp_path)).fit().fingerprint == tokenizer.fingerprint


def test_saving_again_replaces_the_files_and_keeps_others(tokenizer: Tokenizer, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}", encoding="utf-8")
    (tmp_path / "tokenizer.json").write_text("old", encoding="utf-8")
    tokenizer.save(tmp_path)
    assert (tmp_path / "config.json").read_text(encoding="utf-8") == "{}"
    assert not [file for file in tmp_path.iterdir() if file.is_dir()]
    assert Tokenizer(AutoTokenizer.from_pretrained(tmp_path)).fingerprint == tokenizer.fingerprint


def test_a_tokenizer_crosses_processes(tokenizer: Tokenizer) -> None:
    copy = pickle.loads(pickle.dumps(tokenizer))
    text = "the <mask> [MASK] <|endoftext|> sea"
    assert copy.encode([text])[0].tolist() == tokenizer.encode([text])[0].tolist()
    assert copy.fingerprint == tokenizer.fingerprint


def test_padding_and_truncation_of_a_file_do_not_reach_the_ids(tokenizer: Tokenizer, tmp_path: Path) -> None:
    tokenizer.save(tmp_path)
    loaded = AutoTokenizer.from_pretrained(tmp_path)
    loaded.backend_tokenizer.enable_truncation(2)
    loaded.backend_tokenizer.enable_padding(length=9)
    text = "the sea sings back"
    assert Tokenizer(loaded).encode([text])[0].tolist() == tokenizer.encode([text])[0].tolist()


def test_lone_surrogates_are_replaced(bpe: Tokenizer) -> None:
    (ids,) = bpe.encode(["sea \ud800 sky"])
    assert bpe.decode(ids) == "sea \ufffd sky"


@settings(max_examples=50, deadline=None)
@given(st.text(alphabet="ab1 .\n'\u00e9", max_size=200), st.integers(1, 20))
def test_pieces_of_a_text_make_up_the_text(text: str, size: int) -> None:
    pieces = list(cut(text, size))
    assert "".join(pieces) == text
    assert all(len(piece) >= size for piece in pieces[:-1])
    assert pieces == [text] or all(pieces)


@settings(max_examples=50, deadline=None)
@given(text=st.text(alphabet="abst1 .\n'\u00e9<|>", max_size=120), size=st.integers(1, 9))
@pytest.mark.parametrize("name", NAMES)
def test_no_token_crosses_a_cut(request: pytest.FixtureRequest, name: str, text: str, size: int) -> None:
    tokenizer = request.getfixturevalue(name)
    pieces = list(cut(text, size))
    assert np.concatenate(tokenizer.encode(pieces)).tolist() == tokenizer.encode([text])[0].tolist()


def test_a_long_text_is_cut_and_put_together(tokenizer: Tokenizer) -> None:
    text = "the tall ship sails; A sailor's sea.\n" * 12_000
    whole = tokenizer.hf.backend_tokenizer.encode(text, add_special_tokens=False).ids
    long, short = tokenizer.encode([text, "sea"])
    assert np.array_equal(long, whole)
    assert short.tolist() == tokenizer.encode(["sea"])[0].tolist()


def test_masked_language_modelling_needs_a_mask_token(bpe: Tokenizer, gpt2_like: Tokenizer) -> None:
    assert bpe.check_mask_token() == []
    (sentence,) = gpt2_like.check_mask_token()
    assert sentence.startswith("tokenizer.source names a tokenizer without a mask token")


@pytest.fixture(scope="module")
def unigram() -> Tokenizer:
    """A model that would find its own special pieces in text, without padding or end of text."""
    from tokenizers import Tokenizer as Backend
    from tokenizers import models, pre_tokenizers

    pieces = [("<unk>", 0.0), ("<s>", 0.0), *((character, -3.0) for character in "▁<s>ea"), ("▁sea", -2.0)]
    backend = Backend(models.Unigram(pieces, unk_id=0))
    backend.pre_tokenizer = pre_tokenizers.Metaspace()
    backend.add_special_tokens(["<unk>", "<s>"])
    return Tokenizer(PreTrainedTokenizerFast(tokenizer_object=backend, unk_token="<unk>", bos_token="<s>"))


def test_a_unigram_model_does_not_find_special_pieces_in_text(unigram: Tokenizer) -> None:
    (ids,) = unigram.encode(["sea<s>sea"])
    assert unigram.hf.convert_ids_to_tokens(ids) == ["▁sea", "<", "s", ">", "s", "e", "a"]


def test_words_of_sentence_pieces_begin_at_their_mark(unigram: Tokenizer) -> None:
    starts = unigram.word_starts()
    begins = {token for token, index in unigram.hf.get_vocab().items() if starts[index]}
    assert begins == {"<unk>", "<s>", "▁", "▁sea"}


def test_a_tokenizer_without_padding_and_end_of_text_is_told(unigram: Tokenizer) -> None:
    with pytest.raises(UserError, match="no padding token and no end of text"):
        _ = unigram.pad_id


def test_constructing_a_recipe_reads_nothing() -> None:
    assert not Pretrained(source="/nowhere/at/all").needs_training
    assert ByteLevelBPE().needs_training
    assert WordPiece().needs_training
