"""Proves that W&B's own sweeps drive quatrain train: its agent's code makes the command, and its run is ours."""

import os
from pathlib import Path
from typing import Any

import pytest
import yaml

from quatrain.config.compose import compose
from quatrain.core.exit_codes import DONE

from .conftest import Here
from .wandb_server import Server
from .what_wandb_wrote import files_of, read

# W&B leaves the sweep's and the agent's files open
pytestmark = pytest.mark.filterwarnings(
    "ignore:unclosed file:ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"
)

SWEEP = Path(__file__).parents[2] / "docs" / "wandb_sweep.yaml"


def command_of(values: dict[str, Any]) -> list[str]:
    """The command that W&B's agent makes of the example and a choice of values, by its own code."""
    from wandb.sdk.launch.sweeps.utils import create_sweep_command, create_sweep_command_args

    sweep = yaml.safe_load(SWEEP.read_text(encoding="utf-8"))
    made = create_sweep_command_args({"args": {name: {"value": value} for name, value in values.items()}})
    made |= {"program": [sweep["program"]], "env": ["/usr/bin/env"]}
    words: list[str] = []
    for word in create_sweep_command(sweep["command"]):
        words += made[word[2:-1]] if word.startswith("${") else [word]
    return words


def test_the_agents_arguments_are_overrides_that_are_accepted() -> None:
    from wandb.sdk.launch.sweeps.utils import load_sweep_config

    assert load_sweep_config(str(SWEEP))
    parameters = yaml.safe_load(SWEEP.read_text(encoding="utf-8"))["parameters"]
    ends = [{name: chosen(parameter, end) for name, parameter in parameters.items()} for end in (0, -1)]
    for values in ends:
        words = command_of(values)
        assert words[:3] == ["/usr/bin/env", "quatrain", "train"]
        config = compose(words[3:])
        assert config["optimizer"]["lr"] == values["optimizer.lr"]
        assert config["seed"] == values["seed"]
        assert config["schedule"]["_target_"].lower().endswith(values["schedule"])
        assert "wandb" in config["logger"]


def chosen(parameter: dict[str, Any], end: int) -> Any:
    if "value" in parameter:
        return parameter["value"]
    return parameter["values"][end] if "values" in parameter else [parameter["min"], parameter["max"]][end]


def test_the_agents_run_is_the_run_and_a_sweep_of_ours_never_is(
    here: Here, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The agent sets these variables and starts the command of the test above."""
    config = here.folder / "config-abc.yaml"
    config.write_text("wandb_version: 1\noptimizer.lr:\n  value: 0.002\n")
    agent = {"WANDB_RUN_ID": "agentrun", "WANDB_SWEEP_ID": "agentsweep", "WANDB_SWEEP_PARAM_PATH": str(config)}
    for name, value in {**agent, "WANDB_PROJECT": "theirs", "WANDB_ENTITY": "me"}.items():
        monkeypatch.setenv(name, value)
    run, code = here.train("logger=wandb", "optimizer.lr=0.002")
    assert code == DONE, run.log.read_text()
    assert list(server.runs) == ["agentrun"]
    shown = server.runs["agentrun"]
    assert shown.said["sweep"] == "agentsweep"
    assert shown.said["project"] == "theirs"
    assert shown.config["optimizer.lr"]["value"] == 0.002
    assert shown.summary["val/loss"] == run.read_metrics()[-1]["val/loss"], "what the sweep looks at"
    (file,) = files_of(run.path)
    assert read(file).run.sweep_id == "agentsweep"

    from quatrain.tracking.facts import RunFacts
    from quatrain.tracking.weights_and_biases import WeightsAndBiases

    tracker = WeightsAndBiases(str(here.folder / "job" / "tracking"), mode="offline", system_metrics=False)
    tracker.begin(RunFacts(here.folder / "job", "experiment", "tag", [], {}, sweep="ours"), pytest.fail)
    tracker.finish(DONE, "done", None)
    (file,) = files_of(here.folder / "job")
    job = read(file).run
    assert job.run_id != "agentrun"
    assert job.sweep_id == ""
    assert job.run_group == "experiment/ours"
    assert os.environ["WANDB_RUN_ID"] == "agentrun"
