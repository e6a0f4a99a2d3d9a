"""Proves that a folder of weights brings data alone: no code, no pickle, no other place, no absurd size.

Each attack is shown to be real by what happens without the guard.
"""

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from quatrain.core.errors import UserError
from quatrain.models import folder_checks
from quatrain.models import recipe as recipe_module
from quatrain.models.folder_checks import plain_config
from quatrain.models.limits import check_allocation, check_size
from quatrain.models.loading import load_config
from quatrain.models.recipe import LanguageModel
from quatrain.models.sources import check_weights, model_config_of
from quatrain.runs.export import load

SIZE: dict[str, Any] = {"tokenizer_size": 50, "special_ids": {"pad": 0}, "max_length": 12}
CONFIG = {
    "model_type": "bert",
    "vocab_size": 50,
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 32,
    "max_position_embeddings": 16,
}


class Payload:
    """A pickle of it makes the file ``marker`` when it is loaded."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return exec, (f"open({str(self.marker)!r}, 'w').close()",)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    from transformers import BertConfig, BertForMaskedLM

    BertForMaskedLM(BertConfig(**{k: v for k, v in CONFIG.items() if k != "model_type"})).save_pretrained(
        tmp_path / "weights"
    )
    return tmp_path / "weights"


def rewrite(folder: Path, **words: Any) -> None:
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, **words}))


def built(folder: Path) -> Any:
    return LanguageModel(task="masked_lm", weights=str(folder)).build(**SIZE)


def refused(folder: Path) -> str:
    """The sentences of the check before work and of building, which are the same."""
    sentences = check_weights(str(folder))
    with pytest.raises(UserError) as caught:
        built(folder)
    assert caught.value.sentences == sentences
    return str(caught.value)


def test_an_honest_folder_is_loaded(folder: Path) -> None:
    assert check_weights(str(folder)) == []
    assert type(built(folder)).__name__ == "BertForMaskedLM"


def test_a_pickled_checkpoint_runs_nothing(tmp_path: Path) -> None:
    from quatrain.training.checkpoint_files import WholeCheckpoints

    marker = tmp_path / "executed"
    torch.save({"state_dict": {}, "x": Payload(marker)}, tmp_path / "last.ckpt")
    with pytest.raises(UserError, match=r"last.ckpt is no checkpoint of tensors and plain values"):
        WholeCheckpoints().load_checkpoint(tmp_path / "last.ckpt", weights_only=False)
    assert not marker.exists()
    torch.load(tmp_path / "last.ckpt", weights_only=False)
    assert marker.exists(), "the payload is a real one"


@pytest.mark.parametrize("name", ["pytorch_model.bin", "model.ckpt", "weights.pt"])
def test_pickles_beside_the_weights_are_never_loaded(name: str, folder: Path, tmp_path: Path) -> None:
    marker = tmp_path / "executed"
    torch.save(Payload(marker), folder / name)
    built(folder)
    assert not marker.exists()
    (folder / "model.safetensors").unlink()
    assert "loading a pickle can run any code" in refused(folder)
    assert not marker.exists()


def test_an_explicit_name_of_a_pickle_in_the_config_is_not_followed(folder: Path, tmp_path: Path) -> None:
    marker = tmp_path / "executed"
    torch.save(Payload(marker), folder / "pytorch_model.bin")
    rewrite(folder, transformers_weights="pytorch_model.bin")
    built(folder)
    assert not marker.exists()


CODE = """
from pathlib import Path
from transformers import BertConfig

Path({marker!r}).touch()

class Evil(BertConfig):
    pass
