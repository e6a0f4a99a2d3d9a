"""What the best weights of a run scored and said, as it is read: ``evaluation.json`` and ``examples.json``."""

from typing import Any

from quatrain.core.errors import UserError
from quatrain.runs.directory import RunDirectory
from quatrain.runs.reading import read_json, read_mapping
from quatrain.runs.run_files import best_step


def read_evaluations(run: RunDirectory, weights: str | None = None) -> dict[str, dict[str, Any]]:
    """Return the evaluations, each as ``quatrain evaluate`` wrote it, by name; none where there is no file.

    The name is the split, or ``SPLIT of SOURCE`` where the data was not the run's own.

    ``weights``: of the model that they are to speak of, see `weights_fingerprint`; those of others are left out. None
    leaves out those of another step than ``result.json`` calls the best: the run was trained on since.

    Raises:
        UserError: the file was not written by quatrain.
    """
    if not run.evaluation.exists():
        return {}
    content = read_mapping(run.evaluation, read_json, "")
    found = content.get("evaluations")
    if not isinstance(found, dict) or not all(isinstance(entry, dict) for entry in found.values()):
        raise UserError(f"{run.evaluation} holds no evaluations; it was not written by quatrain, so remove it.")
    is_of_them = _is_of_best(run, content) if weights is None else content.get("weights") == weights
    return found if is_of_them else {}


def read_examples(run: RunDirectory) -> dict[str, Any]:
    """Return what `quatrain.inference.examples.keep_examples` wrote; nothing where there is no file.

    What is of another step than ``result.json`` calls the best is left out.

    Raises:
        UserError: the file was not written by quatrain.
    """
    content = read_mapping(run.examples, read_json, "") if run.examples.exists() else {}
    return content if _is_of_best(run, content) else {}


def _is_of_best(run: RunDirectory, content: dict[str, Any]) -> bool:
    best = best_step(run)
    return best is None or content.get("step", best) == best
