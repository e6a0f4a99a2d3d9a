"""Proves how the ranks of a cluster's job follow the leading one: turn by turn, to the end, and not for ever."""

import json
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from quatrain.core.errors import NotNow
from quatrain.sweeps import ranks
from quatrain.sweeps.job import Job
from quatrain.sweeps.ranks import Announcement

MakeJob = Callable[..., Job]


@pytest.fixture(autouse=True)
def _a_cluster(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SLURM_ARRAY_JOB_ID", "SLURM_STEP_ID", "SLURM_RESTART_COUNT", "TORCHELASTIC_RUN_ID"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("SLURM_JOB_ID", "77")
    monkeypatch.setattr(ranks, "POLL_SECONDS", 0.01)
    monkeypatch.setattr(ranks, "PATIENCE", 0.15)


def test_turn_by_turn_to_the_end(a_job: MakeJob, tmp_path: Path) -> None:
    """The same run twice is two turns, as after a failure."""
    leader, rank = Announcement(a_job(), tmp_path), Announcement(a_job(), tmp_path)
    heard = rank.heard()
    for run in ("first", "first", "second"):
        leader.say(tmp_path / run)
        assert next(heard) == tmp_path / run
    leader.say(None)
    assert list(heard) == []


def test_a_rank_that_was_busy_hears_the_latest(a_job: MakeJob, tmp_path: Path) -> None:
    leader, rank = Announcement(a_job(), tmp_path), Announcement(a_job(), tmp_path)
    heard = rank.heard()
    leader.say(tmp_path / "first")
    assert next(heard).name == "first"
    leader.say(tmp_path / "second")
    leader.say(tmp_path / "third")
    assert next(heard).name == "third"


def test_one_that_comes_after_the_end_has_nothing_to_do(a_job: MakeJob, tmp_path: Path) -> None:
    leader = Announcement(a_job(), tmp_path)
    leader.say(tmp_path / "first")
    leader.say(None)
    assert list(Announcement(a_job(), tmp_path).heard()) == []


def test_silence_is_told_in_a_sentence(a_job: MakeJob, tmp_path: Path) -> None:
    """Before the first word, and after one."""
    with pytest.raises(NotNow, match="has said nothing for"):
        next(Announcement(a_job(), tmp_path).heard())
    leader, rank = Announcement(a_job(), tmp_path), Announcement(a_job(), tmp_path)
    heard = rank.heard()
    leader.say(tmp_path / "first")
    next(heard)
    with pytest.raises(NotNow, match="has said nothing for"):
        next(heard)


def test_a_leader_that_waits_keeps_the_others_waiting(
    a_job: MakeJob, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Longer than they would bear its silence; it may do so before its first word."""
    monkeypatch.setattr(ranks, "PATIENCE", 0.6)
    leader, rank = Announcement(a_job(), tmp_path), Announcement(a_job(), tmp_path)
    found: list[Path] = []
    listening = threading.Thread(target=lambda: found.extend(rank.heard()), daemon=True)
    listening.start()
    for _ in range(8):
        leader.still_waiting()
        listening.join(0.1)
    assert not found
    leader.say(tmp_path / "run")
    listening.join(0.2)
    leader.say(None)
    listening.join(5)
    assert found == [tmp_path / "run"]


def test_a_torn_word_is_read_again(a_job: MakeJob, tmp_path: Path) -> None:
    leader, rank = Announcement(a_job(), tmp_path), Announcement(a_job(), tmp_path)
    leader.say(tmp_path / "run")
    whole = rank._path.read_text()
    for torn in (whole[:-5], "[]", "{}", json.dumps({"turn": "one"})):
        rank._path.write_text(torn)
        with pytest.raises(NotNow):
            next(rank.heard())
    rank._path.write_text(whole)
    assert next(rank.heard()) == tmp_path / "run"


@pytest.mark.parametrize(
    "later", [{"SLURM_RESTART_COUNT": "1"}, {"SLURM_JOB_ID": "78"}, {"TORCHELASTIC_RESTART_COUNT": "1"}]
)
def test_every_start_of_a_job_has_its_own_words(
    a_job: MakeJob, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, later: dict[str, str]
) -> None:
    """Those of the start before, which may have said that all is over, are not taken for this one's."""
    Announcement(a_job(), tmp_path).say(None)
    for name, value in later.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(NotNow):
        next(Announcement(a_job(), tmp_path).heard())


def test_every_job_has_its_own_words(a_job: MakeJob, tmp_path: Path) -> None:
    Announcement(a_job(0), tmp_path).say(None)
    with pytest.raises(NotNow):
        next(Announcement(a_job(1), tmp_path).heard())
