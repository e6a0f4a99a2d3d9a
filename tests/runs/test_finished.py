"""Whose model may be used: that of a run that is done; each other status is told with what helps."""

from pathlib import Path

import pytest

from quatrain.core.errors import UserError
from quatrain.runs.directory import RunDirectory, State
from quatrain.runs.finished import require_done


@pytest.mark.parametrize(
    ("status", "advice"),
    [
        ("queued", "or start it with quatrain resume {path}."),
        ("running", "wait for its end."),
        ("failed", "quatrain resume {path} goes on with it when the cause is mended."),
        ("interrupted", "quatrain resume {path} goes on with it."),
        ("pruned", "quatrain resume {path} --max-epochs N trains it on."),
    ],
)
def test_each_status_has_its_advice(status: State, advice: str, tmp_path: Path) -> None:
    run = RunDirectory.create(tmp_path / "run", {"name": "mine"}, [])
    run.set_status(status, "The disk is full.")
    with pytest.raises(UserError) as told:
        require_done(run)
    (sentence,) = told.value.sentences
    assert f"is a run that is not done but {status} (The disk is full); " in sentence
    assert sentence.endswith(advice.format(path=run.path))
    assert (status == "running") == ("quatrain resume" not in sentence)


def test_a_run_that_is_done(tmp_path: Path) -> None:
    run = RunDirectory.create(tmp_path / "run", {"name": "mine"}, [])
    run.set_status("done")
    require_done(run)
