"""Runs in MLflow: on a tracking server, or as files in the run directory."""

import os
import re
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, ClassVar

from quatrain.core.atomic_files import write_whole
from quatrain.tracking.facts import Row, RunFacts, flat
from quatrain.tracking.probe import PATIENCE, ask
from quatrain.tracking.tracker import Kind, Tracker, concluding_numbers, kind_of

STATUS = {"done": "FINISHED", "pruned": "FINISHED", "failed": "FAILED", "interrupted": "KILLED"}
FLUSH_SECONDS = 5.0
MOST_METRICS = 900
"""Of one request; MLflow takes at most 1,000."""

MOST_PARAMS = 100
LONGEST_PARAM = 6000
SAMPLES = "samples"
COLUMNS = ("step", "epoch", "number", "shown", "said", "probability", "right")
_RUN_ID = re.compile(r"[0-9a-f]{32}")


class MLflow(Tracker):
    """Shows a run in MLflow: parameters, metrics against the optimizer step, samples as a table, its status.

    Args:
        save_dir: the folder for its files.
        tracking_uri: the store; null takes MLFLOW_TRACKING_URI, and without that files in the run directory.
        experiment: MLflow's experiment; null takes MLFLOW_EXPERIMENT_NAME, and without that quatrain.
        name: the run's name; null takes what was overridden.
        tags: tags besides those that a run has by itself.
        log_export: upload the export when the run is done.
    """

    key: ClassVar[str] = "mlflow"
    label: ClassVar[str] = "MLflow"

    def __init__(
        self,
        save_dir: str,
        tracking_uri: str | None = None,
        experiment: str | None = None,
        name: str | None = None,
        tags: dict[str, str] | None = None,
        log_export: bool = False,
    ) -> None:
        super().__init__(save_dir)
        self._uri = tracking_uri or os.environ.get("MLFLOW_TRACKING_URI") or None
        self._experiment = experiment or os.environ.get("MLFLOW_EXPERIMENT_NAME") or "quatrain"
        self._run_name = name
        self._tags = tags or {}
        self._log_export = log_export
        self._client: Any = None
        self._run_id = ""
        self._waiting: list[tuple[str, float, int, int]] = []
        self._flushed = 0.0

    def choose(self) -> tuple[str, str]:
        """Where runs are kept: on a server that answers, else as files."""
        if self._uri is None:
            return "files", "no MLFLOW_TRACKING_URI is set"
        if not self._uri.startswith(("http://", "https://")):
            return "store", "MLFLOW_TRACKING_URI or logger.mlflow.tracking_uri names one"
        if why := ask("GET", self._uri).why:
            self._uri = None
            return "files", f"the tracking server {why}"
        return "server", "the tracking server answers"

    def _start(self, facts: RunFacts) -> dict[Kind, int]:
        # it asks seven times, two minutes each, unless it is told not to; a training would stand still meanwhile
        os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "1")
        os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", str(int(PATIENCE)))
        from mlflow.tracking import MlflowClient

        uri = self._uri
        if uri is None:
            os.environ["MLFLOW_ALLOW_FILE_STORE"] = "true"  # without it 3.x wants a database, at 1.5 s and 1 MB a run
            uri = (self._folder / "mlflow").as_uri()
        self._client = MlflowClient(tracking_uri=uri)
        known = self._known_id()
        self._run_id = known or self._create(facts)
        if known:
            self._client.update_run(known, status="RUNNING")
        self._log_params(facts)
        return self._shown_before() if known else {}

    def _known_id(self) -> str | None:
        """The run that this one goes on with, if the store has it."""
        from mlflow.exceptions import MlflowException

        file = self._folder / "mlflow.id"
        if not file.is_file():
            return None
        with suppress(MlflowException, OSError):
            found = file.read_text(encoding="utf-8")[:64].strip()
            if _RUN_ID.fullmatch(found):
                return str(self._client.get_run(found).info.run_id)
        return None

    def _create(self, facts: RunFacts) -> str:
        found = self._client.get_experiment_by_name(self._experiment)
        place = found.experiment_id if found else self._client.create_experiment(self._experiment)
        tags = {
            "experiment": facts.experiment,
            "sweep": facts.sweep or "",
            "labels": ", ".join(facts.labels),
            "run_directory": str(facts.directory),
            "mlflow.source.name": "quatrain",
            **self._tags,
        }
        run = self._client.create_run(place, run_name=self._run_name or facts.tag, tags=tags)
        self._folder.mkdir(parents=True, exist_ok=True)
        write_whole(self._folder / "mlflow.id", run.info.run_id)
        return str(run.info.run_id)

    def _log_params(self, facts: RunFacts) -> None:
        """A parameter is set once; what a run that goes on has changed becomes a tag."""
        from mlflow.entities import Param, RunTag

        known = self._client.get_run(self._run_id).data.params
        now = {_key(name): str(value)[:LONGEST_PARAM] for name, value in flat(facts.config)}
        params = [Param(name, value) for name, value in now.items() if name not in known]
        for start in range(0, len(params), MOST_PARAMS):
            self._client.log_batch(self._run_id, params=params[start : start + MOST_PARAMS])
        changed = [RunTag(f"changed.{name}", now[name]) for name in known if name in now and known[name] != now[name]]
        if changed:
            self._client.log_batch(self._run_id, tags=changed)

    def _shown_before(self) -> dict[Kind, int]:
        """The last step of each kind that the store has; one metric stands for all of its kind."""
        metrics = {kind_of([name]): name for name in self._client.get_run(self._run_id).data.metrics}
        shown: dict[Kind, int] = {}
        for kind, name in metrics.items():
            if kind:
                steps = [one.step for one in self._client.get_metric_history(self._run_id, name)]
                shown[kind] = max(steps, default=-1)
        tables = [Path(one.path).stem for one in self._client.list_artifacts(self._run_id, SAMPLES)]
        shown["samples"] = max((int(name) for name in tables if name.isdecimal()), default=-1)
        return shown

    def _log(self, values: Row) -> None:
        now = int(time.time() * 1000)
        step = int(values["step"])
        self._waiting += [(_key(name), float(value), now, step) for name, value in values.items() if name != "step"]
        if time.monotonic() - self._flushed > FLUSH_SECONDS or len(self._waiting) > MOST_METRICS // 2:
            self._flush()

    def _flush(self) -> None:
        from mlflow.entities import Metric

        for start in range(0, len(self._waiting), MOST_METRICS):
            part = self._waiting[start : start + MOST_METRICS]
            self._client.log_batch(self._run_id, metrics=[Metric(*one) for one in part])
        self._waiting.clear()
        self._flushed = time.monotonic()

    def _samples(self, rows: Sequence[Mapping[str, Any]]) -> None:
        table = {"columns": list(COLUMNS), "data": [[row.get(name) for name in COLUMNS] for row in rows]}
        self._client.log_dict(self._run_id, table, f"{SAMPLES}/{rows[0]['step']:09d}.json")

    def _conclude(self, result: Mapping[str, Any], export: Path) -> None:
        step = int(result.get("best", {}).get("step", 0))
        self._log({**concluding_numbers(result), "step": step})
        if self._log_export and export.is_dir():
            self._flush()
            self._client.log_artifacts(self._run_id, str(export), "export")

    def _finish(self, code: int, status: str, why: str | None) -> None:
        self._flush()
        self._client.set_tag(self._run_id, "status", status)
        self._client.set_tag(self._run_id, "exit_code", str(code))
        if why:
            self._client.set_tag(self._run_id, "why", why[:LONGEST_PARAM])
        self._client.set_terminated(self._run_id, STATUS.get(status, "FAILED"))


def _key(name: str) -> str:
    """A name that MLflow takes, at most as long as it takes."""
    return re.sub(r"[^\w\-. :/]", "_", name)[:250]
