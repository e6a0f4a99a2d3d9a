"""tiktoken gives GPT-2's ids, from local files, and says in one sentence that it cannot download."""

import json
import pickle
import urllib.error
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tiktoken import Encoding
from tiktoken_ext.openai_public import r50k_pat_str

from quatrain.core.errors import NotNow, UserError
from quatrain.tokenizers import tiktoken_gpt2
from quatrain.tokenizers.byte_level import to_bytes
from quatrain.tokenizers.pretrained import Pretrained
from quatrain.tokenizers.tiktoken_gpt2 import TiktokenGPT2
from quatrain.tokenizers.tokenizer import Tokenizer

from transformers import AutoTokenizer  # isort: skip

text = st.text(st.characters(exclude_categories=["Cs"]) | st.sampled_from("  \n\tsea'123"), max_size=80)


@pytest.fixture(scope="module")
def tiktoken(gpt2_folder: Path) -> Tokenizer:
    return TiktokenGPT2(source=str(gpt2_folder)).fit()


@settings(max_examples=50, deadline=None)
@given(text=text)
def test_the_ids_are_those_of_transformers_and_read_back(tiktoken: Tokenizer, text: str) -> None:
    (ids,) = tiktoken.engines.fast([text])
    assert ids.tolist() == tiktoken.encode([text])[0].tolist() == tiktoken.hf(text)["input_ids"]
    assert tiktoken.decode(ids) == text


def test_many_texts_at_once_and_special_strings(tiktoken: Tokenizer, gpt2_folder: Path) -> None:
    texts = ["the sea<|endoftext|>sky", "<mask>", "", "sailor's day\n\n  ü"]
    reference = Pretrained(source=str(gpt2_folder)).fit()
    assert [ids.tolist() for ids in tiktoken.encode(texts)] == [ids.tolist() for ids in reference.encode(texts)]
    assert tiktoken.eos_id in tiktoken.encode(texts)[0]
    closed = TiktokenGPT2(source=str(gpt2_folder), allowed_special=[]).fit()
    assert closed.eos_id not in closed.encode(texts)[0]


def test_padding_is_end_of_text_and_nothing_is_added(tiktoken: Tokenizer, gpt2_folder: Path) -> None:
    assert tiktoken.pad_id == tiktoken.eos_id
    assert len(tiktoken.hf) == len(json.loads((gpt2_folder / "vocab.json").read_text(encoding="utf-8")))


def test_it_exports_the_equal_gpt2_tokenizer(tiktoken: Tokenizer, gpt2_folder: Path, tmp_path: Path) -> None:
    tiktoken.save(tmp_path)
    loaded = AutoTokenizer.from_pretrained(tmp_path)
    assert type(loaded).__name__ == "GPT2Tokenizer"
    assert loaded("The sea sings")["input_ids"] == tiktoken.encode(["The sea sings"])[0].tolist()
    assert (tmp_path / "merges.txt").read_text(encoding="utf-8") == (gpt2_folder / "merges.txt").read_text(
        encoding="utf-8"
    )


def test_the_vocabulary_and_merges_are_found_from_an_encoding_alone(
    tiktoken: Tokenizer, gpt2_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As when tiktoken downloads its own copy: the ranks stand for both files."""
    vocabulary = tiktoken.hf.get_vocab()
    special = {"<|endoftext|>": vocabulary.pop("<|endoftext|>")}
    ranks = {to_bytes(token): index for token, index in vocabulary.items()}
    encoding = Encoding("gpt2", pat_str=r50k_pat_str, mergeable_ranks=ranks, special_tokens=special)
    monkeypatch.setattr(tiktoken_gpt2, "_downloaded", lambda: encoding)
    rebuilt = TiktokenGPT2().fit()
    assert rebuilt.hf.backend_tokenizer.to_str() == tiktoken.hf.backend_tokenizer.to_str()


def test_it_crosses_processes(tiktoken: Tokenizer) -> None:
    copy = pickle.loads(pickle.dumps(tiktoken))
    assert copy.encode(["the sea"])[0].tolist() == tiktoken.encode(["the sea"])[0].tolist()


def test_an_unreachable_download_is_one_sentence(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise urllib.error.URLError("no route")

    monkeypatch.setenv("TIKTOKEN_CACHE_DIR", str(tmp_path))
    monkeypatch.setattr("urllib.request.urlopen", refuse)
    with pytest.raises(NotNow, match=r"name a folder with vocab.json and merges.txt by tokenizer.source=DIR") as caught:
        TiktokenGPT2().fit()
    assert len(caught.value.sentences) == 1


def test_ids_in_another_order_are_taken_as_they_are(bpe: Tokenizer, tmp_path: Path) -> None:
    """RoBERTa numbers by frequency; here the last merge has the first id."""
    bpe.hf.backend_tokenizer.model.save(str(tmp_path))
    vocabulary = json.loads((tmp_path / "vocab.json").read_text(encoding="utf-8"))
    ordered = sorted(vocabulary, key=vocabulary.__getitem__, reverse=True)
    (tmp_path / "vocab.json").write_text(
        json.dumps({token: index for index, token in enumerate(ordered)}), encoding="utf-8"
    )
    tokenizer = TiktokenGPT2(source=str(tmp_path)).fit()
    text = "the tall ship sails; 12 sailor's seas\n"
    assert tokenizer.engines.fast.name == "tiktoken"
    assert tokenizer.engines.fast([text])[0].tolist() == tokenizer.hf(text)["input_ids"]


def test_a_vocabulary_that_lacks_a_byte_is_refused(gpt2_folder: Path, tmp_path: Path) -> None:
    vocabulary = json.loads((gpt2_folder / "vocab.json").read_text(encoding="utf-8"))
    del vocabulary["!"]
    (tmp_path / "vocab.json").write_text(json.dumps(vocabulary), encoding="utf-8")
    (tmp_path / "merges.txt").write_bytes((gpt2_folder / "merges.txt").read_bytes())
    with pytest.raises(UserError, match="not every byte is a token; load it with tokenizer=pretrained"):
        TiktokenGPT2(source=str(tmp_path)).fit()


def test_a_source_without_the_two_files_is_refused(wordpiece: Tokenizer, tmp_path: Path) -> None:
    wordpiece.save(tmp_path)
    with pytest.raises(UserError, match=r"holds no vocab.json with merges.txt"):
        TiktokenGPT2(source=str(tmp_path)).fit()
    with pytest.raises(UserError, match=r"tokenizer.source=gpt2 is no folder here"):
        TiktokenGPT2(source="gpt2").fit()


def test_the_fingerprint_is_of_the_files(gpt2_folder: Path, tmp_path: Path) -> None:
    for name in ("vocab.json", "merges.txt"):
        (tmp_path / name).write_bytes((gpt2_folder / name).read_bytes())
    recipe = TiktokenGPT2(source=str(tmp_path))
    before = recipe.fingerprint()
    assert before == TiktokenGPT2(source=str(gpt2_folder)).fingerprint()
    (tmp_path / "merges.txt").write_bytes(b"#version: 0.2\n")
    assert recipe.fingerprint() != before
