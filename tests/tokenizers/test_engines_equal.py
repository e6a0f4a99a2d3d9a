"""tiktoken gives the ids of `tokenizers` wherever that is proved, on any text, and is left alone everywhere else."""

import json
import pickle
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer as Backend

from quatrain.tokenizers import encoding
from quatrain.tokenizers.byte_level import byte_of_character
from quatrain.tokenizers.engines import BackendEngine, Engines
from quatrain.tokenizers.letter_classes import agrees, same_words
from quatrain.tokenizers.rank_proof import MergeRanks, prove
from quatrain.tokenizers.tiktoken_engine import TiktokenEngine
from quatrain.tokenizers.tokenizer import Tokenizer

SPECIAL = ("<|endoftext|>", "<s>", "<pad>", "</s>", "<unk>", "<mask>", "<|endoftext", "<|<s>|>")
awkward = st.one_of(
    st.text(max_size=20),  # any character, halves of pairs too
    st.sampled_from([*SPECIAL, "'s", "'ll", "'S", "''re", "\u2019s", "the sea", " sailor's", "ship", "\u0301", "\r\n"]),
    st.text("the sailp.';-", max_size=30),
    st.text("0123456789\u0663\u00bd ", max_size=12),
    st.builds(
        str.__mul__, st.sampled_from([" ", "\n", "\t", "\u00a0", "\u3000", "a", "\u4e2d", "'"]), st.integers(1, 60)
    ),
)
text = st.lists(awkward, max_size=8).map("".join)


def byte_level(merges: list[tuple[str, str]], **changes: Any) -> dict[str, Any]:
    """A tokenizer.json with the 256 bytes and what the merges make, in GPT-2's way."""
    tokens = dict.fromkeys([*byte_of_character(), *(first + second for first, second in merges)])
    model = {"type": "BPE", "vocab": {token: place for place, token in enumerate(tokens)}, "merges": merges}
    words = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}
    made = {"version": "1.0", "added_tokens": [], "normalizer": None, "pre_tokenizer": words, "model": model, **changes}
    return made | {"post_processor": None, "decoder": None, "truncation": None, "padding": None}


def serialized(content: dict[str, Any]) -> str:
    """As the library itself writes it."""
    return str(Backend.from_str(json.dumps(content)).to_str())


def added(string: str, index: int, **flags: bool) -> dict[str, Any]:
    plain = dict.fromkeys(("single_word", "lstrip", "rstrip", "normalized"), False)
    return {"id": index, "content": string, "special": False, **plain, **flags}


@pytest.mark.parametrize("allowed", [None, [], "all"], ids=str)
@pytest.mark.parametrize("name", ["bpe", "gpt2_like"])
@settings(max_examples=150, deadline=None)
@given(text=text)
def test_both_engines_give_the_same_ids_of_any_text(
    request: pytest.FixtureRequest, name: str, allowed: Any, text: str
) -> None:
    hf = request.getfixturevalue(name).hf
    tokenizer = Tokenizer(
        hf, allowed_special=["<s>", "</s>", "<pad>"] if (name, allowed) == ("bpe", "all") else allowed
    )
    clean = encoding.without_surrogates(text)
    assert tokenizer.engines.refusal is None
    assert tokenizer.engines.fast.name == "tiktoken"
    assert np.array_equal(tokenizer.engines.fast([clean])[0], tokenizer.engines.plain([clean])[0])


merges = st.lists(st.tuples(st.integers(0, 12), st.integers(0, 12)), min_size=1, max_size=9)


@settings(max_examples=400, deadline=None)
@given(choices=merges, words=st.lists(st.text("abc", max_size=12), min_size=1, max_size=6))
def test_the_proof_holds_for_any_list_of_merges(choices: list[tuple[int, int]], words: list[str]) -> None:
    """Merges of anything with anything: dead ones, tokens that their own bytes do not make, repeated letters."""
    tokens, pairs = ["a", "b", "c"], []
    for one, other in choices:
        pair = tokens[one % len(tokens)], tokens[other % len(tokens)]
        if pair not in pairs:
            pairs.append(pair)
            tokens.append("".join(pair))
    content = serialized(byte_level(pairs))
    proof = prove(content, frozenset())
    if len({"".join(pair) for pair in pairs}) < len(pairs):
        assert proof == "several merges make the same token"
        return
    assert isinstance(proof, MergeRanks)
    plain = BackendEngine(content, frozenset())
    fast = TiktokenEngine(proof, lambda: plain)
    for ours, theirs in zip(fast(words), plain(words), strict=True):
        assert ours.tolist() == theirs.tolist()


def test_a_token_that_its_own_bytes_do_not_make_is_left_out() -> None:
    """bc goes first, so that abc is never made, though it is in the vocabulary; by hand."""
    content = serialized(byte_level([("b", "c"), ("a", "b"), ("ab", "c")]))
    proof = prove(content, frozenset())
    assert isinstance(proof, MergeRanks)
    assert set(proof.ranks) == {*(bytes([byte]) for byte in range(256)), b"bc", b"ab"}
    vocabulary = json.loads(content)["model"]["vocab"]
    ids = TiktokenEngine(proof, lambda: BackendEngine(content, frozenset()))(["abc"])[0]
    assert ids.tolist() == [vocabulary["a"], vocabulary["bc"]]


