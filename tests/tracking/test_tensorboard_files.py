"""Proves what TensorBoard shows, as its own reader sees it: each point once, hyperparameters, samples, the end."""

import signal

import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.plugins.hparams import plugin_data_pb2

from quatrain.core.exit_codes import DONE, INTERRUPTED
from quatrain.runs.directory import RunDirectory
from quatrain.tracking.tensorboard_files import TensorBoard

from .conftest import Here


def shown(run: RunDirectory) -> EventAccumulator:
    found = EventAccumulator(str(run.tracking / "tensorboard"))
    found.Reload()
    return found


def text(found: EventAccumulator, name: str) -> str:
    return found.Tensors(f"{name}/text_summary")[-1].tensor_proto.string_val[0].decode()


def test_a_run_that_goes_on_has_each_point_once(here: Here) -> None:
    run, code = here.train("logger=tensorboard", signal=signal.SIGTERM)
    assert code == INTERRUPTED
    assert text(shown(run), "status").startswith("<pre>interrupted")
    assert here.resume(run) == DONE
    found = shown(run)
    rows = run.read_metrics()
    for name in ("train/loss", "val/loss", "train/lr", "epoch"):
        expected = [(row["step"], row[name]) for row in rows if name in row]
        assert [(one.step, pytest.approx(one.value)) for one in found.Scalars(name)] == expected, name
    assert [one.value for one in found.Scalars("tokens")][-1] == rows[-2]["train/tokens"]
    data = found.SummaryMetadata("_hparams_/session_start_info").plugin_data.content
    begun = plugin_data_pb2.HParamsPluginData.FromString(data).session_start_info.hparams
    assert begun["optimizer.lr"].number_value == run.read_config()["optimizer"]["lr"]
    result = run.read_result()
    assert result
    assert found.Scalars("best/val/loss")[-1].value == pytest.approx(result["best"]["val/loss"])
    assert text(found, "status") == "<pre>done</pre>"


def test_samples_are_shown_as_they_are(tmp_path: pytest.TempPathFactory) -> None:
    from quatrain.tracking.facts import RunFacts

    run = RunDirectory(str(tmp_path))
    tracker = TensorBoard(str(run.tracking))
    tracker.begin(RunFacts(run.path, "experiment", "tag", [], {"seed": 1}), pytest.fail)
    rows = [{"step": 3, "shown": "<script>alert(1)</script> | **b**", "said": "x", "right": "y"}]
    tracker.log_samples(rows)
    tracker.finish(DONE, "done", None)
    assert "&lt;script&gt;" in text(shown(run), "samples")
    assert "<script>" not in text(shown(run), "samples")
