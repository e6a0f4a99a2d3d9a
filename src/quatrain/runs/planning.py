"""Planning in a process of its own, as fresh as a run's worker: python -m quatrain.runs.planning FOLDER."""

import json
import os
import signal
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from quatrain.core.errors import UserError
from quatrain.core.exit_codes import DONE, INTERRUPTED, REFUSED

REQUEST, ANSWER = "request.json", "answer.json"
ENDED_BY = 128
"""Exit codes above it tell the signal that ended a process."""


def plan_apart(config: Mapping[str, Any], *, probe: bool = True) -> dict[str, str | int | float]:
    """Return the estimate of `quatrain.training.estimate` for a frozen config, made by a child process.

    The child prepares the data where that was not done before; it writes to the cache and to a temporary folder only.

    Raises:
        UserError: as the run itself would refuse the input, or the child came to an end.
    """
    from quatrain.runs.processes import start_worker

    with tempfile.TemporaryDirectory(prefix="quatrain-plan-") as name:
        folder = Path(name)
        (folder / REQUEST).write_text(
            json.dumps({"config": config, "probe": probe, "anew": False, "started": time.time()})
        )
        code = start_worker(folder, module=__name__)
        if code in (INTERRUPTED, ENDED_BY + signal.SIGINT, ENDED_BY + signal.SIGTERM):
            raise KeyboardInterrupt
        if not (folder / ANSWER).exists():
            raise UserError(
                f"The planning process was ended by signal {code - ENDED_BY}, perhaps because a step needs more memory"
                " than there is; plan with --no-probe, which tries no step, or lower data.batch_size."
            )
        answer: dict[str, Any] = json.loads((folder / ANSWER).read_text())
    if "sentences" in answer:
        raise UserError(answer["sentences"])
    found: dict[str, str | int | float] = answer["plan"]
    return found


def main(folder: Path) -> int:
    """Answer the request in ``folder``; every rank of a probe on several devices comes through here."""
    from quatrain.runs.processes import STARTER_VARIABLE, end_with_parent
    from quatrain.runs.run_log import run_log

    starter = os.environ.get(STARTER_VARIABLE)
    end_with_parent()
    leads = os.environ.get("LOCAL_RANK", "0") == "0"
    with run_log(folder / "plan.log", rank=0 if leads else 1):
        try:
            answer: dict[str, Any] = {"plan": _answer(folder, starter)}
        except UserError as error:
            answer = {"sentences": error.sentences}
        except (KeyboardInterrupt, SystemExit):  # Lightning turns a Ctrl-C into the second
            return INTERRUPTED
        except Exception as error:
            what = " ".join(str(error).split()) or "no message"
            fix = "trainer.fast_dev_run=true trains one batch and logs more, --no-probe plans without trying a step."
            answer = {"sentences": [f"{type(error).__name__}: {what} ended the planning; {fix}"]}
    if leads:
        (folder / ANSWER).write_text(json.dumps(answer))
    return DONE if "plan" in answer else REFUSED


def _answer(folder: Path, starter: str | None) -> dict[str, Any]:
    from quatrain.corpora.cache import cache_folder
    from quatrain.runs.metrics_file import MetricsFile
    from quatrain.runs.run_log import quiet_libraries
    from quatrain.training.estimate import estimate, gather

    request = json.loads((folder / REQUEST).read_text())
    cached = set(cache_folder().glob("*/*"))
    parts = gather(request["config"], probe=request["probe"])
    if set(cache_folder().glob("*/*")) != cached and not request["anew"]:
        _begin_anew(folder, {**request, "anew": True, "started": time.time()}, starter)
    quiet_libraries()
    write = MetricsFile(folder / "metrics.csv").append
    return estimate(request["config"], parts, folder, write, started=request["started"])


def _begin_anew(folder: Path, request: Mapping[str, Any], starter: str | None) -> None:
    """Become a new process: one that has prepared data holds more memory than a run that finds them ready."""
    from quatrain.runs.processes import STARTER_VARIABLE

    (folder / REQUEST).write_text(json.dumps(request))
    os.environ.pop(STARTER_VARIABLE, None)
    if starter is not None:
        os.environ[STARTER_VARIABLE] = starter
    os.execv(sys.executable, [sys.executable, "-m", __spec__.name, str(folder)])


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
