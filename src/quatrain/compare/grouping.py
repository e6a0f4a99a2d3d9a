"""Runs of one experiment that differ in nothing but the seed, together."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from quatrain.compare.results import Result, canonical

SEED = "seed"
FOLDER = "folder"
OF_THE_RUN = "the run's seed"
"""Stands for the value of a setting such as data.seed that is the run's own seed, whatever that is."""


class Members(NamedTuple):
    """The runs of one group by their seeds, in order, and the settings that they share, by dotted keys."""

    settings: Mapping[str, Any]
    by_seed: Mapping[int, Result]


def group(results: Sequence[Result], *, by_folder: bool = False) -> tuple[list[Members], list[Result]]:
    """Group ``results`` by config without seed; return the groups and the results that a newer one stands for.

    Of several results of one group and seed the newest counts (`quatrain.compare.finding.Found.age`). The order of
    ``results`` does not matter. ``by_folder`` keeps apart what lies below different named folders.
    """
    groups: dict[str, tuple[dict[str, Any], dict[int, Result]]] = {}
    replaced = []
    ordered = sorted(results, key=lambda result: result.found.age)
    for result, settings in zip(ordered, _settings(ordered), strict=True):
        if by_folder:
            settings[FOLDER] = result.found.folder
        _, by_seed = groups.setdefault(canonical(settings), (settings, {}))
        if (older := by_seed.get(result.seed)) is not None:
            replaced.append(older)
        by_seed[result.seed] = result
    return [
        Members(settings, dict(sorted(by_seed.items()))) for _, (settings, by_seed) in sorted(groups.items())
    ], replaced


def _settings(results: Sequence[Result]) -> list[dict[str, Any]]:
    """The leaves of each without the seed; `OF_THE_RUN` for what follows it.

    A setting named seed follows the run's where the two are equal, unless a run that is otherwise the same has that
    value beside another seed: then somebody set it.
    """
    rests = [canonical({key: value for key, value in result.leaves.items() if not _is_seed(key)}) for result in results]
    beside = defaultdict(set)
    for rest, result in zip(rests, results, strict=True):
        for key in filter(_is_seed, result.leaves):
            beside[rest, key, canonical(result.leaves[key])].add(result.seed)
    found = []
    for rest, result in zip(rests, results, strict=True):
        settings = {}
        for key, value in result.leaves.items():
            follows = _is_seed(key) and beside[rest, key, canonical(value)] == {result.seed} and value == result.seed
            if key != SEED:
                settings[key] = OF_THE_RUN if follows else value
        found.append(settings)
    return found


def _is_seed(key: str) -> bool:
    return key.rpartition(".")[2] == SEED
