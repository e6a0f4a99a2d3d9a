"""Models are checked against tokenizer, data and themselves in sentences with both numbers, without torch."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from quatrain.core.errors import UserError
from quatrain.models.checks import check_choice, check_lora, check_model, check_recipe, check_weights, model_config_of
from quatrain.models.config_words import positions
from quatrain.models.recipe import LanguageModel


def test_no_torch_is_loaded() -> None:
    """The early checks must not pay for importing torch."""
    code = (
        "import sys, quatrain.models.checks, quatrain.models.recipe, quatrain.models.sizes;"
        "import quatrain.tasks.metric_names;"
        "sys.exit('torch' in sys.modules or 'transformers' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize(
    ("config", "usable"),
    [
        ({"model_type": "bert", "max_position_embeddings": 512}, 512),
        ({"model_type": "gpt2", "n_positions": 1024}, 1024),
        ({"model_type": "roberta", "max_position_embeddings": 514}, 512),
        ({"model_type": "roberta", "max_position_embeddings": 514, "pad_token_id": 0}, 513),
        ({"model_type": "bert"}, None),
    ],
)
def test_usable_positions(config: dict[str, object], usable: int | None) -> None:
    assert positions(config) == usable


def test_both_numbers_and_the_fix_are_told() -> None:
    config = {"model_type": "roberta", "vocab_size": 100, "max_position_embeddings": 66, "num_hidden_layers": 2}
    wrong = check_model(
        config | {"hidden_size": 10, "num_attention_heads": 4}, tokenizer_size=101, max_length=65, frozen_layers=3
    )
    assert len(wrong) == 4
    assert "101" in wrong[0]
    assert "100" in wrong[0]
    assert "data.max_length=65" in wrong[1]
    assert "64" in wrong[1]
    assert "hidden_size=10 is not a multiple of num_attention_heads=4; hidden_size=8 would fit" in wrong[2]
    assert "model.frozen_layers=3" in wrong[3]
    assert check_model(config, tokenizer_size=100, max_length=64, frozen_layers=2) == []
    assert check_model(None, tokenizer_size=100) == []


def test_unknown_numbers_are_not_guessed() -> None:
    assert check_model({"model_type": "bert"}, tokenizer_size=10**9, max_length=10**9, frozen_layers=99) == []


def test_exactly_one_of_weights_and_config() -> None:
    assert "both given" in check_choice("bert", {"model_type": "bert"})[0]
    assert "neither" in check_choice(None, None)[0]
    assert check_choice("bert", None) == check_choice(None, {}) == []


def test_recipe_tells_all_that_is_wrong_at_once() -> None:
    with pytest.raises(UserError) as caught:
        LanguageModel(task="causal_lm", label_smoothing=1.0, layer_lr_decay=0.0, frozen_layers=-1)
    assert [sentence.split("=")[0] for sentence in caught.value.sentences[1:]] == [
        "model.label_smoothing",
        "model.layer_lr_decay",
        "model.frozen_layers",
    ]
    wrong = check_recipe(task="translate", label_smoothing=0, layer_lr_decay=1, frozen_layers=0, lora=None)
    assert "model.task='translate'" in wrong[0]


def test_lora_words_and_ranges() -> None:
    assert check_lora({"r": 4, "alpha": 8, "dropout": 0.1, "target_modules": None}) == []
    wrong = check_lora({"rank": 4, "r": 0, "dropout": 1.5}, frozen_layers=1)
    assert len(wrong) == 4
    assert "model.lora.rank is not known" in wrong[0]


def test_folders_of_weights(tmp_path: Path) -> None:
    """Missing, without config, pickled only, whole, and a run of ours with its export."""
    (tmp_path / "weights").mkdir()
    folder = tmp_path / "weights"
    assert "did you mean" in check_weights(f"{tmp_path}/wieghts")[0]
    assert "config.json" in check_weights(str(folder))[0]
    (folder / "config.json").write_text(json.dumps({"model_type": "bert", "vocab_size": 7}))
    assert "no *.safetensors" in check_weights(str(folder))[0]
    (folder / "pytorch_model.bin").write_bytes(b"\x80")
    assert "pickled" in check_weights(str(folder))[0]
    (folder / "model.safetensors").write_bytes((2).to_bytes(8, "little") + b"{}")
    assert check_weights(str(folder)) == []
    assert model_config_of(str(folder)) == {"model_type": "bert", "vocab_size": 7}
    assert "is a file" in check_weights(str(folder / "config.json"))[0]
    run = tmp_path / "run"
    run.mkdir()
    (run / "config.yaml").write_text("seed: 1\n")
    assert "exported no model" in check_weights(str(run))[0]
    folder.rename(run / "export")
    assert check_weights(str(run)) == []
    assert model_config_of(str(run)) == {"model_type": "bert", "vocab_size": 7}
    assert model_config_of("bert-base-uncased") is None
    assert check_weights("bert-base-uncased") == []


def test_a_hub_name_that_is_not_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the hub the sentence comes at once and names the key."""
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    recipe = LanguageModel(task="masked_lm", weights="nobody-here/no-such-model")
    assert recipe.check() == []
    with pytest.raises(UserError, match=r"model.weights=nobody-here/no-such-model"):
        recipe.build(tokenizer_size=5, special_ids={}, max_length=5)


def test_peft_is_asked_for_by_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("quatrain.models.checks.find_spec", lambda name: None)
    recipe = LanguageModel(task="masked_lm", config={"model_type": "roberta"}, lora={"r": 2})
    assert "pip install 'quatrain[lora]'" in recipe.check()[0]
