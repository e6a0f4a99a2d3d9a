"""The verdict on whether a run came out the same when it was run again."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from quatrain.runs.comparison import MetricsComparison, compare_metrics
from quatrain.runs.directory import RunDirectory, write_json
from quatrain.runs.recorded import read_provenance
from quatrain.runs.surroundings import Change, config_differences, differences
from quatrain.runs.weights_comparison import WeightsComparison, compare_weights

VERDICT = "reproduction.json"
NO_SCIENCE = ("run", "logger", "sweep", "preprocess")
"""Groups of a config that change nothing that is learned."""


@dataclass(frozen=True)
class Verdict:
    """Whether a run came out the same, and all that may explain it where not."""

    original: RunDirectory
    reproduced: RunDirectory
    metrics: MetricsComparison
    weights: WeightsComparison | None
    surroundings: list[Change]
    config: list[Change]
    notes: list[str] = field(default_factory=list)
    ended_well: bool = True

    @property
    def identical(self) -> bool:
        """Whether every compared value and weight is the same to the bit, of at least one."""
        same = self.metrics.values > 0 and not self.metrics.differing
        return same and self.ended_well and not (self.weights and self.weights.differing)

    def as_dict(self) -> dict[str, Any]:
        """What ``reproduction.json`` holds."""
        first, largest = next(iter(self.metrics.differing), None), self.metrics.largest
        return {
            "identical": self.identical,
            "original": str(self.original.path),
            "reproduced": str(self.reproduced.path),
            "status": {"original": self.original.status().status, "reproduced": self.reproduced.status().status},
            "values": self.metrics.values,
            "last_step": self.metrics.last_step,
            "values_differing": len(self.metrics.differing),
            "first": first.as_dict() if first else None,
            "largest": largest.as_dict() if largest else None,
            "weights": self.weights.as_dict() if self.weights else None,
            "config": [change.as_dict() for change in self.config],
            "surroundings": [change.as_dict() for change in self.surroundings],
            "notes": self.notes,
        }

    def lines(self) -> list[str]:
        """The verdict for the eye."""
        said = [self._headline(), *self._sizes(), *self.notes]
        said += told("the original ran with another config", self.config)
        said += told("what differs in the surroundings", self.surroundings)
        if not (self.identical or self.config or self.surroundings):
            said.append("nothing that is recorded differs in the surroundings; --exact may tell more")
        return said

    def _headline(self) -> str:
        found, weights = self.metrics, self.weights
        if self.identical:
            tensors = f", {weights.tensors:,} tensors of the export" if weights else ""
            return f"identical to the bit: {found.values:,} values up to step {found.last_step:,}{tensors}"
        tensors = f", {len(weights.differing):,} of {weights.tensors:,} tensors of the export" if weights else ""
        differing = f"{len(found.differing):,} of {found.values:,} values up to step {found.last_step:,}{tensors}"
        return f"not identical: {differing} differ"

    def _sizes(self) -> list[str]:
        said = [f"  first    {one}" for one in self.metrics.differing[:1]]
        said += [f"  largest  {one}" for one in (self.metrics.largest,) if one]
        if self.weights and self.weights.largest is not None:
            said.append(
                f"  weights  the largest difference is {self.weights.largest:.3g}, in {self.weights.largest_in}"
            )
        elif self.weights and self.weights.differing:
            said.append(f"  weights  {self.weights.differing[0]}")
        return said


def judge(
    original: RunDirectory, reproduced: RunDirectory, pinned: Mapping[str, Any], *, stopped: bool = False
) -> Verdict:
    """Compare two runs, and write the verdict to ``reproduction.json`` in the new one.

    An original that was stopped is compared up to its last step, and one that was trained on by a later change up to
    the end of its first config; their weights are not compared.

    Args:
        original: the run that was first.
        reproduced: the run again, at its end.
        pinned: the keys that were set so that a choice comes out as the original's.
        stopped: whether the new run was stopped on purpose, beyond the original's last step.

    Raises:
        UserError: a file of the two cannot be read.
        NotNow: the verdict cannot be written.
    """
    status, ended = original.status(), reproduced.status()
    longer = original.changes.is_file()
    finished = status.status == "done" and not longer
    rows = reproduced.read_metrics()
    metrics = compare_metrics(
        original.read_metrics(),
        rows,
        finished=finished,
        until=max((int(row["step"]) for row in rows), default=0) if longer else None,
    )
    notes = []
    if longer:
        notes.append(f"the original was changed later ({original.changes.name}); what config.yaml says is compared")
    elif not finished:
        notes.append(f"the original is {status.status}: {status.why or 'no reason is known'}")
    if stopped:
        notes.append("the reproduction was stopped where the original ends")
    elif ended.status != "done":
        notes.append(f"the reproduction is {ended.status}: {ended.why or 'no reason is known'}")
    weights = compare_weights(original.export, reproduced.export) if finished else None
    if finished and weights is None:
        notes.append("the weights were not compared, as one of the two has no export")
    surroundings, config = causes(original, reproduced, pinned)
    verdict = Verdict(
        original,
        reproduced,
        metrics,
        weights,
        surroundings,
        config,
        [*notes, *_resumed(original)],
        ended_well=stopped or ended.status in ("done", status.status),
    )
    write_json(reproduced.path / VERDICT, verdict.as_dict())
    return verdict


def causes(
    original: RunDirectory, reproduced: RunDirectory, pinned: Mapping[str, Any]
) -> tuple[list[Change], list[Change]]:
    """What differs in the surroundings of two starts, and in the config that they ran with.

    ``pinned`` are the keys that were set so that a choice comes out as the original's.
    """
    before, now = read_provenance(original), read_provenance(reproduced)
    changes = []
    if "config" in before and "config" in now:
        first, second = ({**one["config"]["resolved"]} for one in (before, now))
        for group in NO_SCIENCE:
            first.pop(group, None)
            second.pop(group, None)
        changes = [change for change in config_differences(first, second) if change.what not in pinned]
    return differences(before, now), changes


def told(heading: str, changes: Sequence[Change]) -> list[str]:
    """Changes in lines under a heading; none where there are none."""
    return [f"{heading}:", *(f"  {change}" for change in changes)] if changes else []


def _resumed(original: RunDirectory) -> list[str]:
    return [
        f"the original went on from step {entry['step']:,} on {entry['host']}"
        + (f" with other {', '.join(change['what'] for change in entry['changed'])}" if entry["changed"] else "")
        for entry in read_provenance(original).get("resumed", [])
    ]
