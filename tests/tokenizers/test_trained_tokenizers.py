"""Trained tokenizers: special ids in order, nothing lost, the same bytes every time, bad arguments told."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quatrain.core.errors import UserError
from quatrain.tokenizers import trained
from quatrain.tokenizers.cutting import cut
from quatrain.tokenizers.tokenizer import Tokenizer
from quatrain.tokenizers.trained import ByteLevelBPE, WordPiece

TEXTS = [f"word{number} {'ab' * (number % 7)} über {number * 37} [MASK] <mask> ." for number in range(200)]

# text without lone surrogates, which UTF-8 cannot hold
text = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)


def test_roberta_special_ids_are_0_to_4_in_its_order(bpe: Tokenizer) -> None:
    assert bpe.hf.convert_tokens_to_ids(["<s>", "<pad>", "</s>", "<unk>", "<mask>"]) == [0, 1, 2, 3, 4]
    assert (bpe.bos_id, bpe.pad_id, bpe.eos_id, bpe.unk_id, bpe.mask_id) == (0, 1, 2, 3, 4)
    assert bpe.special_ids == {0, 1, 2, 3, 4}
    assert type(bpe.hf).__name__ == "RobertaTokenizer"


def test_bert_special_ids_are_0_to_4_in_its_order(wordpiece: Tokenizer) -> None:
    tokens = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    assert wordpiece.hf.convert_tokens_to_ids(tokens) == [0, 1, 2, 3, 4]
    assert (wordpiece.pad_id, wordpiece.unk_id, wordpiece.mask_id) == (0, 1, 4)
    assert (wordpiece.bos_id, wordpiece.eos_id) == (None, None)
    assert type(wordpiece.hf).__name__ == "BertTokenizer"


def test_without_a_mask_token_it_is_gpt2s_kind_padded_by_its_end_of_text(gpt2_like: Tokenizer) -> None:
    assert type(gpt2_like.hf).__name__ == "GPT2Tokenizer"
    assert gpt2_like.pad_id == gpt2_like.eos_id == gpt2_like.bos_id == 0
    assert gpt2_like.mask_id is None
    assert (
        len(gpt2_like.hf)
        == gpt2_like.vocab_size
        == 257 + len(json.loads(gpt2_like.hf.backend_tokenizer.to_str())["model"]["merges"])
    )


@settings(max_examples=50, deadline=None)
@given(text=text)
def test_byte_level_bpe_writes_any_text_and_reads_it_back(bpe: Tokenizer, text: str) -> None:
    (ids,) = bpe.encode([text])
    assert bpe.decode(ids) == text
    assert not set(ids.tolist()) & bpe.special_ids


def test_merges_by_hand() -> None:
    """In "abab abab": (a, b) stands 4 times, then (ab, ab) twice, then (Ġ, abab) once, too rare."""
    tokenizer = ByteLevelBPE(vocab_size=300, special_tokens=("<|endoftext|>",), min_frequency=2).fit(
        lambda: ["abab abab"]
    )
    merges = json.loads(tokenizer.hf.backend_tokenizer.to_str())["model"]["merges"]
    assert merges == [["a", "b"], ["ab", "ab"]]
    assert tokenizer.vocab_size == 1 + 256 + 2
    assert tokenizer.encode(["ababab"])[0].tolist() == tokenizer.hf.convert_tokens_to_ids(["abab", "ab"])


@pytest.mark.parametrize("recipe", [ByteLevelBPE(vocab_size=400), WordPiece(vocab_size=150)], ids=["bpe", "wordpiece"])
def test_training_gives_the_same_bytes_every_time_and_on_any_number_of_threads(
    recipe: ByteLevelBPE | WordPiece, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = recipe.fit(lambda: TEXTS)
    for parallel in ("true", "false", "true"):
        monkeypatch.setenv("TOKENIZERS_PARALLELISM", parallel)
        again = recipe.fit(lambda: iter(TEXTS))
        assert again.hf.backend_tokenizer.to_str() == first.hf.backend_tokenizer.to_str()
        assert again.fingerprint == first.fingerprint


@pytest.mark.parametrize("recipe", [ByteLevelBPE(vocab_size=400), WordPiece(vocab_size=150)], ids=["bpe", "wordpiece"])
def test_a_long_text_is_learned_in_pieces_to_the_same_bytes(
    recipe: ByteLevelBPE | WordPiece, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A quarter of a million characters with runs of white space, special strings and what lies between words."""
    whole = "".join(f"{text}{gap}" for text in TEXTS * 30 for gap in (" ", "\n\n", "  ", "\t ", "a_b c\u0301 \u4e2d"))
    assert len(list(cut(whole))) > 3
    pieces = recipe.fit(lambda: [whole]).hf.backend_tokenizer.to_str()
    monkeypatch.setattr(trained, "cut", lambda text: [text])
    assert recipe.fit(lambda: [whole]).hf.backend_tokenizer.to_str() == pieces


