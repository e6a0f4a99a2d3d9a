"""Every shipped experiment runs end to end, and its run directory holds what others read."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from quatrain.config.folder import conf_folder
from quatrain.training.checkpoint_files import saved_in

from .conftest import SMALL

TINY = {
    "roberta": (
        "model.config.hidden_size=16",
        "model.config.num_hidden_layers=2",
        "model.config.num_attention_heads=2",
    ),
    "gpt2": ("model.config.n_embd=16", "model.config.n_layer=2", "model.config.n_head=2"),
}
SONNETS = "I\n\n{}\n\nII\n\n{}\n\nIII\n\n{}\n\nIV\n\n{}\n"


def _experiments() -> list[str]:
    return sorted(path.stem for path in (conf_folder() / "experiment").glob("*.yaml"))


def _stand_ins(name: str, folder: Path, bert: Path, gpt2: Path) -> list[str]:
    """What an experiment takes from outside, replaced by small local files."""
    if name == "mrpc_bert":
        return [f"model.weights={bert}", f"tokenizer.source={bert}", "data.source=verse"]
    if name == "windows_gpt2":
        return [f"tokenizer.source={gpt2}", "data.max_length=16", "data.stride=8", *TINY["gpt2"]]
    if name == "sonnets_roberta":
        from quatrain.corpora.verse import poems

        file = folder / "sonnets.txt"
        file.write_text(SONNETS.format(*poems(4, 0)), encoding="utf-8")
        return [f"data.source={file}", "data.validation_share=0.25", "tokenizer.vocab_size=300", *TINY["roberta"]]
    return ["tokenizer.vocab_size=400"]


@pytest.mark.parametrize("name", _experiments())
def test_an_experiment_runs(
    name: str, run_here: Callable[..., Any], tmp_path: Path, bert_folder: Path, gpt2_folder: Path
) -> None:
    run, code = run_here(f"experiment={name}", *SMALL, *_stand_ins(name, tmp_path, bert_folder, gpt2_folder))
    assert code == 0, run.log.read_text()
    assert run.status().status == "done"
    result = json.loads(run.result.read_text())
    assert {"metrics", "best", "seconds"} <= set(result)
    assert all(result[name] > 0 for name in ("tokens_per_second", "flops_per_second", "mfu"))
    assert 0 <= result["data_wait"] <= 1
    assert result["best"]["step"] == 3
    rows = run.read_metrics()
    assert list(rows[0])[:2] == ["step", "epoch"]
    assert [row["step"] for row in rows if "train/loss" in row] == [1, 2, 3]
    speed = {f"train/{name}" for name in ("tokens_per_second", "padded_share", "flops_per_second", "mfu", "data_wait")}
    assert all(speed <= set(row) for row in rows if "train/loss" in row)
    assert sum("val/loss" in row for row in rows) >= 1
    names = {path.name for path in run.checkpoints.iterdir()}
    assert names == {"best.ckpt", "last.ckpt", saved_in(run.checkpoints)[0].path.name}
    assert (run.export / "model.safetensors").is_file()
    provenance = json.loads(run.provenance.read_text())
    assert provenance["choices"]["precision"]["reason"]
    assert provenance["fingerprints"]["data"]


def test_a_checkpoint_holds_tensors_and_plain_values_only(run_here: Callable[..., Any]) -> None:
    import torch

    run, code = run_here("experiment=quick_windows", *SMALL)
    assert code == 0
    for name in ("best.ckpt", "last.ckpt"):
        assert torch.load(run.checkpoints / name, weights_only=True)["global_step"] == 3


def test_the_same_seed_gives_the_same_losses_and_another_one_others(run_here: Callable[..., Any]) -> None:
    def losses(run: Any) -> list[float]:
        return [row["train/loss"] for row in run.read_metrics() if "train/loss" in row]

    first, again, other = (
        losses(run_here("experiment=quick_mrpc", *SMALL, f"seed={seed}", name=name)[0])
        for seed, name in ((1, "a"), (1, "b"), (2, "c"))
    )
    assert first == again
    assert first != other


def test_the_test_split_is_scored_only_when_asked(run_here: Callable[..., Any]) -> None:
    without, _ = run_here("experiment=quick_mrpc", *SMALL, name="without")
    assert not any(name.startswith("test") for name in without.read_result()["metrics"])
    asked, code = run_here("experiment=quick_mrpc", *SMALL, "test=true", name="asked")
    assert code == 0
    assert {"test/loss", "test/accuracy", "test/f1"} <= set(asked.read_result()["metrics"])


def test_own_scores_are_a_regression_judged_by_pearson(run_here: Callable[..., Any], tmp_path: Path) -> None:
    rows = [{"text_a": f"line {n}", "text_b": f"line {n % 7}", "label": n / 10} for n in range(80)]
    file = tmp_path / "scores.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    run, code = run_here("experiment=quick_mrpc", *SMALL, f"data.source={file}", "tokenizer.vocab_size=300")
    assert code == 0, run.log.read_text()
    assert run.read_result()["best"]["monitor"] == "val/pearson"


def test_tensorboard_and_early_stopping_and_a_callback_of_choice(run_here: Callable[..., Any]) -> None:
    pytest.importorskip("tensorboard")
    run, code = run_here(
        "experiment=quick_windows",
        *SMALL,
        "logger=tensorboard",
        "callbacks=early_stopping",
        "+callbacks.rate._target_=pytorch_lightning.callbacks.LearningRateMonitor",
    )
    assert code == 0, run.log.read_text()
    assert list(run.tracking.rglob("events.out.tfevents.*"))


def test_a_masked_lm_trained_here_becomes_a_classifier(run_here: Callable[..., Any]) -> None:
    first, _ = run_here("experiment=quick_sonnets", *SMALL, name="pretrained")
    second, code = run_here(
        "experiment=quick_mrpc",
        *SMALL,
        f"model.weights={first.path}",
        "tokenizer=pretrained",
        f"tokenizer.source={first.path}",
        "data.max_length=32",  # the positions of the masked LM
        name="tuned",
    )
    assert code == 0, second.log.read_text()
    card = (second.export / "README.md").read_text()
    assert "text-classification" in card


@pytest.mark.parametrize("option", ["fast", "overfit", "profile"])
def test_debug_options_run(option: str, run_here: Callable[..., Any]) -> None:
    shorter = ("trainer.max_epochs=1",) if option == "overfit" else ()
    run, code = run_here(
        "experiment=quick_windows", "data.verse_size=60", "trainer.accelerator=cpu", f"debug={option}", *shorter
    )
    assert code == 0, run.log.read_text()
    if option == "profile":
        assert "the 10 dearest parts of a batch" in run.log.read_text()
        assert (run.path / "profile" / "trace.json.gz").is_file()


def test_lora_trains_adapters_and_exports_a_plain_model(run_here: Callable[..., Any], bert_folder: Path) -> None:
    pytest.importorskip("peft")
    run, code = run_here(
        "experiment=mrpc_bert",
        *SMALL,
        f"model.weights={bert_folder}",
        f"tokenizer.source={bert_folder}",
        "data.source=verse",
        "model.lora.r=4",
    )
    assert code == 0, run.log.read_text()
    from transformers import AutoModelForSequenceClassification

    loaded = AutoModelForSequenceClassification.from_pretrained(run.export)
    assert not any("lora" in name for name, _ in loaded.named_parameters())
