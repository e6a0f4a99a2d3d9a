"""Tokenizing side by side: the columns of transformers' own tokenizer, and the way back."""

import subprocess
import sys
from pathlib import Path

import pytest

from quatrain.core.errors import UserError
from quatrain.corpora.verse import poems
from quatrain.inference.tokenization import load_tokenizer, tokenize_texts
from quatrain.tokenizers.tokenizer import Tokenizer
from quatrain.tokenizers.trained import ByteLevelBPE, WordPiece

TEXTS = ["Shall I compare thee", "to a summer's day, and more"]


@pytest.fixture(scope="module")
def bert() -> Tokenizer:
    return WordPiece(vocab_size=300).fit(lambda: poems(50, 0))


@pytest.fixture(scope="module")
def roberta() -> Tokenizer:
    return ByteLevelBPE(vocab_size=400).fit(lambda: poems(50, 0))


@pytest.fixture(scope="module")
def gpt2() -> Tokenizer:
    return ByteLevelBPE(vocab_size=400, special_tokens=("<|endoftext|>",)).fit(lambda: poems(50, 0))


@pytest.mark.parametrize("family", ["bert", "roberta", "gpt2"])
@pytest.mark.parametrize("pairs", [None, ["a rose", "the night"]])
@pytest.mark.parametrize("max_length", [None, 9])
def test_columns_are_those_of_transformers_padded_together(
    family: str, pairs: list[str] | None, max_length: int | None, request: pytest.FixtureRequest
) -> None:
    tokenizer = request.getfixturevalue(family)
    rows = tokenize_texts(tokenizer, TEXTS, pairs=pairs, max_length=max_length)
    expected = tokenizer.hf(
        TEXTS,
        pairs,
        padding=True,
        truncation=max_length is not None,
        max_length=max_length,
        return_token_type_ids=True,
    )
    assert [row.ids for row in rows] == expected["input_ids"]
    assert [row.types for row in rows] == expected["token_type_ids"]
    assert [row.mask for row in rows] == expected["attention_mask"]
    assert [row.tokens for row in rows] == [tokenizer.hf.convert_ids_to_tokens(ids) for ids in expected["input_ids"]]
    assert [row.texts for row in rows] == (list(zip(TEXTS, pairs, strict=True)) if pairs else [(t,) for t in TEXTS])
    whole = tokenizer.hf(TEXTS, pairs)["input_ids"]
    kept = [sum(row.mask) for row in rows]
    assert [row.cut for row in rows] == [len(ids) - count for ids, count in zip(whole, kept, strict=True)]


def test_token_types_tell_the_texts_of_a_pair_apart(bert: Tokenizer) -> None:
    (row,) = tokenize_texts(bert, ["a rose"], pairs=["the night"])
    second = row.tokens.index("[SEP]") + 1
    assert row.types == [0] * second + [1] * (len(row.ids) - second)


def test_gpt2_is_padded_with_its_end_of_text_which_the_mask_hides(gpt2: Tokenizer) -> None:
    short, long = tokenize_texts(gpt2, ["a", "a rose of the night"])
    padded = len(long.ids) - 1
    assert short.tokens[1:] == ["<|endoftext|>"] * padded
    assert short.mask == [1] + [0] * padded


def test_the_round_trip_tells_what_differs(bert: Tokenizer, roberta: Tokenizer) -> None:
    assert [row.differences for row in tokenize_texts(roberta, [*TEXTS, "é€😀 \n\t", ""])] == [[]] * 4
    (row,) = tokenize_texts(bert, ["the Rose"])
    assert row.returned == ("the rose",)
    assert row.differences == ["from character 5 on 'Rose' became 'rose'"]
    (row,) = tokenize_texts(bert, ["the rose  "])
    assert row.differences == ["from character 9 on '  ' is lost"]
    (row,) = tokenize_texts(bert, ["the rose"], pairs=["the\nrose"])
    assert len(row.differences) == 1


def test_cutting_leaves_the_round_trip_of_the_whole_text(roberta: Tokenizer) -> None:
    (row,) = tokenize_texts(roberta, [TEXTS[0]], max_length=4)
    assert len(row.ids) == 4
    assert row.differences == []


def test_a_lone_surrogate_is_replaced(roberta: Tokenizer) -> None:
    (row,) = tokenize_texts(roberta, ["a\udc80"])
    assert row.texts == row.returned == ("a\ufffd",)


def test_a_length_without_room_for_text_is_refused(bert: Tokenizer) -> None:
    with pytest.raises(UserError, match=r"max_length=2 .* adds 2 special tokens; take at least 3"):
        tokenize_texts(bert, ["a"], max_length=2)
    with pytest.raises(UserError, match="adds 3 special tokens; take at least 4"):
        tokenize_texts(bert, ["a"], pairs=["b"], max_length=3)


def test_without_a_padding_token_texts_of_several_lengths_are_refused() -> None:
    from transformers import PreTrainedTokenizerFast

    backend = ByteLevelBPE(vocab_size=270).fit(lambda: ["a rose"]).hf.backend_tokenizer
    bare = Tokenizer(PreTrainedTokenizerFast(tokenizer_object=backend))
    assert len(tokenize_texts(bare, ["a", "b"])) == 2
    with pytest.raises(UserError, match="no padding token"):
        tokenize_texts(bare, ["a", "a rose"])


def test_a_tokenizer_alone_will_do(roberta: Tokenizer, tmp_path: Path) -> None:
    roberta.save(tmp_path / "tokenizer")
    loaded = load_tokenizer(str(tmp_path / "tokenizer"))
    assert tokenize_texts(loaded, TEXTS) == tokenize_texts(roberta, TEXTS)


def test_nothing_of_ours_loads_torch(gpt2: Tokenizer, tmp_path: Path) -> None:
    """Of a vocabulary alone, because AutoTokenizer of transformers loads it itself."""
    gpt2.save(tmp_path)
    for file in tmp_path.iterdir():
        if file.name not in ("vocab.json", "merges.txt"):
            file.unlink()
    code = (
        "import sys; from quatrain.__main__ import main; code = main(sys.argv[1:]);"
        "sys.exit('torch was imported' if 'torch' in sys.modules else code)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, "tokenize", str(tmp_path), "Shall I"], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("Shall I\nplace  token")


def test_what_is_wrong_with_a_folder_is_told_in_its_own_words(tmp_path: Path) -> None:
    with pytest.raises(UserError) as caught:
        load_tokenizer(str(tmp_path))
    assert caught.value.sentences[0].startswith(f"{tmp_path} holds no tokenizer")