"""


def test_an_auto_map_imports_nothing(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from transformers import AutoConfig, dynamic_module_utils

    monkeypatch.setattr(dynamic_module_utils, "HF_MODULES_CACHE", str(tmp_path / "modules"))
    marker = tmp_path / "imported"
    (folder / "evil.py").write_text(CODE.format(marker=str(marker)))
    classes = {"AutoConfig": "evil.Evil", "AutoModelForMaskedLM": "evil.Evil"}
    rewrite(folder, auto_map=classes, trust_remote_code=True)
    model = built(folder)
    assert not hasattr(model.config, "auto_map")
    rewrite(folder, model_type="evil")
    with pytest.raises(UserError, match="a model's own code is never run"):
        built(folder)
    rewrite(folder, model_type=None)
    assert "code of a model is never run" in check_weights(str(folder))[0]
    assert not marker.exists()
    rewrite(folder, model_type="evil")
    AutoConfig.from_pretrained(folder, trust_remote_code=True)
    assert marker.exists(), "the code is found and run where it is trusted"


def test_no_kernel_of_the_hub_is_named(folder: Path) -> None:
    """An attention such as ``someone/kernel`` makes transformers download code and run it."""
    rewrite(folder, **dict.fromkeys(("attn_implementation", "_attn_implementation_internal"), "someone/kernel"))
    assert load_config(str(folder), None)._attn_implementation is None
    assert plain_config({"a": {"auto_map": {}, "b": 1}, "use_kernels": True}) == {"a": {"b": 1}}
    with pytest.raises(UserError, match=r"model.attention='someone/kernel' is unknown"):
        LanguageModel(task="masked_lm", config=CONFIG, attention="someone/kernel")  # type: ignore[arg-type]


def test_a_header_that_declares_more_than_the_file(folder: Path) -> None:
    tensor = {"dtype": "F32", "shape": [500_000_000], "data_offsets": [0, 2_000_000_000]}
    header = json.dumps({"w": tensor}).encode()
    body = len(header).to_bytes(8, "little") + header
    (folder / "model.safetensors").write_bytes(body.ljust(1024, b"\0"))
    assert "declares 2 GB of tensors and holds" in refused(folder)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "declares a header of 0 bytes"),
        ((1 << 60).to_bytes(8, "little") + b"{}", "declares a header of 1.153e+09 GB"),
        ((10).to_bytes(8, "little") + b"{}", "declares a header of 10 bytes"),
        ((4).to_bytes(8, "little") + b"null", "a header that is none of safetensors"),
        ((60_000).to_bytes(8, "little") + b"[" * 60_000, "a header that is none of safetensors"),
        ((2).to_bytes(8, "little") + b"{}" + b"x" * 1000, "declares 0 bytes of tensors and holds 1 KB"),
    ],
)
def test_headers_that_do_not_fit(content: bytes, said: str, folder: Path) -> None:
    (folder / "model.safetensors").write_bytes(content)
    assert said in refused(folder)


def test_a_tensor_whose_bytes_do_not_fit_its_shape(folder: Path) -> None:
    header = json.dumps({"w": {"dtype": "F32", "shape": [1000, 1000], "data_offsets": [0, 4]}}).encode()
    (folder / "model.safetensors").write_bytes(len(header).to_bytes(8, "little") + header + b"\0" * 4)
    assert "w has 4 bytes for the shape [1000, 1000]" in refused(folder)


def test_an_index_that_names_other_places(folder: Path) -> None:
    outside = folder.parent / "private.safetensors"
    (folder / "model.safetensors").rename(outside)
    from safetensors import safe_open

    with safe_open(outside, "pt") as tensors:
        names = list(tensors.keys())
    index = {"metadata": {}, "weight_map": dict.fromkeys(names, "../private.safetensors")}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))
    from transformers import BertForMaskedLM

    BertForMaskedLM.from_pretrained(folder)  # the attack is real: it reads beyond the folder
    assert "names '../private.safetensors', which is no safetensors file beside it" in refused(folder)
    index["weight_map"] = dict.fromkeys(names, "part.safetensors")
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))
    assert "names part.safetensors, which is not there" in refused(folder)
    (folder / "part.safetensors").symlink_to(outside)
    assert "leads out of" in refused(folder)


@pytest.mark.parametrize("name", ["config.json", "generation_config.json", "model.safetensors"])
def test_links_to_other_places(name: str, folder: Path) -> None:
    outside = folder.parent / "private"
    outside.write_bytes((folder / name).read_bytes() if (folder / name).exists() else b"{}")
    (folder / name).unlink(missing_ok=True)
    (folder / name).symlink_to(outside)
    assert f"{folder / name} leads out of {folder} to {outside}" in check_weights(str(folder))[0]
    with pytest.raises(UserError, match="leads out of"):
        built(folder)
    if name == "config.json":
        assert model_config_of(str(folder)) is None


def test_the_links_of_the_hubs_cache_are_inside(folder: Path, tmp_path: Path) -> None:
    """There a snapshot's files are links into the blobs of the same repository, and of no other."""
    blobs = tmp_path / "models--me--mine" / "blobs"
    snapshot = tmp_path / "models--me--mine" / "snapshots" / ("a" * 40)
    blobs.mkdir(parents=True)
    snapshot.mkdir(parents=True)
    for file in folder.iterdir():
        file.rename(blobs / file.name)
        (snapshot / file.name).symlink_to(Path("../../blobs") / file.name)
    built(snapshot)
    (tmp_path / "models--me--other").mkdir()
    (blobs / "config.json").rename(tmp_path / "models--me--other" / "config.json")
    (snapshot / "config.json").unlink()
    (snapshot / "config.json").symlink_to("../../../models--me--other/config.json")
    assert "leads out of" in check_weights(str(snapshot))[0]


