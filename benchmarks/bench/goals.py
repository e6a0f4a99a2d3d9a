"""What ours is to reach beside a peer, and whether it did."""

from collections.abc import Sequence
from dataclasses import dataclass

from bench.measures import MEASURES, OURS, Run, Spread, numbers, spread

ONE_SEED = 0.01
"""How much worse, as a share of the peer's, still counts as no worse where only one seed tells."""


@dataclass(frozen=True)
class Goal:
    """Ours against the peer ``against`` in one measure, or, with ``limit``, against a fixed number.

    ``factor``: how many times as good ours is to be: as fast, or in that part of the memory (2 is half of it). Without
    it ours is to be no worse, by more than runs with other seeds differ among themselves.
    """

    measure: str
    against: str | None = None
    factor: float | None = None
    limit: float | None = None

    def words(self) -> str:
        """The goal as a table shows it."""
        measure = MEASURES[self.measure]
        if self.limit is not None:
            return f"{'at least' if measure.more_is_better else 'at most'} {measure.show(self.limit)}"
        if self.factor is None:
            return "no worse"
        return f"at most {1 / self.factor:.0%}" if measure.as_share else f"{self.factor:g} times"


@dataclass(frozen=True)
class Verdict:
    """How ours stands to a goal."""

    ours: Spread
    peer: Spread | None
    compared: str
    """The two put in relation, in words; empty where the goal is a fixed number."""

    reached: bool


def judge(goal: Goal, runs: Sequence[Run]) -> Verdict | None:
    """Hold ours against ``goal``; None where one of the two was not measured.

    A ratio is that of the medians; its range is that of the ratios within each round that both ran in.
    """
    ours = numbers(runs, OURS, goal.measure)
    peer = numbers(runs, goal.against, goal.measure) if goal.against else {}
    our_spread, peer_spread = spread(list(ours.values())), spread(list(peer.values()))
    if our_spread is None or (goal.against and peer_spread is None):
        return None
    measure = MEASURES[goal.measure]
    if goal.limit is not None:
        good = our_spread.median >= goal.limit if measure.more_is_better else our_spread.median <= goal.limit
        return Verdict(our_spread, None, "", good)
    assert peer_spread is not None
    if goal.factor is None:
        return _no_worse(our_spread, peer_spread, measure.more_is_better)
    by_round = [_gain(ours[number], peer[number], measure.more_is_better) for number in ours.keys() & peer.keys()]
    gain = _gain(our_spread.median, peer_spread.median, measure.more_is_better)
    return Verdict(our_spread, peer_spread, _in_words(gain, by_round, measure.as_share), gain >= goal.factor)


def _no_worse(ours: Spread, peer: Spread, more_is_better: bool) -> Verdict:
    difference = ours.median - peer.median
    if max(ours.count, peer.count) > 1:
        allowed = max(ours.most - ours.least, peer.most - peer.least)
        told = f"{difference:+.4f}, seeds differ by {allowed:.4f}"
    else:
        allowed, told = ONE_SEED * peer.median, f"{difference:+.4f}, one seed"
    return Verdict(ours, peer, told, (-difference if more_is_better else difference) <= allowed)


def _gain(ours: float, peer: float, more_is_better: bool) -> float:
    return ours / peer if more_is_better else peer / ours


def _in_words(gain: float, by_round: list[float], as_share: bool) -> str:
    shown = [f"{1 / one:.0%}" if as_share else f"{one:.2f}" for one in (gain, *sorted(by_round, reverse=as_share))]
    unit = "" if as_share else " times"
    return shown[0] + unit + (f" ({shown[1]} to {shown[-1]})" if len(by_round) > 1 else "")
