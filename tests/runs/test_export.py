"""Proves that an export loads without us, that a wrong one is caught, and that nothing half-written stays."""

import errno
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml

from quatrain.core.errors import NotNow
from quatrain.runs import export as export_module
from quatrain.runs.export import ExportMismatch, auto_class, export
from quatrain.runs.model_card import model_card

WORDS = ["<s>", "<pad>", "</s>", "<unk>", "<mask>", "the", "rose", "is", "red"]


def tokenizer() -> Any:
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    backend = Tokenizer(models.WordLevel({word: number for number, word in enumerate(WORDS)}, unk_token="<unk>"))
    backend.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    return PreTrainedTokenizerFast(
        tokenizer_object=backend, pad_token="<pad>", mask_token="<mask>", unk_token="<unk>", eos_token="</s>"
    )


def masked_lm() -> Any:
    from transformers import RobertaConfig, RobertaForMaskedLM

    config = RobertaConfig(
        vocab_size=len(WORDS),
        hidden_size=8,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=16,
        max_position_embeddings=20,
    )
    return RobertaForMaskedLM(config)


def classifier() -> Any:
    from transformers import BertConfig, BertForSequenceClassification

    config = BertConfig(
        vocab_size=len(WORDS),
        hidden_size=8,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=16,
        max_position_embeddings=20,
        num_labels=3,
    )
    return BertForSequenceClassification(config)


def causal_lm() -> Any:
    from transformers import GPT2Config, GPT2LMHeadModel

    return GPT2LMHeadModel(GPT2Config(vocab_size=len(WORDS), n_embd=8, n_layer=2, n_head=2, n_positions=20))


BATCH = {
    "input_ids": torch.tensor([[5, 6, 7, 8], [5, 6, 2, 1]]),
    "attention_mask": torch.tensor([[1, 1, 1, 1], [1, 1, 1, 0]]),
    "labels": torch.tensor([0, 1]),
    "example_ids": torch.tensor([0, 1]),
}


def card(task: str = "fill-mask") -> dict[str, Any]:
    return {
        "name": "tiny",
        "task": task,
        "data": "verse",
        "metrics": {"val/loss": 1.23456},
        "commands": ["quatrain train"],
    }


@pytest.mark.parametrize(
    ("build", "task"),
    [(masked_lm, "fill-mask"), (classifier, "text-classification"), (causal_lm, "text-generation")],
)
def test_an_export_loads_by_its_auto_class(tmp_path: Path, build: Callable[[], Any], task: str) -> None:
    import transformers

    torch.manual_seed(0)
    model = build().train()
    export(model, tokenizer().save_pretrained, tmp_path / "export", card(task), [BATCH])
    assert model.training
    folder = tmp_path / "export"
    names = {file.name for file in folder.iterdir()}
    assert {"model.safetensors", "config.json", "tokenizer.json", "README.md"} <= names
    again = getattr(transformers, auto_class(type(model).__name__)).from_pretrained(folder)
    assert type(again) is type(model)
    model.eval()
    inputs = {"input_ids": BATCH["input_ids"], "attention_mask": BATCH["attention_mask"]}
    torch.testing.assert_close(again(**inputs).logits, model(**inputs).logits, rtol=0, atol=1e-5)
    assert [path.name for path in tmp_path.iterdir()] == ["export"]


def test_a_pipeline_loads_the_export(tmp_path: Path) -> None:
    from transformers import pipeline

    export(masked_lm(), tokenizer().save_pretrained, tmp_path / "export", card(), [BATCH])
    guesses = pipeline("fill-mask", model=str(tmp_path / "export"), device="cpu")("the rose is <mask>", top_k=2)
    assert len(guesses) == 2
    assert guesses[0]["token_str"] in WORDS


