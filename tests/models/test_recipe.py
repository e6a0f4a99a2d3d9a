"""The recipe builds Hugging Face models from a config or from weights, complete, in float32 and ready to train."""

from pathlib import Path
from typing import Any

import pytest
import torch

from quatrain.core.errors import UserError
from quatrain.models.recipe import LanguageModel

TEXT = torch.tensor([[0, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 2]])


@pytest.mark.parametrize(
    ("family", "task"),
    [
        ("roberta", "masked_lm"),
        ("bert", "masked_lm"),
        ("distilbert", "masked_lm"),
        ("gpt2", "causal_lm"),
        ("bert", "sequence_classification"),
        ("distilbert", "sequence_classification"),
        ("roberta", "sequence_classification"),
        ("gpt2", "sequence_classification"),
    ],
)
def test_config_is_completed_from_tokenizer_and_data(build: Any, family: str, task: str) -> None:
    """A text of exactly max_length passes, and vocabulary, padding and positions are those of tokenizer and data."""
    model = build(family, task, words={"vocab_size": None}, num_labels=3)
    assert model.training
    assert {parameter.dtype for parameter in model.parameters()} == {torch.float32}
    assert model.get_input_embeddings().num_embeddings == model.config.vocab_size == 50
    assert model.config.pad_token_id == {"roberta": 1, "gpt2": 3}.get(family, 0)
    assert model(input_ids=TEXT).logits.shape == ((1, 3) if task == "sequence_classification" else (1, 12, 50))


def test_gpt2_uses_its_end_of_text_everywhere(build: Any) -> None:
    config = build("gpt2", "causal_lm").config
    assert (config.bos_token_id, config.eos_token_id, config.pad_token_id, config.n_positions) == (3, 3, 3, 12)


def test_roberta_gets_two_positions_more(build: Any) -> None:
    assert build("roberta", "masked_lm").config.max_position_embeddings == 14


def test_labels_have_their_names(build: Any) -> None:
    config = build("bert", "sequence_classification", num_labels=2, label_names=("no", "yes")).config
    assert config.id2label == {0: "no", 1: "yes"}
    assert config.label2id == {"no": 0, "yes": 1}
    regression = build("bert", "sequence_classification", num_labels=1, regression=True).config
    assert (regression.num_labels, regression.problem_type) == (1, "regression")


def test_a_named_class(build: Any) -> None:
    model = build("gpt2", "causal_lm", recipe={"auto_class": "GPT2LMHeadModel"})
    assert type(model).__name__ == "GPT2LMHeadModel"
    with pytest.raises(UserError, match="did you mean GPT2LMHeadModel"):
        build("gpt2", "causal_lm", recipe={"auto_class": "GPT2LMHeadModle"})
    with pytest.raises(UserError, match="not a model class"):
        build("gpt2", "causal_lm", recipe={"auto_class": "AutoTokenizer"})


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ({"hiden_size": 16}, "model.config.hiden_size is not known to RobertaConfig; did you mean hidden_size?"),
        ({"model_type": "robreta"}, "did you mean roberta"),
        ({"model_type": None}, "no model_type"),
        ({"hidden_size": "wide"}, "refused by RobertaConfig"),
        ({"hidden_size": 15}, "not a multiple"),
        ({"vocab_size": 49}, "the tokenizer has 50 entries but the model of model.config only 49"),
        ({"max_position_embeddings": 13}, "beyond the 11 positions"),
    ],
)
def test_bad_configs_are_told_in_a_sentence(build: Any, words: dict[str, Any], sentence: str) -> None:
    with pytest.raises(UserError, match=sentence.replace("?", r"\?")):
        build("roberta", "masked_lm", words=words)


def test_an_architecture_that_cannot_do_the_task(build: Any) -> None:
    with pytest.raises(UserError, match="model_type=gpt2 cannot be built as AutoModelForMaskedLM"):
        build("gpt2", "masked_lm")


