"""The verdict names the first difference, its size and what differs in config and surroundings."""

import json
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from quatrain.core.errors import UserError
from quatrain.runs.directory import RunDirectory
from quatrain.runs.metrics_file import MetricsFile
from quatrain.runs.reproduce import again, folder_for, last_step
from quatrain.runs.surroundings import differences
from quatrain.runs.verdict import judge

CONFIG: dict[str, Any] = {
    "name": "mine",
    "run": {"dir": None, "root": "outputs"},
    "sweep": {"name": None},
    "optimizer": {"lr": 0.001},
    "trainer": {"devices": "auto", "precision": "auto", "deterministic": None},
}
ORIGIN: dict[str, Any] = {
    "config": {"resolved": CONFIG},
    "versions": {"torch": "2.13.0", "numpy": "2.0"},
    "host": "here",
    "git": {"commit": "a" * 40, "diff_sha256": "1" * 64},
    "fingerprints": {"data": "1" * 64, "tokenizer": "2" * 64, "weights": "3" * 64},
    "choices": {
        "devices": {"value": 2, "reason": ""},
        "precision": {"value": "bf16-mixed", "reason": ""},
        "threads": {"value": 3, "reason": ""},
    },
}


def made(path: Path, losses: list[float], status: str = "done", **origin: Any) -> RunDirectory:
    run = RunDirectory.create(path, CONFIG, ["optimizer.lr=0.001"])
    metrics = MetricsFile(run.metrics_file)
    for step, loss in enumerate(losses, start=1):
        metrics.append({"step": step, "epoch": 0, "train/loss": loss})
    run.write_provenance(ORIGIN | origin)
    run.set_status(status, "why" if status == "failed" else None)  # type: ignore[arg-type]
    return run


def test_an_equal_run_is_identical_and_says_so(tmp_path: Path) -> None:
    verdict = judge(made(tmp_path / "a", [3.0, 2.0]), made(tmp_path / "b", [3.0, 2.0]), {})
    assert verdict.identical
    assert verdict.lines()[0] == "identical to the bit: 2 values up to step 2"
    assert json.loads((tmp_path / "b" / "reproduction.json").read_text())["identical"] is True
    assert not (tmp_path / "a" / "reproduction.json").exists()


def test_another_learning_rate_is_named_and_pinned_choices_are_not(tmp_path: Path) -> None:
    config = deepcopy(CONFIG)
    config["optimizer"]["lr"] = 0.002
    config["trainer"]["devices"] = 2
    config["run"]["dir"] = "elsewhere"
    other = made(tmp_path / "b", [3.0, 2.5], config={"resolved": config})
    verdict = judge(made(tmp_path / "a", [3.0, 2.0]), other, {"trainer.devices": 2})
    assert not verdict.identical
    written = json.loads((tmp_path / "b" / "reproduction.json").read_text())
    assert written["first"] == {
        **{"step": 2, "metric": "train/loss", "original": 2.0, "reproduced": 2.5},
        **{"absolute": 0.5, "relative": 0.2},
    }
    assert written["config"] == [{"what": "optimizer.lr", "before": 0.001, "now": 0.002}]
    said = "\n".join(verdict.lines())
    assert "step 2, train/loss: 2.0 in the original, 2.5 now" in said
    assert "optimizer.lr: 0.001 before, 0.002 now" in said


def test_what_differs_in_the_surroundings_and_nothing_else() -> None:
    now = deepcopy(ORIGIN)
    now["versions"] = {"torch": "2.14.0", "numpy": "2.0", "new": "1"}
    now["git"] = {"commit": "b" * 40, "diff_sha256": None}
    now["fingerprints"]["data"] = "9" * 64
    now["choices"]["precision"]["value"] = "32-true"
    now["choices"]["threads"] = {"value": 1, "reason": "told by another key"}
    now["cpu"] = "another, of which the first start told nothing"
    assert [str(change) for change in differences(ORIGIN, now)] == [
        "the corpus: 111111111111 before, 999999999999 now",
        "precision: bf16-mixed before, 32-true now",
        "torch: 2.13.0 before, 2.14.0 now",
        "new: nothing before, 1 now",
        "source, commit: aaaaaaaaaaaa before, bbbbbbbbbbbb now",
        "source, changes: 111111111111 before, nothing now",
    ]
    assert differences(ORIGIN, deepcopy(ORIGIN)) == []
    assert differences({}, now) == []


