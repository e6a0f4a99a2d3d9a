"""Proves what W&B gets of a run, from the file of records that it really wrote."""

import signal
import sys
from pathlib import Path

import psutil
import pytest

from quatrain.core.exit_codes import DONE, FAILED, INTERRUPTED
from quatrain.runs.naming import readable_tag
from quatrain.tracking.facts import RunFacts
from quatrain.tracking.wandb_files import history
from quatrain.tracking.weights_and_biases import WeightsAndBiases

from .conftest import Here
from .what_wandb_wrote import files_of, read

OFFLINE = ("logger=wandb", "logger.wandb.mode=offline", "logger.wandb.system_metrics=false")
SECRETS = {
    "WANDB_API_KEY": "hostile0key0hostile0key0hostile0key0hostile0key",
    "MY_DB_PASSWORD": "hostile-pass-1234",
    "HF_TOKEN": "hf_hostile1hostile2hostile3",
}


def test_a_run_is_one_run_there_and_no_file_holds_a_secret(
    here: Here, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)
    run, code = here.train(*OFFLINE, "logger.wandb.tags=[mine]", "logger.wandb.log_export=true", "optimizer.lr=2e-3")
    assert code == DONE, run.log.read_text()
    (file,) = files_of(run.path)
    found, rows = read(file), run.read_metrics()

    assert found.exit_code == DONE
    assert found.run.project == "quatrain"
    assert found.run.run_group == "quick_mrpc"
    assert found.run.display_name == readable_tag(run.read_overrides())
    assert {"sequence_classification", "verse", "bert", "mine"} <= set(found.run.tags)
    frozen = run.read_config()
    assert {name: found.config[name] for name in frozen} == frozen
    assert found.config["run_directory"] == str(run.path)

    assert found.steps("train/loss") == [1, 2, 3, 4, 5, 6]
    assert found.steps("val/loss") == [2, 4, 6]
    assert [row["_step"] for row in found.rows] == list(range(len(found.rows)))
    mirrored = [row for row in found.rows if "samples" not in row]
    assert [{name: row[name] for name in said} for row, said in zip(mirrored, rows, strict=True)] == rows
    assert all({"epoch", "tokens"} <= set(row) for row in mirrored)
    assert {"train/lr", "train/grad_norm", "train/tokens_per_second"} <= set(mirrored[1])
    assert any(metric.glob_name == "*" and metric.step_metric == "step" for metric in found.metrics)

    result = run.read_result()
    assert result
    assert found.summary["best/step"] == result["best"]["step"]
    assert found.summary["best/val/loss"] == result["best"]["val/loss"]
    assert found.summary["tokens_per_second"] == result["tokens_per_second"]
    assert (found.summary["status"], found.summary["exit_code"]) == ("done", 0)
    (artifact,) = [one for one in found.artifacts if one.type == "model"]
    assert {"model.safetensors", "README.md"} <= {entry.path for entry in artifact.manifest.contents}

    assert "wandb: offline (logger.wandb.mode=offline)" in run.log.read_text()
    told = capfd.readouterr()
    assert "Find logs at" not in told.out + told.err
    written = [path for path in run.path.rglob("*") if path.is_file()]
    assert not [path for path in written for value in SECRETS.values() if value.encode() in path.read_bytes()]
    assert found.run.host == ""
    personal = [sys.executable, "requirements", "wandb-metadata"]
    of_wandb = [path for path in written if run.tracking in path.parents]
    assert not [(path, value) for path in of_wandb for value in personal if value.encode() in path.read_bytes()]
    outside = [path for path in here.folder.rglob("*") if path.is_file() and run.path not in path.parents]
    assert not [path for path in outside if "wandb" in str(path)]


def test_a_run_that_was_interrupted_goes_on_as_the_same_run_with_each_step_once(here: Here) -> None:
    run, code = here.train(*OFFLINE, signal=signal.SIGTERM)
    assert code == INTERRUPTED
    (first,) = files_of(run.path)
    assert read(first).exit_code == INTERRUPTED
    assert read(first).preempting
    assert here.resume(run) == DONE, run.log.read_text()
    first, second = (read(file) for file in files_of(run.path))
    assert first.run.run_id == second.run.run_id
    assert first.steps("train/loss") + second.steps("train/loss") == [1, 2, 3, 4, 5, 6]
    assert first.steps("val/loss") + second.steps("val/loss") == [2, 4, 6]
    assert [row["_step"] for row in first.rows + second.rows] == list(range(len(first.rows + second.rows)))
    assert (second.exit_code, second.summary["status"]) == (DONE, "done")