def test_an_export_that_computes_something_else_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One weight is changed in the file; what was exported before stays."""
    folder = tmp_path / "export"
    export(masked_lm(), tokenizer().save_pretrained, folder, card(), [BATCH])
    before = {file.name: file.read_bytes() for file in folder.iterdir()}
    load = export_module.load

    def load_wrong(place: Path, like: Any) -> Any:
        loaded = load(place, like)
        with torch.no_grad():
            loaded.lm_head.bias[0] += 1e-3
        return loaded

    monkeypatch.setattr(export_module, "load", load_wrong)
    with pytest.raises(ExportMismatch, match=r"differ by 0\.001 from the checkpoint's, more than 1e-05"):
        export(masked_lm(), tokenizer().save_pretrained, folder, card(), [BATCH])
    assert {file.name: file.read_bytes() for file in folder.iterdir()} == before
    assert [path.name for path in tmp_path.iterdir()] == ["export"]


def test_a_new_export_takes_the_place_of_the_old(tmp_path: Path) -> None:
    folder = tmp_path / "export"
    folder.mkdir()
    (folder / "old").write_text("old")
    export(causal_lm(), tokenizer().save_pretrained, folder, card("text-generation"), [BATCH])
    assert not (folder / "old").exists()
    assert [path.name for path in tmp_path.iterdir()] == ["export"]


def test_a_failing_tokenizer_leaves_nothing(tmp_path: Path) -> None:
    def fail(folder: Path) -> None:
        raise KeyError(folder)

    with pytest.raises(KeyError):
        export(causal_lm(), fail, tmp_path / "export", card("text-generation"), [BATCH])
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_is_a_sentence_and_leaves_nothing(tmp_path: Path) -> None:
    def fail(folder: Path) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(NotNow, match=r"export cannot be written \(No space left on device\)"):
        export(causal_lm(), fail, tmp_path / "export", card("text-generation"), [BATCH])
    assert list(tmp_path.iterdir()) == []


def test_adapters_are_merged_first(tmp_path: Path) -> None:
    from transformers import AutoModelForCausalLM

    inner = causal_lm()
    merged = causal_lm()
    export(
        inner,
        tokenizer().save_pretrained,
        tmp_path / "e",
        card("text-generation"),
        [BATCH],
        merge_adapters=lambda _: merged,
    )
    loaded = AutoModelForCausalLM.from_pretrained(tmp_path / "e")
    assert torch.equal(loaded.transformer.wte.weight, merged.transformer.wte.weight)


@pytest.mark.parametrize(
    ("architecture", "expected"),
    [
        ("RobertaForMaskedLM", "AutoModelForMaskedLM"),
        ("DistilBertForSequenceClassification", "AutoModelForSequenceClassification"),
        ("GPT2LMHeadModel", "AutoModelForCausalLM"),
        ("LlamaForCausalLM", "AutoModelForCausalLM"),
        ("BertModel", "AutoModel"),
    ],
)
def test_auto_classes(architecture: str, expected: str) -> None:
    assert auto_class(architecture) == expected


def test_the_card_says_what_it_is() -> None:
    text = model_card(
        **card(),
        data_fingerprint="f" * 64,
        parameters=1234,
        step=10,
        base_model="bert-base-uncased",
        versions={"torch": "2"},
    )
    head = yaml.safe_load(text.split("---")[1])
    assert head == {
        "library_name": "transformers",
        "pipeline_tag": "fill-mask",
        "license": "other",
        "license_name": "that-of-the-data-and-of-the-base-model",
        "tags": ["quatrain"],
        "base_model": "bert-base-uncased",
        "model-index": head["model-index"],
    }
    for part in ("# tiny\n", "| val/loss | 1.235 |", "1,234", "quatrain train", "AutoModelForMaskedLM", "<mask>"):
        assert part in text
    with pytest.raises(ValueError, match="must be one of fill-mask"):
        model_card(**card("poetry"))


def test_large_logits_are_allowed_their_own_rounding(tmp_path: Path) -> None:
    """Of a model whose float32 is coarse a weight may be a rounding apart, as another machine sums it; not more."""
    from quatrain.runs.logits import ROUNDINGS, logits_of, prove

    torch.manual_seed(0)
    model = causal_lm()
    with torch.no_grad():
        model.transformer.ln_f.weight.mul_(1e5)
    inputs = {name: BATCH[name] for name in ("input_ids", "attention_mask")}
    own = logits_of(model, inputs)
    rounding = float((logits_of(model.double(), inputs) - own).abs().max())
    model.float()
    assert rounding > 1e-5, "the model is not what this test needs"
    near, far = own + ROUNDINGS * rounding * 0.9, own + ROUNDINGS * rounding * 2
    assert prove(model, inputs, own, near, 1e-5) > 1e-5
    with pytest.raises(ExportMismatch, match="differ by"):
        prove(model, inputs, own, far, 1e-5)
    with pytest.raises(ExportMismatch, match="differ by nan"):
        prove(model, inputs, own, own * float("nan"), 1e-5)
    with pytest.raises(ExportMismatch, match="shape"):
        prove(model, inputs, own, own[:1], 1e-5)
