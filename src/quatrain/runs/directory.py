"""The run directory: the unit of everything, and the truth about a run."""

import os
import socket
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Literal, get_args

import yaml

from quatrain.core.atomic_files import cannot_write, temporary_sibling, write_whole
from quatrain.core.errors import NotNow, UserError
from quatrain.core.json_text import as_json
from quatrain.core.secrets import redact, redact_text
from quatrain.runs.identity import is_alive, start_of
from quatrain.runs.metrics_file import read_rows
from quatrain.runs.places import straying_places
from quatrain.runs.reading import check_links, fitting, read_json, read_mapping, read_yaml

State = Literal["queued", "running", "done", "failed", "pruned", "interrupted"]


@dataclass(frozen=True)
class RunStatus:
    """What a run is doing. ``why`` is the sentence of a failure; the process is the one that wrote the status."""

    status: State
    why: str | None = None
    time: str = ""
    pid: int = 0
    process_start: str = ""
    host: str = ""


class RunDirectory:
    """The files of one run, under the names that others read. Making the object touches nothing."""

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path).absolute()
        self.config = self.path / "config.yaml"
        self.overrides = self.path / "overrides.yaml"
        self.changes = self.path / "changes.yaml"
        self.provenance = self.path / "provenance.json"
        self.status_file = self.path / "status.json"
        self.metrics_file = self.path / "metrics.csv"
        self.result = self.path / "result.json"
        self.evaluation = self.path / "evaluation.json"
        self.samples = self.path / "samples.jsonl"
        self.examples = self.path / "examples.json"
        self.report = self.path / "report.html"
        self.log = self.path / "run.log"
        self.checkpoints = self.path / "checkpoints"
        self.export = self.path / "export"
        self.tracking = self.path / "tracking"
        self.lock = self.path / ".lock"
        self.command_lock = self.path / ".command.lock"

    def __repr__(self) -> str:
        return f"RunDirectory({str(self.path)!r})"

    @classmethod
    def create(
        cls, path: str | Path, config: Mapping[str, Any], overrides: Sequence[str], *, numbered: bool = False
    ) -> "RunDirectory":
        """Make a new run directory with its config, overrides and the status queued; it appears with all of them.

        ``numbered`` adds ``-2``, ``-3``, ... to a name that is taken, for names that nobody chose.

        Raises:
            UserError: something is there already (it is not touched).
            NotNow: the folder cannot be written.
        """
        wanted = cls(path)
        whole = cls(temporary_sibling(wanted.path))
        try:
            whole.path.mkdir(parents=True)
            write_whole(whole.config, _yaml(dict(config)))
            write_whole(whole.overrides, _yaml(redact(overrides)))
            whole.set_status("queued")
            return whole._take_name(wanted.path, numbered)
        except (OSError, NotNow) as error:
            raise cannot_write(wanted.path, error) from error
        finally:
            _remove(whole.path)

    def _take_name(self, wanted: Path, numbered: bool) -> "RunDirectory":
        """Move this directory to a name that only we have claimed."""
        number = 1
        while True:
            place = wanted if number == 1 else wanted.with_name(f"{wanted.name}-{number}")
            try:
                place.mkdir()  # exclusive: of two that try, one gets it
            except FileExistsError:
                if not numbered:
                    raise UserError(
                        f"run.dir={wanted} exists already; name a new folder with run.dir=, or leave run.dir out."
                    ) from None
                number += 1
                continue
            try:
                self.path.replace(place)  # over the empty folder, at once
            except OSError:
                place.rmdir()
                raise
            return RunDirectory(place)

    def read_config(self) -> dict[str, Any]:
        """Return the frozen config.

        Raises:
            UserError: there is none, it is not a mapping in YAML, or it leads out of the directory.
        """
        config = read_mapping(self.config, read_yaml, "is this a run directory?")
        if wrong := list(straying_places(config)):
            raise UserError(wrong)
        return config

    def read_overrides(self) -> list[str]:
        """Return the command line's overrides, in order; none where the run was not started from a command line.

        Raises:
            UserError: the file is no list of texts.
        """
        content = read_yaml(self.overrides) if self.overrides.exists() else []
        if not isinstance(content, list) or not all(isinstance(text, str) for text in content):
            raise UserError(f"{self.overrides} holds no list of overrides; it was not written by quatrain.")
        return content

    def status(self) -> RunStatus:
        """Return the status; ``interrupted`` where it says running and the process on this machine is gone.

        A process on another machine cannot be seen from here; its ``running`` is believed.

        Raises:
            UserError: there is none, or it is not one of ours.
        """
        content = read_mapping(self.status_file, read_json, "the run was never started here.")
        found: RunStatus = fitting(RunStatus, content, self.status_file)
        here = found.host == socket.gethostname()
        if found.status == "running" and here and not is_alive(found.pid, found.process_start):
            return RunStatus(**{**asdict(found), "status": "interrupted", "why": "The process ended without a word."})
        return found

    def set_status(self, status: State, why: str | None = None) -> None:
        """Write the status of this process's run, whole and at once.

        Raises:
            ValueError: no such status, or a failure without its sentence.
        """
        if status not in get_args(State) or (status == "failed" and not why):
            raise ValueError(f"status {status!r} must be one of {', '.join(get_args(State))}, failed with its sentence")
        now = datetime.now().astimezone().isoformat(timespec="seconds")
        pid = os.getpid()
        why = redact_text(why) if why else why
        write_json(
            self.status_file, asdict(RunStatus(status, why, now, pid, start_of(pid) or "", socket.gethostname()))
        )

    def write_result(self, result: Mapping[str, Any]) -> None:
        """Write ``result.json``: ``metrics`` (the last), ``best`` (with its step), ``seconds``, ``tokens_per_second``.

        Further entries may follow.
        """
        write_json(self.result, result)

    def read_result(self) -> dict[str, Any] | None:
        """Return the result; None before there is one.

        Raises:
            UserError: it is not one of ours.
        """
        return read_mapping(self.result, read_json, "") if self.result.exists() else None

    def write_provenance(self, provenance: Mapping[str, Any]) -> None:
        """Write ``provenance.json``."""
        write_json(self.provenance, provenance)

    def read_metrics(self) -> list[dict[str, int | float]]:
        """Return the rows of ``metrics.csv``, each with the columns that it fills; none before there are any."""
        return read_rows(self.metrics_file)


def load_run(path: str | Path) -> RunDirectory:
    """Return the run in the directory ``path``.

    Raises:
        UserError: there is none, or something in it is a link that leads out of it.
    """
    run = RunDirectory(path)
    if not run.path.exists():
        raise UserError(f"{path} does not exist; name a run directory, which quatrain train made.")
    if not run.config.is_file():
        raise UserError(f"{path} is no run directory, for it holds no config.yaml; name one that quatrain train made.")
    check_links(run.path)
    return run


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Write ``content`` as `quatrain.core.json_text.as_json` gives it, whole or not at all."""
    write_whole(path, as_json(content))


def _yaml(content: Any) -> str:
    return yaml.safe_dump(content, sort_keys=False, allow_unicode=True, width=120)


def _remove(path: Path) -> None:
    if path.is_dir():
        for file in path.iterdir():
            file.unlink()
        path.rmdir()