@pytest.mark.parametrize("family", ["roberta", "bert"])
def test_a_masked_lm_becomes_a_classifiers_encoder(
    build: Any, size: Any, tmp_path: Path, family: str, capfd: Any
) -> None:
    """The encoder's weights are those that were saved, the head is new, and nothing is said about it."""
    pretrained = build(family, "masked_lm")
    run = tmp_path / "run"
    pretrained.save_pretrained(run / "export")
    (run / "config.yaml").write_text("seed: 1\n")
    special = {"pad": pretrained.config.pad_token_id, "bos": None, "eos": None}
    capfd.readouterr()
    recipe = LanguageModel(task="sequence_classification", weights=str(run))
    classifier = recipe.build(**{**size, "special_ids": special}, num_labels=3, label_names=("a", "b", "c"))
    said = capfd.readouterr()
    assert said.out + said.err == ""
    encoder = classifier.base_model.encoder.state_dict()
    assert encoder
    for name, tensor in pretrained.base_model.encoder.state_dict().items():
        assert torch.equal(encoder[name], tensor)
    assert classifier.config.id2label == {0: "a", 1: "b", 2: "c"}
    assert classifier.training


def test_weights_in_half_precision_are_read_as_float32(build: Any, size: Any, tmp_path: Path) -> None:
    build("roberta", "masked_lm").to(torch.bfloat16).save_pretrained(tmp_path)
    model = LanguageModel(task="masked_lm", weights=str(tmp_path)).build(**size)
    assert {parameter.dtype for parameter in model.parameters()} == {torch.float32}
    assert model.training


def test_a_head_of_other_labels_is_replaced(build: Any, size: Any, tmp_path: Path) -> None:
    build("roberta", "sequence_classification", num_labels=3).save_pretrained(tmp_path)
    model = LanguageModel(task="sequence_classification", weights=str(tmp_path)).build(**size, num_labels=2)
    assert model(input_ids=TEXT).logits.shape == (1, 2)


def test_a_broken_body_is_an_error(build: Any, size: Any, tmp_path: Path) -> None:
    """A config with one block more than the weights must not train that block from chance in silence."""
    model = build("roberta", "masked_lm")
    model.config.num_hidden_layers = 3
    model.save_pretrained(tmp_path)
    with pytest.raises(UserError, match="lacks 16 parameters of the body"):
        LanguageModel(task="masked_lm", weights=str(tmp_path)).build(**size)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"tokenizer_size": 51}, "51 entries but the model of model.weights only 50"),
        ({"max_length": 13}, "data.max_length=13 is beyond the 12 positions"),
        ({"special_ids": {"pad": 5}}, "pads with id 5 but the model of model.weights with 1"),
    ],
)
def test_weights_that_do_not_fit_the_tokenizer(
    build: Any, size: Any, tmp_path: Path, change: Any, sentence: str
) -> None:
    build("roberta", "masked_lm").save_pretrained(tmp_path)
    with pytest.raises(UserError, match=sentence):
        LanguageModel(task="masked_lm", weights=str(tmp_path)).build(**{**size, **change})


def test_an_onnx_model_is_refused_as_one(build: Any, size: Any, tmp_path: Path) -> None:
    build("roberta", "masked_lm").config.save_pretrained(tmp_path)
    (tmp_path / "model.onnx").write_bytes(b"onnx")
    with pytest.raises(UserError, match="is an ONNX model, which onnxruntime reads"):
        LanguageModel(task="masked_lm", weights=str(tmp_path)).build(**size)


def test_pickled_weights_are_refused(build: Any, size: Any, tmp_path: Path) -> None:
    model = build("roberta", "masked_lm")
    model.config.save_pretrained(tmp_path)
    torch.save(model.state_dict(), tmp_path / "pytorch_model.bin")
    with pytest.raises(UserError, match="pickled weights only"):
        LanguageModel(task="masked_lm", weights=str(tmp_path)).build(**size)
