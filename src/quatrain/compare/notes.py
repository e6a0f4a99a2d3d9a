"""What a reader must know beside the table: what was left out, and what so few runs can show."""

from collections.abc import Sequence
from typing import Any

from quatrain.compare.comparison import Comparison
from quatrain.compare.importance import ETA, FEWEST_RUNS
from quatrain.compare.per_token import per_token_notes
from quatrain.compare.results import Result
from quatrain.compare.statistics import FEW, smallest_effect
from quatrain.runs.references import REFERENCES

MOST_NAMED = 3
TOLERANCE = 1e-6


def notes(comparison: Comparison) -> list[str]:
    """Sentences on what the numbers of ``comparison`` do and do not say."""
    return [
        *_left_out(comparison),
        *_reference(comparison),
        *_per_token(comparison),
        *_settings(comparison),
        *_errors(comparison),
        *_method(comparison),
    ]


def _left_out(comparison: Comparison) -> list[str]:
    said = []
    if older := comparison.replaced:
        said.append(
            f"{_count(len(older), 'result has a newer one', 'results have newer ones')} of the same experiment and"
            f" seed, as there is where input files changed; the newest counts, not {_runs(older)}."
        )
        if len({result.found.folder for result in older} | {one.found.folder for one in _all(comparison)}) > 1:
            said.append("Of several folders the one that is named last counts as newest; --by-folder keeps them apart.")
    if without := comparison.without_value:
        count = _count(len(without), "run is", "runs are")
        said.append(f"{count} left out, without a finite {comparison.aim.metric}: {_runs(without)}.")
    return said


def _reference(comparison: Comparison) -> list[str]:
    """What the metric is to be compared with, where it is known and one for all, and how many are no better."""
    metric, runs = comparison.aim.metric, _all(comparison)
    known = {run.references.get(metric) for run in runs}
    reference = known.pop() if len(known) == 1 else None
    if reference is None or metric not in REFERENCES:
        return []
    sign = 1 if comparison.aim.smaller_is_better else -1
    values = [value for row in comparison.rows for value in row.values]
    # values are single precision, and what they are compared with is not
    beyond = sum(sign * (reference - value) > TOLERANCE * abs(reference) for value in values)
    behind = f"; {len(values) - beyond:,} of {len(values):,} runs are no better" if beyond < len(values) else ""
    return [f"Compare {metric} with the {REFERENCES[metric][1].removeprefix('the ')}, {reference:.4g}{behind}."]


def _per_token(comparison: Comparison) -> list[str]:
    runs = _all(comparison)
    configs = [{group: _group(run, group) for group in ("model", "tokenizer")} for run in runs]
    shared = set.intersection(*(set(run.metrics()) for run in runs)) if runs else set()
    return per_token_notes(comparison.aim.metric, configs, shared)


def _group(run: Result, group: str) -> dict[str, Any]:
    """The leaves of a group of the config, by their keys in it."""
    return {key.removeprefix(f"{group}."): value for key, value in run.leaves.items() if key.startswith(f"{group}.")}


def _settings(comparison: Comparison) -> list[str]:
    said = [
        f"{knob.columns[0]} stands for {knob.hidden} more settings that change with it: {named(knob.keys[1:])}."
        for knob in comparison.knobs
        if knob.hidden
    ]
    if decided := comparison.decided_by_name:
        said.append(f"The name of the experiment decides {len(decided)} more settings: {named(decided)}.")
    return said


def _errors(comparison: Comparison) -> list[str]:
    rows = comparison.rows
    said = []
    if (level := sum(row.summary.mean == rows[0].summary.mean for row in rows)) > 1:
        all_of = "All" if level == len(rows) else f"The first {level:,}"
        said.append(
            f"{all_of} groups have the same mean, {rows[0].summary.mean:.6g}: none of them is the best, and their order"
            " says nothing."
        )
    if single := sum(row.summary.count == 1 for row in rows):
        which = "This group has" if len(rows) == 1 else _count(single, "group has", "groups have")
        said.append(f"{which} one run: no interval from one run. More seeds give one: seed=1,2,3,4,5.")
    tests = [row.paired for row in rows if row.paired and row.paired.p is not None]
    if tests:
        fewest, most = min(test.count for test in tests), max(test.count for test in tests)
        pairs = f"{fewest}" if fewest == most else f"{fewest} to {most}"
        strictest = f" ({smallest_effect(fewest, len(tests)):.1f} for the strictest of {len(tests)}, by Holm)"
        said.append(
            f"Each test against the best is of {pairs} equal seeds. With {fewest} it finds a difference only if its"
            f" mean is at least {smallest_effect(fewest):.1f} times{strictest if len(tests) > 1 else ''} its standard"
            " deviation over seeds; a large p does not say that two settings are equal."
        )
    if untested := [row.paired.why for row in rows if row.paired and row.paired.p is None and row.paired.why]:
        reasons = ", ".join(f"{why} ({untested.count(why)})" for why in sorted(set(untested)))
        said.append(f"No test against the best, which needs two equal seeds and differences that vary: {reasons}.")
    if any(row.best_wins and min(row.summary.count, rows[0].summary.count) < FEW for row in rows):
        said.append(
            f"Below {FEW} runs a group the interval of P(best wins) is too narrow: where no runs overlap it is 1 to 1."
        )
    if len(rows) > 2:
        said.append("The best was chosen by these same numbers, so its mean is a little too good.")
    return said


def _method(comparison: Comparison) -> list[str]:
    found = comparison.importance
    if found is None:
        return []
    said = [f"Which knob matters: {found.method}, over {sum(row.summary.count for row in comparison.rows)} runs."]
    if found.method == ETA and any(share.share is None for share in found.shares):
        said.append(
            "A knob with fewer than two runs for each value has no share. Where such knobs are numbers fANOVA gives"
            f" one, from {FEWEST_RUNS} runs on, with pip install 'quatrain[optuna]'."
        )
    return said


def _all(comparison: Comparison) -> list[Result]:
    return [run for row in comparison.rows for run in row.runs]


def _runs(results: Sequence[Result]) -> str:
    return named([result.found.path.parent.name for result in results])


def named(names: Sequence[str]) -> str:
    """The first of ``names``, and how many more there are."""
    more = len(names) - MOST_NAMED
    return ", ".join(names[:MOST_NAMED]) + (f" and {more} more" if more > 0 else "")


def _count(count: int, one: str, several: str) -> str:
    return f"{count:,} {one if count == 1 else several}"
