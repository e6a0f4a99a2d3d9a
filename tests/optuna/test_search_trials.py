"""A search goes on as if nothing had happened: after kills, failures and equal suggestions, beside other commands."""

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from quatrain.compare.study_notes import SAME_AS
from quatrain.core.errors import UserError
from quatrain.sweeps.best_trial import conclude_search
from quatrain.sweeps.job import Job
from quatrain.sweeps.search import Search
from quatrain.sweeps.space import Parameter

Make = Callable[..., Search]


def suggested(ran: list[Job]) -> list[dict[str, Any]]:
    return [job.config["given"] for job in ran]


def states(search: Search) -> list[str]:
    return [one.state.name for one in search.trials.all()]


@pytest.mark.parametrize(
    ("sampler", "storage"), [("tpe", "journal"), ("random", "journal"), ("cmaes", "journal"), ("tpe", "sqlite")]
)
def test_a_killed_search_suggests_what_an_undisturbed_one_does(
    make_search: Make, jobs: Any, orphan: Callable[[], None], space: list[Parameter], sampler: str, storage: str
) -> None:
    """Killed after every second job with one more under way: the same eight suggestions in the same order."""
    from optuna.distributions import IntDistribution

    space.append(Parameter("data.batch_size", IntDistribution(1, 64)))
    how = {"space": space, "sampler": sampler, "storage": storage, "trials": 8}
    whole = suggested(jobs.drive(make_search(folder="whole", **how)))
    assert len(whole) == 8
    broken: list[Job] = []
    orphan()
    for _ in range(3):
        search = make_search(folder="broken", **how)
        broken += jobs.drive(search, most=2)
        assert search.next() is not None  # under way when the process dies
    broken += jobs.drive(make_search(folder="broken", **how))
    assert suggested(broken) == whole
    assert [job.number for job in broken] == list(range(8))


class Killed(BaseException):
    """Ends a process, as far as its files can tell."""


@pytest.mark.parametrize("survives", range(5))
def test_a_kill_between_any_two_writes_of_a_suggestion_changes_nothing(
    make_search: Make, jobs: Any, orphan: Callable[[], None], survives: int
) -> None:
    """The process ends after so many writes of its fourth trial's suggestion; the next one finishes that."""
    whole = suggested(jobs.drive(make_search(folder="whole", trials=5)))
    search = make_search(folder="broken", trials=5)
    jobs.drive(search, most=3)
    backend: Any = search.trials._study._storage._backend  # type: ignore[attr-defined]
    real, left = backend.append_logs, [survives]

    def append(logs: Any) -> None:
        if left[0] == 0:
            raise Killed
        left[0] -= 1
        real(logs)

    backend.append_logs = append
    with pytest.raises(Killed):
        search.next()
    orphan()
    rest = jobs.drive(make_search(folder="broken", trials=5))
    assert [job.number for job in rest] == [3, 4]
    assert suggested(rest) == whole[3:]


def test_the_objective_is_the_best_value_never_the_last(make_search: Make, jobs: Any) -> None:
    search = make_search(trials=1)
    job = search.next()
    assert job is not None
    ended = jobs.end(search, job, value=0.25)
    assert ended.result["metrics"]["val/loss"] == 9.0
    assert search.trials.all()[0].value == 0.25


def test_the_same_command_goes_on_to_more_trials_and_ends_at_once_when_there_are_enough(
    make_search: Make, jobs: Any
) -> None:
    first = jobs.drive(make_search(trials=4))
    more = make_search(trials=6)
    assert more.total == 2
    second = jobs.drive(more)
    assert [job.number for job in [*first, *second]] == list(range(6))
    assert suggested([*first, *second]) == suggested(jobs.drive(make_search(trials=6, folder="at once")))
    assert make_search(trials=6).next() is None


def test_what_is_under_way_elsewhere_is_left_and_counts(make_search: Make, jobs: Any) -> None:
    """Two commands on one folder, one after the other asking: four trials in all, none twice."""
    one, other = make_search(trials=4), make_search(trials=4)
    asked = [search.next() for search in (one, other, one, other)]
    assert [job.number for job in asked if job] == [0, 1, 2, 3]
    assert one.next() is None
    assert other.next() is None
    for search, job in zip((one, other, one, other), asked, strict=True):
        jobs.end(search, job)
    assert states(one) == ["COMPLETE"] * 4
    assert (one.left(), make_search(trials=6).left()) == (0, 2)


