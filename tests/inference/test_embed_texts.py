"""Vectors are those of a plain forward pass, pooled over the tokens that are no padding."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from quatrain.core.errors import UserError
from quatrain.inference.embedding import embed_texts, pooled
from quatrain.inference.loading import Loaded, load
from quatrain.inference.target import find_target

from .tiny_folders import POSITIONS, classifier, encoder, foreign, texts

MAKERS = {"encoder": encoder, "classifier": classifier}
COUNT = 40


@pytest.fixture(scope="module", params=[("bert", "encoder"), ("roberta", "classifier"), ("gpt2", "encoder")])
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    family, kind = request.param
    return MAKERS[kind](tmp_path_factory.mktemp("bodies") / family, family)


def opened(folder: Path, precision: Any = "32-true") -> Loaded:
    return load(find_target(str(folder), "embed"), task="encoder", precision=precision, device="cpu")


def plain(folder: Path) -> list[np.ndarray]:
    """[seq, hidden] of each text, one at a time."""
    from transformers import AutoModel, AutoTokenizer

    model = AutoModel.from_pretrained(folder, dtype=torch.float32).eval()
    tokenizer = AutoTokenizer.from_pretrained(folder)
    with torch.no_grad():
        given = [tokenizer(text, truncation=True, max_length=POSITIONS, return_tensors="pt") for text in texts(COUNT)]
        return [model(**row).last_hidden_state[0].numpy() for row in given]


def test_vectors_are_those_of_a_plain_forward_pass(folder: Path) -> None:
    loaded, hidden = opened(folder), plain(folder)
    for pool, wanted in {
        "none": hidden,
        "mean": [row.mean(axis=0) for row in hidden],
        "first": [row[0] for row in hidden],
    }.items():
        found = list(embed_texts(loaded, texts(COUNT), pool=pool, batch_size=7))  # type: ignore[arg-type]
        assert len(found) == COUNT
        for ours, theirs in zip(found, wanted, strict=True):
            assert ours.dtype == np.float32
            np.testing.assert_allclose(ours, theirs, atol=1e-5)
    assert len({len(row) for row in hidden}) > 5  # else nothing was padded


def test_normalized_vectors_have_length_one_and_the_same_direction(folder: Path) -> None:
    loaded = opened(folder)
    for plain_one, unit in zip(
        embed_texts(loaded, texts(9)), embed_texts(loaded, texts(9), normalize=True), strict=True
    ):
        assert np.linalg.norm(unit) == pytest.approx(1, abs=1e-6)
        np.testing.assert_allclose(unit, plain_one / np.linalg.norm(plain_one), atol=1e-6)
    for tokens in embed_texts(loaded, texts(9), pool="none", normalize=True):
        np.testing.assert_allclose(np.linalg.norm(tokens, axis=1), 1, atol=1e-6)


def test_bfloat16_gives_float32_vectors_close_by(folder: Path) -> None:
    half, whole = (list(embed_texts(opened(folder, kind), texts(9))) for kind in ("bf16-mixed", "32-true"))
    for near, exact in zip(half, whole, strict=True):
        assert near.dtype == np.float32
        cosine = near @ exact / np.linalg.norm(near) / np.linalg.norm(exact)
        assert cosine > 0.99


def test_the_mean_leaves_padding_out() -> None:
    """A hand-computed example: two tokens and one, the second row filled up with what must not count."""
    hidden = torch.tensor([[[1.0, 2.0], [3.0, 6.0]], [[5.0, 7.0], [1e6, -1e6]]])
    mask = torch.tensor([[1, 1], [1, 0]])
    assert pooled(hidden, mask, "mean").tolist() == [[2.0, 4.0], [5.0, 7.0]]
    assert pooled(hidden, mask, "first").tolist() == [[1.0, 2.0], [5.0, 7.0]]


def test_vectors_that_are_no_numbers_are_told_with_their_row(tmp_path: Path) -> None:
    loaded = opened(encoder(tmp_path / "model", "bert"))
    word = loaded.tokenizer.encode(["lantern"])[0][0]
    loaded.model.get_input_embeddings().weight.data[word] = float("inf")
    with pytest.raises(UserError, match=r"^row 2: the model's vectors .*NaN"):
        list(embed_texts(loaded, ["the river", "a lantern burns"]))


@pytest.mark.parametrize("family", ["t5", "bart"])
def test_of_an_encoder_decoder_the_encoder_answers(tmp_path: Path, family: str) -> None:
    from transformers import AutoModel, AutoTokenizer

    loaded = opened(foreign(tmp_path / "model", family))
    body = AutoModel.from_pretrained(tmp_path / "model", dtype=torch.float32).eval().get_encoder()
    tokenizer = AutoTokenizer.from_pretrained(tmp_path / "model")
    few = ["the river runs", "a lantern burns above the mill"]
    for text, found in zip(few, embed_texts(loaded, few), strict=True):
        ids = tokenizer(text, return_tensors="pt")["input_ids"]
        with torch.no_grad():
            np.testing.assert_allclose(found, body(ids).last_hidden_state[0].mean(dim=0).numpy(), atol=1e-5)


def test_a_model_of_more_than_texts_is_refused_in_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"is a CLIPModel, which has no table of tokens.*such as BERT\.$"):
        opened(foreign(tmp_path / "clip", "clip"))
    loaded = opened(encoder(tmp_path / "bert", "bert"))
    loaded.model.forward = lambda pixel_values, **tokens: None
    with pytest.raises(UserError, match=r"\(BertModel\) gives no answer to texts alone \(TypeError: .*pixel_values"):
        list(embed_texts(loaded, ["the river"]))