def test_a_run_whose_export_lies_elsewhere(folder: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    run.mkdir()
    (run / "config.yaml").write_text("seed: 1\n")
    (run / "export").symlink_to(folder)
    assert "leads out of" in refused(run)


def test_an_adapter_that_names_other_weights(folder: Path) -> None:
    (folder / "adapter_config.json").write_text('{"base_model_name_or_path": "/somewhere/else", "peft_type": "LORA"}')
    assert "holds an adapter" in refused(folder)


def test_quantized_weights(folder: Path) -> None:
    rewrite(folder, quantization_config={"quant_method": "someone"})
    assert "is quantized" in refused(folder)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ({"hidden_size": 10**9}, "would need 9.6e+10 GB of memory"),
        ({"num_hidden_layers": 10**6}, "num_hidden_layers=1000000 is beyond 2000"),
        ({"num_labels": 10**9}, "num_labels=1000000000 is beyond 1000000"),
        ({"vocab_size": 10**15}, "would need 6.4e+07 GB"),
    ],
)
def test_absurd_sizes(words: dict[str, Any], said: str, folder: Path) -> None:
    rewrite(folder, **words)
    assert said in refused(folder)
    if "num_labels" not in words:
        with pytest.raises(UserError) as caught:
            LanguageModel(task="masked_lm", config={**CONFIG, **words}).build(**SIZE)
        assert said in str(caught.value)


@pytest.mark.parametrize(("word", "value"), [("intermediate_size", 10**12), ("max_position_embeddings", 10**17)])
def test_absurd_sizes_that_no_word_tells_are_measured(word: str, value: int) -> None:
    with pytest.raises(UserError, match=r"memory"):
        LanguageModel(task="masked_lm", config={**CONFIG, word: value}).build(**SIZE)


def test_more_than_this_machine_has(monkeypatch: pytest.MonkeyPatch) -> None:
    model = torch.nn.Linear(1000, 1000, device="meta")
    check_allocation(model, "model.config")
    monkeypatch.setattr("quatrain.models.limits.machine_memory", lambda: 10**6)
    with pytest.raises(UserError, match=r"would need 4.004 MB of memory .* beyond 1 MB \(this machine has no more"):
        check_allocation(model, "model.config")


def test_published_sizes_pass() -> None:
    """Llama 3's 405 billion weights are beyond what is built, GPT-2 XL is not."""
    assert check_size({"n_embd": 1600, "n_layer": 48, "vocab_size": 50257}) == []
    assert check_size({"hidden_size": 16384, "num_hidden_layers": 126, "vocab_size": 128256})


def test_random_weights_do_not_depend_on_the_measure(monkeypatch: pytest.MonkeyPatch) -> None:
    """The model that is made from shapes draws no random number."""

    def first() -> torch.Tensor:
        torch.manual_seed(7)
        return LanguageModel(task="masked_lm", config=CONFIG).build(**SIZE).get_input_embeddings().weight

    measured = first()
    monkeypatch.setattr(recipe_module.LanguageModel, "_check_allocation", lambda *_: None)
    assert torch.equal(first(), measured)


def test_an_export_is_read_back_without_code(folder: Path) -> None:
    model = built(folder)
    assert type(load(folder, model)) is type(model)


def test_of_the_hub_only_data_is_fetched_and_read(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name of the hub goes through the same checks, offline from its cache."""
    import huggingface_hub

    commit = "a" * 40
    snapshot = tmp_path / "models--me--mine" / "snapshots" / commit
    snapshot.parent.mkdir(parents=True)
    folder.rename(snapshot)
    (tmp_path / "models--me--mine" / "refs").mkdir()
    (tmp_path / "models--me--mine" / "refs" / "main").write_text(commit)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path))
    asked = []
    original = huggingface_hub.snapshot_download
    monkeypatch.setattr(
        huggingface_hub,
        "snapshot_download",
        lambda name, **words: asked.append(words["allow_patterns"]) or original(name, **words),
    )
    recipe = LanguageModel(task="masked_lm", weights="me/mine")
    assert type(recipe.build(**SIZE)).__name__ == "BertForMaskedLM"
    assert asked == [["config.json", "generation_config.json"], list(folder_checks.WEIGHT_FILES)]
    (snapshot / "model.safetensors").write_bytes(b"")
    with pytest.raises(UserError, match="declares a header"):
        LanguageModel(task="masked_lm", weights="me/mine").build(**SIZE)
