"""``evaluation.json`` of a run as it is written: what its weights scored, by split and source."""

from quatrain.inference.evaluation import Evaluation
from quatrain.runs.directory import RunDirectory, write_json
from quatrain.runs.evaluations import read_evaluations
from quatrain.runs.lock import locked


def record(run: RunDirectory, evaluation: Evaluation, weights: str) -> str:
    """Add ``evaluation`` of the model with these ``weights`` to those of the run; return the name it has there.

    One of the same name is replaced, and those of other weights, from before the run was trained on, go.

    Raises:
        UserError: another process works on the run, or its file was not written by quatrain.
        NotNow: the file cannot be written.
    """
    with locked(run, run.command_lock):
        return add(run, evaluation, weights)


def add(run: RunDirectory, evaluation: Evaluation, weights: str) -> str:
    """As `record`, for who works on the run alone."""
    kept = read_evaluations(run, weights)
    write_json(run.evaluation, {"weights": weights, "evaluations": {**kept, evaluation.name: evaluation.plain()}})
    return evaluation.name
