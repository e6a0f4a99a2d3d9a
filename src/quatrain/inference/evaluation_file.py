"""``evaluation.json`` of a run: what its weights scored, by split and source."""

from typing import Any

from quatrain.core.errors import UserError
from quatrain.inference.evaluation import Evaluation
from quatrain.runs.directory import RunDirectory, write_json
from quatrain.runs.lock import locked
from quatrain.runs.reading import read_json, read_mapping


def read_evaluations(run: RunDirectory, weights: str | None = None) -> dict[str, dict[str, Any]]:
    """Return the evaluations, each as `Evaluation.plain` gives it, by name.

    The name is the split, or ``SPLIT of SOURCE`` where the data was not the run's own.

    ``weights``: of the model that they are to speak of, see `weights_fingerprint`; those of others are left out. None
    takes them as they are.

    Raises:
        UserError: the file was not written by quatrain.
    """
    if not run.evaluation.exists():
        return {}
    content = read_mapping(run.evaluation, read_json, "")
    found = content.get("evaluations")
    if not isinstance(found, dict) or not all(isinstance(entry, dict) for entry in found.values()):
        raise UserError(f"{run.evaluation} holds no evaluations; it was not written by quatrain, so remove it.")
    return found if weights in (None, content.get("weights")) else {}


def record(run: RunDirectory, evaluation: Evaluation, weights: str) -> str:
    """Add ``evaluation`` of the model with these ``weights`` to those of the run; return the name it has there.

    One of the same name is replaced, and those of other weights, from before the run was trained on, go.

    Raises:
        UserError: another process works on the run, or its file was not written by quatrain.
        NotNow: the file cannot be written.
    """
    name = evaluation.split if evaluation.own else f"{evaluation.split} of {evaluation.source}"
    with locked(run, run.command_lock):
        kept = read_evaluations(run, weights)
        write_json(run.evaluation, {"weights": weights, "evaluations": {**kept, name: evaluation.plain()}})
    return name
