"""A run directory of which any part was written by anyone is read whole, or refused in a sentence."""

import json
from pathlib import Path
from typing import Any

import pytest

from quatrain.core.errors import UserError
from quatrain.runs.directory import RunDirectory
from quatrain.runs.recorded import newest_step, read_provenance


@pytest.fixture
def run(tmp_path: Path) -> RunDirectory:
    return RunDirectory.create(tmp_path / "run", {"seed": 1}, ["seed=1"])


@pytest.mark.parametrize(
    "found",
    [
        [],
        "text",
        {"choices": []},
        {"choices": {"devices": 1}},
        {"config": {"resolved": [1]}},
        {"git": {"dirty": True}},
        {"versions": "2.13"},
        {"resumed": [{"step": "one", "host": "a", "changed": []}]},
        {"resumed": [{"step": 1, "host": "a", "changed": [1]}]},
    ],
)
def test_provenance_of_another_shape(run: RunDirectory, found: Any) -> None:
    run.provenance.write_text(json.dumps(found))
    with pytest.raises(UserError, match=r"provenance\.json"):
        read_provenance(run)


@pytest.mark.parametrize("text", ["{", "[" * 100_000, "\udcff"])
def test_provenance_that_is_no_json(run: RunDirectory, text: str) -> None:
    run.provenance.write_bytes(text.encode(errors="surrogateescape"))
    with pytest.raises(UserError, match="cannot be read"):
        read_provenance(run)


def test_no_provenance_is_nothing(run: RunDirectory) -> None:
    assert read_provenance(run) == {}


@pytest.mark.parametrize(
    "text", ["step,a/b\none,2\n", "a/b\n1\n", "step,a/b\n1,2,3,4\n", "step\ninf\n", "step\n\udcff\n"]
)
def test_metrics_that_are_no_rows_of_numbers(run: RunDirectory, text: str) -> None:
    run.metrics_file.write_bytes(text.encode(errors="surrogateescape"))
    with pytest.raises(UserError, match=r"metrics\.csv"):
        run.read_metrics()


def test_the_newest_step_is_that_of_the_last_whole_row(run: RunDirectory) -> None:
    assert newest_step(run.metrics_file) == 0
    for text, step in (("", 0), ("step,train/loss\n", 0), ("step,train/loss\n7,2.5\n", 7), ("step,a\n7,2.5\n12,", 7)):
        run.metrics_file.write_text(text)
        assert newest_step(run.metrics_file) == step
    run.metrics_file.write_text("step,a\n" + "".join(f"{step},0.5\n" for step in range(1, 20_001)))
    assert newest_step(run.metrics_file) == 20_000


def test_what_quatrain_wrote_is_read(run: RunDirectory) -> None:
    run.metrics_file.write_text("step,epoch,train/loss\n1,0,2.5\n")
    assert run.read_metrics() == [{"step": 1, "epoch": 0, "train/loss": 2.5}]
