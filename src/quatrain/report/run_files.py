"""All that a report reads of a run directory, each file as far as it is there and can be read."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from quatrain.core.errors import UserError
from quatrain.runs.changes import Change, read_changes
from quatrain.runs.directory import RunDirectory, RunStatus
from quatrain.runs.evaluations import read_evaluations, read_examples
from quatrain.runs.recorded import read_provenance
from quatrain.runs.samples_file import read_samples

Found = TypeVar("Found")


@dataclass
class RunFiles:
    """What lies in a run directory; what is missing is empty. ``told``: a sentence for each file that is not ours."""

    run: RunDirectory
    status: RunStatus
    config: dict[str, Any] = field(default_factory=dict)
    overrides: list[str] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)
    result: dict[str, Any] = field(default_factory=dict)
    rows: list[dict[str, int | float]] = field(default_factory=list)
    evaluations: dict[str, dict[str, Any]] = field(default_factory=dict)
    provenance: dict[str, Any] = field(default_factory=dict)
    samples: list[dict[str, Any]] = field(default_factory=list)
    examples: dict[str, Any] = field(default_factory=dict)
    told: list[str] = field(default_factory=list)


def read_run(run: RunDirectory) -> RunFiles:
    """Read ``run``; no file of it is needed but its status.

    Raises:
        UserError: there is no status, or it is not one of ours.
    """
    told: list[str] = []

    def reading(read: Callable[[], Found], nothing: Found) -> Found:
        try:
            return read()
        except UserError as error:
            told.extend(error.sentences)
            return nothing

    return RunFiles(
        run,
        run.status(),
        config=reading(run.read_config, {}),
        overrides=reading(run.read_overrides, []),
        changes=reading(lambda: read_changes(run), []),
        result=reading(lambda: run.read_result() or {}, {}),
        rows=reading(run.read_metrics, []),
        evaluations=reading(lambda: read_evaluations(run), {}),
        provenance=reading(lambda: read_provenance(run), {}),
        samples=reading(lambda: read_samples(run.samples), []),
        examples=reading(lambda: read_examples(run), {}),
        told=told,
    )