@pytest.mark.parametrize("status", ["failed", "interrupted"])
def test_an_original_that_was_stopped(tmp_path: Path, status: str) -> None:
    original = made(tmp_path / "a", [3.0, 2.0], status)
    verdict = judge(original, made(tmp_path / "b", [3.0, 2.0, 1.0], "interrupted"), {}, stopped=True)
    assert verdict.identical
    assert f"the original is {status}" in "\n".join(verdict.lines())


def test_a_reproduction_that_failed_is_not_identical(tmp_path: Path) -> None:
    verdict = judge(made(tmp_path / "a", [3.0, 2.0]), made(tmp_path / "b", [3.0, 2.0], "failed"), {})
    assert not verdict.identical
    assert "the reproduction is failed: why" in verdict.lines()


def test_an_original_that_was_trained_on_and_resumed(tmp_path: Path) -> None:
    entry = {"step": 2, "host": "there", "changed": [{"what": "torch", "before": "1", "now": "2"}]}
    original = made(tmp_path / "a", [3.0, 2.0, 1.0], resumed=[entry])
    (original.path / "changes.yaml").write_text("[]\n")
    verdict = judge(original, made(tmp_path / "b", [3.0, 2.0]), {})
    assert verdict.identical
    said = "\n".join(verdict.lines())
    assert "the original was changed later" in said
    assert "went on from step 2 on there with other torch" in said


def test_what_a_run_is_run_again_with(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    original = made(tmp_path / "a", [1.0])
    plan = again(original)
    assert plan.config == CONFIG | {"trainer": {"devices": 2, "precision": "bf16-mixed", "deterministic": None}}
    assert plan.pinned == {"trainer.devices": 2, "trainer.precision": "bf16-mixed"}
    assert plan.environment == {"WANDB_MODE": "offline", "MLFLOW_TRACKING_URI": "", "OMP_NUM_THREADS": "3"}
    assert any("3 threads" in note for note in plan.notes)
    exact = again(original, exact=True, place=tmp_path / "new")
    assert exact.config["trainer"]["deterministic"] is True
    assert exact.config["run"]["dir"] == str(tmp_path / "new")
    assert exact.environment["CUBLAS_WORKSPACE_CONFIG"] == ":4096:8"
    assert any("the original ran without" in note for note in exact.notes)
    assert original.read_config() == CONFIG


def test_a_run_that_is_run_again_reaches_no_tracking_server(tmp_path: Path) -> None:
    original = made(tmp_path / "a", [1.0])
    config = {**CONFIG, "logger": {"mlflow": {"_target_": "M", "tracking_uri": "http://there", "name": "x"}}}
    original.config.write_text(json.dumps(config))
    plan = again(original)
    assert plan.config["logger"]["mlflow"] == {"_target_": "M", "tracking_uri": None, "name": "x"}
    assert plan.pinned["logger.mlflow.tracking_uri"] is None
    assert "logger.mlflow.tracking_uri=null: MLflow keeps the new run as files" in plan.notes


def test_the_new_run_lies_beside_the_original_and_never_in_it_or_in_a_sweep(tmp_path: Path) -> None:
    single = made(tmp_path / "outputs" / "mine" / "one", [1.0])
    assert folder_for(single).parent == single.path.parent
    assert "reproduce" in folder_for(single).name
    job = made(tmp_path / "outputs" / "sweeps" / "grid" / "one", [1.0])
    assert folder_for(job).parent == single.path.parent
    assert folder_for(single, tmp_path / "new") == tmp_path / "new"
    for inside in (single.path, single.path / "again", single.path / ".." / "one" / "x"):
        with pytest.raises(UserError, match="lies in the run"):
            folder_for(single, inside)


def test_a_run_that_cannot_be_compared_is_refused(tmp_path: Path) -> None:
    assert last_step(made(tmp_path / "a", [3.0, 2.0])) == 2
    with pytest.raises(UserError, match="wait for its end"):
        last_step(made(tmp_path / "b", [3.0], "running"))
    with pytest.raises(UserError, match=r"failed \(why\) and logged no step"):
        last_step(made(tmp_path / "c", [], "failed"))