def test_what_is_not_shown_of_a_run_that_goes_on_is_made_up_for(tmp_path: Path) -> None:
    """Rows that reached metrics.csv and not W&B's file, as when the machine fell down."""
    rows = [{"step": step, "epoch": 0, "train/loss": 1.0 / step, "train/tokens": 8 * step} for step in range(1, 7)]
    rows.insert(4, {"step": 4, "epoch": 0, "val/loss": 2.0})
    facts = RunFacts(tmp_path, "experiment", "tag", ["task"], {"seed": 1})
    first = WeightsAndBiases(str(tmp_path / "tracking"), mode="offline", system_metrics=False)
    first.begin(facts, pytest.fail)
    for row in rows[:3]:
        first.log_row(row)
    first.finish(FAILED, "failed", "It broke.")
    again = WeightsAndBiases(str(tmp_path / "tracking"), mode="offline", system_metrics=False)
    again.begin(
        RunFacts(tmp_path, "experiment", "tag", ["task"], {"seed": 1}, start_step=5, rows=rows[:6]), pytest.fail
    )
    for row in rows[5:]:
        again.log_row(row)
    samples = [{"step": 6, "number": 0, "shown": "a <mask>", "said": "b", "probability": None, "right": "c"}]
    again.log_samples(samples)
    again.log_samples(samples)
    again.finish(DONE, "pruned", "Others were better.")
    before, after = (read(file) for file in files_of(tmp_path))
    assert before.steps("train/loss") == [1, 2, 3]
    assert (before.exit_code, before.summary["why"]) == (FAILED, "It broke.")
    assert after.steps("train/loss") == [4, 5, 6]
    assert after.steps("val/loss") == [4]
    assert next(row["tokens"] for row in after.rows if "val/loss" in row) == 32
    assert after.steps("samples") == [6]
    assert (after.exit_code, after.summary["status"]) == (DONE, "pruned")


def test_a_failed_run_ends_as_failed(here: Here) -> None:
    run, code = here.train(*OFFLINE, "optimizer.lr=1e30", "speed.precision=32-true")
    assert code == FAILED
    (file,) = files_of(run.path)
    found = read(file)
    assert found.exit_code == FAILED
    assert found.summary["status"] == "failed"
    assert found.summary["why"] == run.status().why


def test_a_tracker_that_breaks_is_told_once_and_ends_nothing(tmp_path: Path) -> None:
    told: list[str] = []
    tracker = WeightsAndBiases(str(tmp_path / "tracking"), mode="offline", system_metrics=False)
    tracker.begin(RunFacts(tmp_path, "experiment", "tag", [], {"seed": 1}), told.append)
    tracker.log_row({"step": 1, "epoch": 0, "train/loss": 1.0})
    for child in psutil.Process().children(recursive=True):
        if "wandb-core" in child.name():
            child.kill()
            child.wait()
    for step in range(2, 50):
        tracker.log_row({"step": step, "epoch": 0, "train/loss": 1.0})
    tracker.conclude({"best": {"step": 3}}, tmp_path)
    tracker.finish(DONE, "done", None)
    assert len(told) == 1
    assert told[0].startswith("Weights & Biases shows no more of this run, which goes on: ")


def test_a_torn_file_is_read_as_far_as_it_is_whole(here: Here) -> None:
    run, _ = here.train(*OFFLINE)
    (file,) = files_of(run.path)
    whole = [line.number for line in history(file)]
    assert whole == list(range(9))
    data = file.read_bytes()
    file.write_bytes(data[: len(data) * 9 // 10])
    torn = [line.number for line in history(file)]
    assert 0 < len(torn) < len(whole)
    assert torn == whole[: len(torn)]
    file.write_bytes(data[:9] + b"\xff" * 200)
    assert list(history(file)) == []


def test_disabled_shows_nothing(here: Here) -> None:
    run, code = here.train("logger=wandb", "logger.wandb.mode=disabled")
    assert code == DONE
    assert files_of(run.path) == []


def test_the_config_says_which_run_it_is_only_in_words_that_wandb_takes(tmp_path: Path) -> None:
    from quatrain.tracking.wandb_identity import Identity, read_identity, write_identity

    assert read_identity(tmp_path) is None
    write_identity(tmp_path, Identity("abc123", "mine", None))
    assert read_identity(tmp_path) == Identity("abc123", "mine", None)
    for hostile in ('{"run_id": "../../x"}', '{"run_id": 3}', "[1]", "{"):
        (tmp_path / "wandb.json").write_text(hostile)
        assert read_identity(tmp_path) is None
