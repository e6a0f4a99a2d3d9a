"""Proves what MLflow keeps of a run, as its own client reads it: parameters, metrics, samples, and how it ended."""

import json
import signal
import socket
from typing import Any

import pytest

from quatrain.core.exit_codes import DONE, FAILED, INTERRUPTED
from quatrain.runs.directory import RunDirectory
from quatrain.tracking.facts import RunFacts
from quatrain.tracking.mlflow_runs import MLflow

from .conftest import Here


def client(run: RunDirectory) -> Any:
    from mlflow.tracking import MlflowClient

    return MlflowClient(tracking_uri=(run.tracking / "mlflow").as_uri())


def only_run(run: RunDirectory) -> Any:
    store = client(run)
    (experiment,) = [one for one in store.search_experiments() if one.name == "quatrain"]
    (found,) = store.search_runs([experiment.experiment_id])
    return found


def test_a_run_that_goes_on_is_the_same_run_with_each_point_once(here: Here) -> None:
    run, code = here.train("logger=mlflow", signal=signal.SIGTERM)
    assert code == INTERRUPTED
    first = only_run(run)
    assert first.info.status == "KILLED"
    assert here.resume(run) == DONE, run.log.read_text()
    found = only_run(run)
    assert found.info.run_id == first.info.run_id
    assert found.info.status == "FINISHED"
    rows = run.read_metrics()
    for name in ("train/loss", "val/loss", "train/lr", "tokens"):
        history = sorted((one.step, one.value) for one in client(run).get_metric_history(found.info.run_id, name))
        expected = [(row["step"], row[name]) for row in rows if name in row]
        steps = [step for step, _ in history]
        assert history[: len(expected)] == expected or name == "tokens"
        assert name == "tokens" or len(steps) == len(expected)
    assert found.data.params["optimizer.lr"] == str(run.read_config()["optimizer"]["lr"])
    result = run.read_result()
    assert result
    assert found.data.metrics["best/val/loss"] == result["best"]["val/loss"]
    assert found.data.tags["run_directory"] == str(run.path)
    assert (found.data.tags["status"], found.data.tags["exit_code"]) == ("done", "0")


def test_a_failure_is_told_and_samples_are_a_table(tmp_path: Any) -> None:
    run = RunDirectory(tmp_path)
    tracker = MLflow(str(run.tracking), tags={"who": "me"})
    tracker.begin(RunFacts(run.path, "experiment", "tag", ["masked_lm"], {"seed": 1}), pytest.fail)
    tracker.log_row({"step": 1, "epoch": 0, "train/loss": 1.0})
    tracker.log_samples([{"step": 1, "number": 0, "shown": "a", "said": "b", "right": "c"}])
    tracker.finish(FAILED, "failed", "It broke.")
    found = only_run(run)
    assert found.info.status == "FAILED"
    assert found.data.tags["why"] == "It broke."
    assert found.data.tags["who"] == "me"
    (table,) = (run.tracking / "mlflow").rglob("samples/*.json")
    assert json.loads(table.read_text())["data"] == [[1, None, 0, "a", "b", None, "c"]]


def test_a_server_that_is_gone_means_files(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    assert MLflow(str(tmp_path)).choose() == ("files", "no MLFLOW_TRACKING_URI is set")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://127.0.0.1:{taken.getsockname()[1]}")
    chosen, why = MLflow(str(tmp_path)).choose()
    assert chosen == "files"
    assert why == "the tracking server cannot be reached (ConnectionError)"