def test_two_threads_search_in_one_study_without_one_trial_too_many(make_search: Make, jobs: Any) -> None:
    ran: list[Job] = []

    def work(search: Search) -> None:
        ran.extend(jobs.drive(search))

    threads = [threading.Thread(target=work, args=(make_search(trials=14),)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(job.number for job in ran) == list(range(14))
    assert states(make_search(trials=14)) == ["COMPLETE"] * 14


def test_a_failed_trial_is_tried_again_by_the_next_command_with_the_same_parameters(
    make_search: Make, jobs: Any
) -> None:
    search = make_search(trials=3)
    job = search.next()
    assert job is not None
    jobs.end(search, job, "failed")
    assert len(jobs.drive(search)) == 2  # it starts no more jobs than trials were wanting
    assert states(search) == ["FAIL", "COMPLETE", "COMPLETE"]
    again = jobs.drive(make_search(trials=3))
    assert [one.config["given"] for one in again] == [job.config["given"]]
    assert again[0].number == 3
    assert jobs.drive(make_search(trials=3)) == []


def test_one_that_is_interrupted_goes_on_under_its_number(
    make_search: Make, jobs: Any, orphan: Callable[[], None]
) -> None:
    search = make_search(trials=2)
    first = search.next()
    assert first is not None
    jobs.end(search, first, "interrupted")
    orphan()
    again = jobs.drive(make_search(trials=2))
    assert [job.number for job in again] == [0, 1]
    assert again[0].overrides == first.overrides


def test_equal_trials_share_the_result_of_the_first(make_search: Make, jobs: Any, space: list[Parameter]) -> None:
    """Two options and twelve trials: two jobs run, ten take their results."""
    search = make_search(space=space[1:], trials=12, sampler="random")
    from quatrain.sweeps.search import overrides_of

    ran: list[str] = []
    while (job := search.next()) is not None:
        ran += overrides_of(search.space, search.trials.all()[job.number].params)
        jobs.end(search, job, value=1.0 if "linear" in ran[-1] else 2.0)
    assert sorted(ran) == ["schedule=cosine", "schedule=linear"]
    assert states(search) == ["COMPLETE"] * 12
    assert all(one.value == {"linear": 1.0, "cosine": 2.0}[one.params["schedule"]] for one in search.trials.all())
    assert search.total == 2


def test_an_equal_trial_beside_one_under_way_waits_for_it(make_search: Make, jobs: Any, space: list[Parameter]) -> None:
    search = make_search(space=space[1:], trials=6, sampler="random")
    asked = []
    while (job := search.next()) is not None:
        asked.append(job)
    assert len(asked) == 2
    waiting = [one for one in search.trials.all() if SAME_AS in one.user_attrs]
    assert len(waiting) == 4
    for job in asked:
        jobs.end(search, job, value=3.0)
    assert states(search) == ["COMPLETE"] * 6


def test_a_grid_gives_each_point_once_and_then_ends(make_search: Make, jobs: Any, space: list[Parameter]) -> None:
    from optuna.distributions import IntDistribution

    points = [space[1], Parameter("data.batch_size", IntDistribution(8, 24, step=8))]
    search = make_search(space=points, sampler="grid", trials=100)
    assert search.total == 6
    ran: list[tuple[Any, ...]] = []
    while (job := search.next()) is not None:
        ran.append(tuple(job.config["given"].values())[:2])
        jobs.end(search, job, value=1.0)
    assert len(set(ran)) == len(ran) == 6


def test_suggestions_that_do_not_compose_are_passed_over(make_search: Make, jobs: Any, space: list[Parameter]) -> None:
    from optuna.distributions import CategoricalDistribution

    sizes = Parameter("data.batch_size", CategoricalDistribution([0, 8]), ("0", "8"))
    search = make_search(space=[space[0], sizes], trials=6)
    ran = jobs.drive(search)
    assert len(ran) == 6
    assert 0 < len(search.trials.refused()) < 6
    assert len(search.trials.over()) == 6
    assert all(job.config["given"]["data.batch_size"] == "8" for job in ran)
    never = Parameter("data.batch_size", CategoricalDistribution([0]), ("0",))
    with pytest.raises(UserError, match="suggestions were refused"):
        jobs.drive(make_search(space=[space[0], never], trials=3, folder="never"))


def test_another_search_in_the_folder_is_refused(make_search: Make, jobs: Any, space: list[Parameter]) -> None:
    jobs.drive(make_search(trials=1))
    with pytest.raises(UserError, match=r"another space \(schedule differs\)"):
        make_search(space=space[:1])
    with pytest.raises(UserError, match=r"another experiment \(name was tiny and is large\)"):
        make_search(base={"name": "large"})
    with pytest.raises(UserError, match=r"give sweep.storage=journal"):
        make_search(storage="sqlite")
    assert make_search(sampler="random", trials=2).next() is not None  # how it is searched may change


def test_a_run_without_a_score_is_a_failure_that_says_so(make_search: Make, jobs: Any) -> None:
    search = make_search(trials=1)
    job = search.next()
    assert job is not None
    jobs.end(search, job, value=float("nan"))
    (trial,) = search.trials.all()
    assert trial.state.name == "FAIL"
    assert "no number to compare by" in trial.user_attrs["why"]


def test_the_best_trial_is_told_and_written_with_the_overrides_that_run_it(
    make_search: Make, jobs: Any, tmp_path: Path
) -> None:
    import yaml

    search = make_search(trials=5)
    ran = jobs.drive(search)
    told: list[str] = []
    conclude_search(search, told.append)
    written = yaml.safe_load((search.folder / "best.yaml").read_text(encoding="utf-8"))
    best = min(search.trials.all(), key=lambda one: one.value or 0.0)
    assert (written["trial"], written["value"], written["monitor"]) == (best.number, best.value, "val/loss")
    assert written["folder"] == f"job-{ran[best.number].identity}"
    lr = next(text for text in ran[best.number].overrides if text.startswith("optimizer.lr"))
    assert written["overrides"][:2] == ["name=tiny", lr]
    assert "search: 5 complete of 5" in told
    assert any(line.startswith(f"best: trial {best.number}, val/loss") for line in told)