LOWER = {"type": "Lowercase"}
SPACED = {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True, "use_regex": True}
WHOLE = {**SPACED, "add_prefix_space": False, "use_regex": False}
PAIR = [("a", "b")]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (byte_level(PAIR, normalizer=LOWER), "a normalizer changes the text"),
        (byte_level(PAIR, pre_tokenizer=SPACED), "a space is put before the text"),
        (byte_level(PAIR, pre_tokenizer=WHOLE), "not found by GPT-2's pattern"),
        (byte_level(PAIR, pre_tokenizer={"type": "Whitespace"}), "not found by GPT-2's pattern"),
        (byte_level([("a", "b"), ("b", "c"), ("ab", "c"), ("a", "bc")]), "several merges make the same token"),
        (byte_level(PAIR, added_tokens=[added("<x>", 257, lstrip=True)]), "takes the space beside it"),
        (byte_level(PAIR, added_tokens=[added("<x>", 257), added("x>y", 258)]), "two added tokens can overlap"),
        (byte_level(PAIR, added_tokens=[added("<x>", 257), added("x", 258, special=True)]), "can overlap"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_not_proved_stays_with_tokenizers(content: dict[str, Any], reason: str) -> None:
    engines = Engines(serialized(content), frozenset(), "auto")
    assert reason in str(engines.refusal)
    assert engines.fast is engines.plain


@pytest.mark.parametrize("switch", [{"dropout": 0.5}, {"ignore_merges": True}, {"end_of_word_suffix": "b"}], ids=str)
def test_another_way_of_merging_stays_with_tokenizers(switch: dict[str, Any]) -> None:
    content = byte_level([("a", "b")])
    assert f"its model has {next(iter(switch))}" == prove(
        json.dumps(content | {"model": content["model"] | switch}), frozenset()
    )


def test_wordpiece_and_a_missing_byte_stay_with_tokenizers(wordpiece: Tokenizer) -> None:
    assert wordpiece.engines.fast is wordpiece.engines.plain
    content = byte_level([])
    del content["model"]["vocab"]["z"]
    assert prove(serialized(content), frozenset()) == "not every byte is a token"


def test_robertas_mask_takes_a_space_so_where_it_is_allowed_nothing_is_proved(bpe: Tokenizer) -> None:
    masks = Tokenizer(bpe.hf, allowed_special=["<mask>"])
    assert "takes the space beside it" in str(masks.engines.refusal)


def test_added_strings_are_found_by_both(bpe: Tokenizer) -> None:
    content = serialized(byte_level([("a", "b")], added_tokens=[added("<x>", 300), added("<yy>", 301)]))
    proof = prove(content, frozenset())
    assert isinstance(proof, MergeRanks)
    plain = BackendEngine(content, frozenset())
    texts = ["ab<x>ab <yy><x<x>>", "<x> 's<yy>", "x>"]
    pairs = zip(TiktokenEngine(proof, lambda: plain)(texts), plain(texts), strict=True)
    assert all(np.array_equal(*pair) for pair in pairs)


def test_the_choice_changes_no_fingerprint_and_is_kept(bpe: Tokenizer) -> None:
    plain = Tokenizer(bpe.hf, engine="tokenizers")
    assert plain.fingerprint == bpe.fingerprint
    assert pickle.loads(pickle.dumps(plain)).engines.fast.name == "tokenizers"
    assert pickle.loads(pickle.dumps(bpe)).engines.fast.name == "tiktoken"


def test_a_million_white_spaces_are_left_to_tokenizers(gpt2_like: Tokenizer) -> None:
    """tiktoken's regular expressions give up on them."""
    text = "sea" + " " * 1_200_000 + "sky"
    assert np.array_equal(gpt2_like.engines.fast([text])[0], gpt2_like.engines.plain([text])[0])


def test_both_libraries_know_the_same_characters() -> None:
    """What the installed versions take for letters, numbers and white space; and a difference would be seen."""
    assert same_words()
    letters = {"\u0370": True, "\u0378": False}  # the second has no class in Unicode

    def words(text: str) -> list[str]:
        joined = letters[text[1]] if text[0] == "a" else not letters[text[1]] and text[0] == "!"
        return [text] if joined else list(text)

    assert agrees([["\u0370", "\u0378"]], words)
    assert not agrees([["\u0370\u0378"]], words)
    letters["\u0378"] = True
    assert not agrees([["\u0370", "\u0378"]], words)


def test_little_text_makes_no_other_engine(bpe: Tokenizer, monkeypatch: pytest.MonkeyPatch) -> None:
    tokenizer = Tokenizer(bpe.hf)
    texts = ["the sea", "", "a sailor's day\n" * 40]
    few = tokenizer.encode(texts)
    assert tokenizer.engines.used == "tokenizers"
    monkeypatch.setattr(encoding, "LITTLE", 50)
    many = tokenizer.encode(texts)
    assert tokenizer.engines.used == "tiktoken"
    assert [ids.tolist() for ids in many] == [ids.tolist() for ids in few]


def test_a_stream_is_encoded_in_order_and_read_as_it_is_needed(bpe: Tokenizer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(encoding, "LITTLE", 50)
    monkeypatch.setattr(TiktokenEngine, "characters", 64)
    read = []

    def texts() -> Any:
        for number in range(2000):
            read.append(number)
            yield f"sailor {number} sings "

    stream = bpe.encode_stream(texts())
    first = next(stream)
    assert len(read) < 1000
    rest = list(stream)
    assert [bpe.decode(ids) for ids in (first, *rest)] == [f"sailor {number} sings " for number in range(2000)]
