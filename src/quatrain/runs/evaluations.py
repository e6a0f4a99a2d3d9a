"""``evaluation.json`` of a run as it is read: what its weights scored, by split and source."""

from typing import Any

from quatrain.core.errors import UserError
from quatrain.runs.directory import RunDirectory
from quatrain.runs.reading import read_json, read_mapping


def read_evaluations(run: RunDirectory, weights: str | None = None) -> dict[str, dict[str, Any]]:
    """Return the evaluations, each as ``quatrain evaluate`` wrote it, by name; none where there is no file.

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