MEMORY = """
from pathlib import Path
from quatrain.tokenizers.trained import ByteLevelBPE

def peak():  # getrusage would begin with the peak of the process that started this one
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))

recipe = ByteLevelBPE(vocab_size=300)
recipe.fit(lambda: ["the river " * 10_000])
before = peak()
recipe.fit(lambda: ["the river runs below the hill " * 200_000])
print((peak() - before) // 1024)
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="reads /proc")
def test_training_on_one_long_text_takes_little_memory() -> None:
    """A text of 6 MB, which at once would take ten times its size and far more."""
    ran = subprocess.run([sys.executable, "-c", MEMORY], capture_output=True, text=True, check=True)
    assert int(ran.stdout) < 100


def test_special_strings_of_the_corpus_are_not_learned_from() -> None:
    """A corpus of nothing but end-of-text marks between words gives the vocabulary of the words."""
    marked = WordPiece(vocab_size=60).fit(lambda: ["sea[MASK]sea", "[SEP]sky"] * 3)
    plain = WordPiece(vocab_size=60).fit(lambda: ["sea", "sea", "sky"] * 3)
    assert marked.hf.get_vocab() == plain.hf.get_vocab()


@pytest.mark.parametrize("texts", [[], [""], [" \n"], ["<mask>"]], ids=repr)
def test_an_empty_corpus_is_told_in_a_sentence(texts: list[str]) -> None:
    with pytest.raises(UserError, match=r"the training split of data.source holds no text"):
        ByteLevelBPE(vocab_size=300).fit(lambda: texts)


def test_wordpiece_names_the_size_that_the_characters_need() -> None:
    """The five special tokens, a b c, and ##b ##c."""
    with pytest.raises(UserError, match=r"tokenizer.vocab_size=9 is too small: .* are 10; take more"):
        WordPiece(vocab_size=9).fit(lambda: ["abc b c"])
    assert WordPiece(vocab_size=10).fit(lambda: ["abc b c"]).vocab_size == 10


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: ByteLevelBPE(vocab_size=260), "tokenizer.vocab_size=260 is too small: .* need 261"),
        (lambda: ByteLevelBPE(special_tokens=("<s>", "<mask>")), "lacks <pad>, </s>, <unk>"),
        (lambda: ByteLevelBPE(special_tokens=("<pad>",)), r"lacks <\|endoftext\|>"),
        (lambda: WordPiece(special_tokens=("[PAD]", "[CLS]", "[SEP]", "[MASK]")), r"lacks \[UNK\]"),
        (lambda: WordPiece(vocab_size=5), "tokenizer.vocab_size=5 is too small"),
        (lambda: WordPiece(min_frequency=0), "tokenizer.min_frequency=0 must be at least 1"),
        (lambda: ByteLevelBPE(special_tokens=("<|endoftext|>", "and")), "names 'and'; a special token mixes"),
        (lambda: ByteLevelBPE(special_tokens=("<|endoftext|>", "<|endoftext|>")), "names a token twice"),
    ],
)
def test_bad_arguments_are_told_in_a_sentence(make: Callable[[], object], sentence: str) -> None:
    with pytest.raises(UserError, match=sentence):
        make()


def test_all_bad_arguments_are_told_at_once() -> None:
    with pytest.raises(UserError) as caught:
        ByteLevelBPE(vocab_size=0, min_frequency=0, special_tokens=("<s>", "<mask>"))
    assert len(caught.value.sentences) == 3


def test_further_special_tokens_take_the_next_ids() -> None:
    recipe = ByteLevelBPE(vocab_size=300, special_tokens=("<s>", "<pad>", "</s>", "<unk>", "<mask>", "<verse>"))
    tokenizer = recipe.fit(lambda: ["sea <verse> sea"])
    assert tokenizer.hf.convert_tokens_to_ids("<verse>") == 5
    assert tokenizer.special_ids == set(range(6))
    assert len(tokenizer.hf) == tokenizer.vocab_size


def test_the_recipes_fingerprint_changes_with_each_argument() -> None:
    recipes = [
        ByteLevelBPE(),
        ByteLevelBPE(vocab_size=9000),
        ByteLevelBPE(min_frequency=3),
        ByteLevelBPE(special_tokens=("<|endoftext|>",)),
        ByteLevelBPE(allowed_special="all"),
        WordPiece(),
        WordPiece(lowercase=False),
    ]
    assert len({recipe.fingerprint() for recipe in recipes}) == len(recipes)
    assert ByteLevelBPE().fingerprint() == ByteLevelBPE().fingerprint()


def test_wordpiece_lower_cases_and_strips_accents_only_when_asked() -> None:
    uncased = WordPiece(vocab_size=60).fit(lambda: ["Café café"] * 2)
    cased = WordPiece(vocab_size=60, lowercase=False).fit(lambda: ["Café café"] * 2)
    assert uncased.decode(uncased.encode(["CAFÉ"])[0]) == "cafe"
    assert cased.decode(cased.encode(["Café"])[0]) == "Café"
