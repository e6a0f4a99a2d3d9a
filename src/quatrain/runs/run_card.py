"""The model card of a finished run, from what lies in its directory."""

from collections.abc import Mapping
from typing import Any

from quatrain.runs.card_facts import card_facts, scores_of
from quatrain.runs.card_scores import Interval
from quatrain.runs.directory import RunDirectory
from quatrain.runs.evaluations import read_evaluations
from quatrain.runs.reading import finite
from quatrain.runs.recorded import read_provenance
from quatrain.runs.trained_model import TrainedModel
from quatrain.runs.weights import weights_fingerprint


def run_card(run: RunDirectory, trained: TrainedModel, model: Any) -> dict[str, Any]:
    """Arguments of `quatrain.runs.model_card.model_card` for ``model``, which is ``trained``'s with adapters merged.

    The scores of the best weights are those of ``result.json``, those of others what was logged at their step; in their
    place come those that ``quatrain evaluate`` measured of the very same weights, with their intervals.

    Raises:
        UserError: what the run recorded cannot be read.
    """
    origin = read_provenance(run)
    measured, intervals = evaluated(run, weights_fingerprint(model))
    facts = card_facts(
        run,
        trained.config,
        task=trained.recipe.task,
        model=model,
        tokenizer=trained.tokenizer,
        fingerprint=str(origin.get("fingerprints", {}).get("data", "")),
        summary=_mapping(origin.get("data")),
        scores={**_scores(run, trained), **measured},
        step=trained.step,
    )
    return {**facts, "intervals": intervals}


def evaluated(run: RunDirectory, weights: str) -> tuple[dict[str, float], dict[str, Interval]]:
    """Scores and 95 % intervals that ``quatrain evaluate`` wrote into the run, by ``val/...`` and ``test/...``.

    ``weights``: the fingerprint of those that they must be of. Scores on other data than the run's are left out, and
    what is no number is, too.

    Raises:
        UserError: the file was not written by quatrain.
    """
    scores: dict[str, Any] = {}
    intervals: dict[str, Interval] = {}
    for split, entry in read_evaluations(run, weights).items():
        for metric, said in _mapping(entry.get("metrics")).items():
            name = f"{str(split).replace('validation', 'val', 1)}/{metric}"
            numbers = _mapping(said)
            scores[name] = numbers.get("value")
            low, high = finite(numbers.get("low")), finite(numbers.get("high"))
            if low is not None and high is not None:
                intervals[name] = (low, high)
    kept = scores_of(scores)
    return kept, {name: interval for name, interval in intervals.items() if name in kept}


def _scores(run: RunDirectory, trained: TrainedModel) -> dict[str, Any]:
    if not trained.is_best:
        rows = [row for row in run.read_metrics() if row["step"] == trained.step]
        return {name: value for row in rows for name, value in row.items()}
    result = run.read_result() or {}
    test = {name: value for name, value in _mapping(result.get("metrics")).items() if str(name).startswith("test")}
    return {**_mapping(result.get("best")), **test}


def _mapping(found: Any) -> Mapping[str, Any]:
    return found if isinstance(found, dict) else {}
