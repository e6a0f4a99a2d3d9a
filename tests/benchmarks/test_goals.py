"""Medians, ratios and verdicts of hand-computed runs."""

import pytest

from bench.goals import Goal, judge
from bench.measures import MEASURES, OURS, Run, numbers, spread


def runs(measure: str, ours: list[float], peer: list[float]) -> list[Run]:
    return [
        {"contender": name, "round": number, measure: value}
        for name, values in ((OURS, ours), ("best", peer))
        for number, value in enumerate(values, start=1)
    ]


def test_a_median_is_shown_with_its_range_and_a_single_number_alone() -> None:
    three, one = spread([3.0, 1.0, 2.5]), spread([7.0])
    assert three is not None
    assert one is not None
    assert three.show(MEASURES["seconds"]) == "2.50 (1.00 to 3.00)"
    assert one.show(MEASURES["tokens_per_second"]) == "7"
    assert spread([]) is None


@pytest.mark.parametrize(
    ("measure", "ours", "peer", "factor", "said", "reached"),
    [
        ("tokens_per_second", [400, 500, 440], [100, 110, 105], 4, "4.19 times (4.00 to 4.55)", True),
        ("tokens_per_second", [400, 500, 440], [100, 110, 105], 4.5, "4.19 times (4.00 to 4.55)", False),
        ("seconds", [10, 20], [60, 60], 4, "4.00 times (3.00 to 6.00)", True),
        ("peak_mb", [1000], [2000], 2, "50%", True),
        ("peak_mb", [1100, 900], [2000, 2000], 2.1, "50% (45% to 55%)", False),
    ],
)
def test_a_ratio_is_of_medians_with_the_range_within_rounds(
    measure: str, ours: list[float], peer: list[float], factor: float, said: str, reached: bool
) -> None:
    found = judge(Goal(measure, "best", factor), runs(measure, ours, peer))
    assert found is not None
    assert (found.compared, found.reached) == (said, reached)


def test_a_peer_that_ran_once_is_compared_within_that_round_alone() -> None:
    found = judge(Goal("seconds", "best", 5), runs("seconds", [10, 12, 11], [66]))
    assert found is not None
    assert (found.compared, found.reached) == ("6.00 times", True)


@pytest.mark.parametrize(
    ("measure", "ours", "peer", "reached"),
    [
        ("loss", [7.00, 7.04, 7.02], [7.01, 7.02, 7.03], True),
        ("loss", [7.10, 7.11, 7.12], [7.01, 7.02, 7.03], False),
        ("loss", [6.0, 6.0, 6.0], [7.0, 7.0, 7.0], True),
        ("f1", [0.80, 0.81, 0.80], [0.85, 0.86, 0.85], False),
        ("f1", [0.90], [0.85], True),
        ("f1", [0.845], [0.85], True),
        ("f1", [0.83], [0.85], False),
    ],
)
def test_no_worse_allows_what_seeds_differ_by_and_a_hundredth_after_one_seed(
    measure: str, ours: list[float], peer: list[float], reached: bool
) -> None:
    found = judge(Goal(measure, "best"), runs(measure, ours, peer))
    assert found is not None
    assert found.reached is reached


@pytest.mark.parametrize(
    ("measure", "value", "limit", "reached"),
    [("mfu", 0.51, 0.5, True), ("mfu", 0.49, 0.5, False), ("seconds", 0.9, 1, True), ("seconds", 1.1, 1, False)],
)
def test_a_limit_is_from_below_where_more_is_better_and_else_from_above(
    measure: str, value: float, limit: float, reached: bool
) -> None:
    found = judge(Goal(measure, limit=limit), runs(measure, [value], []))
    assert found is not None
    assert found.reached is reached


def test_what_was_not_measured_has_no_verdict() -> None:
    assert judge(Goal("tokens_per_second", "nanoGPT", 1.8), runs("tokens_per_second", [400], [100])) is None
    assert judge(Goal("mfu", limit=0.5), runs("tokens_per_second", [400], [100])) is None
    assert numbers(runs("loss", [1.0], []), "best", "loss") == {}
