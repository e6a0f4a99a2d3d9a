"""Proves that what was changed of a run stands beside its config, and can change nothing but its length and batches."""

from pathlib import Path

import pytest
import yaml

from quatrain.core.errors import UserError
from quatrain.runs.changes import Change, changed, longer, read_changes, reschedules, write_changes
from quatrain.runs.directory import RunDirectory

CONFIG = {"trainer": {"max_epochs": 1, "max_steps": -1}, "data": {"batch_size": 8}}


@pytest.fixture
def run(tmp_path: Path) -> RunDirectory:
    return RunDirectory.create(tmp_path / "run", CONFIG, [])


def test_changes_are_read_as_they_were_written_and_the_config_stays(run: RunDirectory) -> None:
    before = run.config.read_bytes()
    changes = [
        longer("resume", max_epochs=3, max_steps=None, reschedule=True),
        Change("memory", {"data.batch_size": 4}),
    ]
    write_changes(run, changes)
    found = read_changes(run)
    assert [(one.why, one.set, one.reschedule) for one in found] == [
        (one.why, one.set, one.reschedule) for one in changes
    ]
    assert all(one.time for one in found)
    write_changes(run, found)
    assert read_changes(run) == found
    assert run.config.read_bytes() == before
    write_changes(run, [])
    assert not run.changes.exists()
    assert read_changes(run) == []


def test_changes_follow_one_another() -> None:
    changes = [
        longer("first", max_epochs=None, max_steps=50, reschedule=False),
        Change("memory", {"data.batch_size": 4}),
        longer("second", max_epochs=5, max_steps=None, reschedule=False),
    ]
    assert changed(CONFIG, changes) == {"trainer": {"max_epochs": 5, "max_steps": -1}, "data": {"batch_size": 4}}
    assert changed(CONFIG, changes[:1])["trainer"] == {"max_epochs": -1, "max_steps": 50}
    assert CONFIG["data"]["batch_size"] == 8


def test_the_last_change_of_the_length_says_whether_the_schedule_is_stretched() -> None:
    """Memory that ran out afterwards changes nothing of it."""
    stretched = longer("one", max_epochs=3, max_steps=None, reschedule=True)
    assert not reschedules([])
    assert reschedules([stretched, Change("memory", {"data.batch_size": 4})])
    assert not reschedules([stretched, longer("two", max_epochs=4, max_steps=None, reschedule=False)])


@pytest.mark.parametrize(
    "entry",
    [
        {"why": "", "set": {"optimizer._target_": "os.system"}, "reschedule": False, "time": ""},
        {"why": "", "set": {"trainer.max_epochs": "3"}, "reschedule": False, "time": ""},
        {"why": "", "set": {"trainer.max_epochs": True}, "reschedule": False, "time": ""},
        {"why": "", "set": {"trainer.max_epochs": 3}, "reschedule": "yes", "time": ""},
        {"why": "", "set": ["trainer.max_epochs"], "reschedule": False, "time": ""},
        {"why": "", "set": {}, "reschedule": False, "time": "", "more": 1},
        "trainer.max_epochs=3",
    ],
)
def test_nothing_else_can_be_changed(run: RunDirectory, entry: object) -> None:
    run.changes.write_text(yaml.safe_dump([entry]))
    with pytest.raises(UserError, match=r"changes\.yaml does not hold changes of a run"):
        read_changes(run)


@pytest.mark.parametrize("text", ["a: [", "3", "a: 1", "!!python/object/apply:os.system [ls]", "\0"])
def test_a_file_that_holds_no_changes(run: RunDirectory, text: str) -> None:
    run.changes.write_text(text)
    with pytest.raises(UserError, match=r"changes\.yaml"):
        read_changes(run)
