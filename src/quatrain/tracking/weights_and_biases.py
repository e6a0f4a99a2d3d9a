"""Runs in Weights & Biases: one for each run directory, online or on disk until it is uploaded."""

import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any, ClassVar

from quatrain.core.exit_codes import INTERRUPTED
from quatrain.tracking.facts import RunFacts
from quatrain.tracking.tracker import Kind, Tracker, concluding_numbers, kind_of
from quatrain.tracking.wandb_files import Segment, history, marker, segments
from quatrain.tracking.wandb_identity import Identity, read_identity, write_identity
from quatrain.tracking.wandb_mode import Mode, choose_mode, wandb_settings
from quatrain.tracking.wandb_start import init, own_surroundings
from quatrain.tracking.wandb_words import WORDS

LONGEST_TAG = 64
LONGEST_NAME = 128
TABLE_SECONDS = 60.0
SAMPLE_COLUMNS = ("step", "epoch", "number", "shown", "said", "probability", "right")


class WeightsAndBiases(Tracker):
    """Shows a run in Weights & Biases: config, rows by the optimizer step, samples, the best value, how it ended.

    A run keeps its id in its directory, so that one that goes on is the same run there, also offline. What is left null
    is taken from W&B's own variables (``WANDB_PROJECT``, ...) and settings, and else as said below.

    Args:
        save_dir: the folder for its files.
        project: W&B's project; null: quatrain.
        entity: the user or team; null: W&B's default for the key.
        mode: auto is online where a key is configured and the server takes it, else offline.
        group: null: the experiment, and of a sweep's job its sweep.
        name: null: what was overridden.
        tags: tags besides task, data and model.
        notes: null: the run directory.
        job_type: W&B's type of job.
        log_export: upload the export as an artifact when the run is done.
        system_metrics: let W&B watch the machine's load, every 15 seconds.
        finish_timeout: seconds to wait for the last uploads; what is left then, quatrain sync uploads.
    """

    key: ClassVar[str] = "wandb"
    label: ClassVar[str] = "Weights & Biases"

    def __init__(
        self,
        save_dir: str,
        project: str | None = None,
        entity: str | None = None,
        mode: Mode = "auto",
        group: str | None = None,
        name: str | None = None,
        tags: list[str] | None = None,
        notes: str | None = None,
        job_type: str | None = None,
        log_export: bool = False,
        system_metrics: bool = True,
        finish_timeout: float = 60.0,
    ) -> None:
        super().__init__(save_dir)
        self._project, self._entity, self._mode = project, entity, mode
        self._group, self._name, self._tags, self._notes = group, name, tags or [], notes
        self._job_type, self._log_export, self._system_metrics = job_type, log_export, system_metrics
        self._finish_timeout = finish_timeout
        self._chosen: str | None = None
        self._run: Any = None
        self._line = 0
        self._said: list[Mapping[str, Any]] = []
        self._said_at = time.monotonic()
        self._open = ExitStack()

    @property
    def experiment(self) -> Any:
        """W&B's own run, for callbacks; None before `begin` and on other ranks than 0."""
        return self._run

    def choose(self) -> tuple[str, str]:
        """Online, offline or disabled.

        Raises:
            UserError: mode=online cannot be had.
        """
        self._chosen, reason = choose_mode(self._mode)
        return self._chosen, reason

    def _start(self, facts: RunFacts) -> dict[Kind, int]:
        chosen = self._chosen or self.choose()[0]
        if chosen == "disabled":
            self._begun = self._shows = False
            return {}
        self._open.enter_context(own_surroundings(self._folder / "wandb", of_sweep=facts.sweep is not None))
        before = segments(self._folder)
        WORDS.upload_failed = False
        identity = read_identity(self._folder)
        self._run = self._init(facts, identity, chosen)
        write_identity(self._folder, Identity.of(self._run))
        self._run.define_metric("step")
        self._run.define_metric("*", step_metric="step")
        mine = [one for one in before if one.run_id == self._run.id]
        return self._go_on(mine) if mine else {}

    def _init(self, facts: RunFacts, identity: Identity | None, mode: str) -> Any:
        settings = wandb_settings()
        self._folder.mkdir(parents=True, exist_ok=True)
        arguments = {
            "project": self._project or (identity and identity.project) or settings.project or "quatrain",
            "entity": self._entity or (identity and identity.entity) or settings.entity,
            "id": (identity and identity.run_id) or (None if facts.sweep else settings.run_id),
            "name": (self._name or settings.run_name or facts.tag)[:LONGEST_NAME],
            "group": (self._group or settings.run_group or facts.group)[:LONGEST_NAME],
            "notes": self._notes or settings.run_notes or f"Run directory: {facts.directory}",
            "tags": _tags(facts.labels, self._tags, settings.run_tags or ()),
            "job_type": self._job_type or settings.run_job_type,
            "config": {**facts.config, "run_directory": str(facts.directory), "origin": dict(facts.origin)},
            "dir": str(self._folder),
        }
        quiet = {
            "x_disable_stats": not self._system_metrics,
            "finish_timeout": self._finish_timeout * (60 if self._log_export else 1),  # an export may have gigabytes
        }
        try:
            return init(arguments, mode, quiet)
        except Exception as error:
            if mode != "online" or self._mode != "auto":
                raise
            what = " ".join(str(error).split())[:200]
            self._chosen = "offline"
            self._tell(f"wandb: offline, as W&B does not begin the run: {type(error).__name__}: {what}")
            return init(arguments, "offline", quiet)

    def _go_on(self, before: list[Segment]) -> dict[Kind, int]:
        """Find what is shown already: all that was written, but online only what came to the server."""
        online = self._chosen == "online"
        self._line = int(self._run.step) if online else 0
        shown: dict[Kind, int] = {}
        for segment in before:
            for line in history(segment.file):
                if online and line.number >= self._line:
                    continue
                step = line.values.get("step", "")
                kind = kind_of(line.values)
                if kind and step.isdecimal():
                    shown[kind] = max(int(step), shown.get(kind, -1))
                if not online:
                    self._line = max(self._line, line.number + 1)
        if online:  # what the server lacks of them is shown again now, so that nothing of them is left to upload
            for segment in before:
                marker(segment.file).touch()
        return shown

    def _log(self, values: Mapping[str, Any]) -> None:
        self._run.log(dict(values), step=self._line, commit=True)
        self._line += 1

    def _samples(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """A table costs 2 to 20 ms and three files, so those of a minute share one."""
        self._said += rows
        if time.monotonic() - self._said_at > TABLE_SECONDS:
            self._log_table()

    def _log_table(self) -> None:
        if not self._said:
            return
        import wandb

        rows, self._said, self._said_at = self._said, [], time.monotonic()
        cells = [[row.get(name) for name in SAMPLE_COLUMNS] for row in rows]
        self._log({"samples": wandb.Table(columns=list(SAMPLE_COLUMNS), data=cells), "step": rows[-1]["step"]})

    def _conclude(self, result: Mapping[str, Any], export: Path) -> None:
        self._run.summary.update(concluding_numbers(result))
        if self._log_export and export.is_dir():
            import wandb

            card = export / "README.md"
            artifact = wandb.Artifact(
                f"export-{self._run.id}",
                type="model",
                description=card.read_text(encoding="utf-8") if card.is_file() else None,
                metadata=concluding_numbers(result),
            )
            artifact.add_dir(str(export), policy="immutable", skip_cache=True)  # no copy: nothing changes an export
            self._run.log_artifact(artifact, aliases=["best"])

    def _finish(self, code: int, status: str, why: str | None) -> None:
        if self._run is None:
            self._open.close()
            return
        import wandb

        try:
            self._log_table()
            self._run.summary.update({"status": status, "exit_code": code, **({"why": why} if why else {})})
            if code == INTERRUPTED and not self._run.sweep_id:  # a sweep would start it anew, from the first step
                self._run.mark_preempting()
            self._run.finish(exit_code=code)
            if WORDS.upload_failed:
                self._tell(f"wandb: not all is uploaded; {self._later()}")
            elif self._chosen == "online":
                for segment in segments(self._folder):
                    marker(segment.file).touch()
        except TimeoutError:
            self._tell(f"wandb: not all is uploaded after {self._finish_timeout:g} s; {self._later()}")
        finally:
            with suppress(Exception):
                wandb.teardown(exit_code=code)
            self._run = None
            self._open.close()

    def _later(self) -> str:
        return f"quatrain sync {self._folder.parent} uploads the rest"


def _tags(*sources: Sequence[str]) -> list[str]:
    tags = dict.fromkeys(tag.strip()[:LONGEST_TAG] for source in sources for tag in source)
    return [tag for tag in tags if tag]
