"""One command, run to its end: how long it took, how much memory it held, what it printed."""

import os
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
TOLD = 1500
"""Characters of what a failed command said that are shown."""


class Failed(Exception):  # noqa: N818 - what happened to the command
    """A command ended with another exit code than 0; the message ends with what it said last."""


@dataclass(frozen=True)
class Done:
    """A command that ended well."""

    seconds: float
    """From its start to its end."""

    peak_mb: float
    """The most memory (resident set, MiB) that one process of it held: it, or one that it waited for."""

    output: str
    """What it printed on standard output."""


def run(
    command: list[str], *, log: Path, environment: Mapping[str, str] | None = None, cwd: Path | None = None
) -> Done:
    """Run ``command``; its two streams go to ``log`` with the suffixes .out and .err.

    The process that calls this must be small: a child counts its parent's memory until it is another program.

    Raises:
        Failed: it did not end well.
    """
    out, err = log.with_suffix(".out"), log.with_suffix(".err")
    began = time.perf_counter()
    with out.open("wb") as stdout, err.open("wb") as stderr:
        process = subprocess.Popen(command, env=environment, cwd=cwd, stdout=stdout, stderr=stderr)
        try:
            _, status, usage = os.wait4(process.pid, 0)
        except BaseException:
            process.kill()
            process.wait()
            raise
    process.returncode = os.waitstatus_to_exitcode(status)  # it is reaped; Popen must not wait for it again
    seconds = time.perf_counter() - began
    said = out.read_text(encoding="utf-8", errors="replace")
    if process.returncode:
        last = (said + err.read_text(encoding="utf-8", errors="replace")).strip()[-TOLD:]
        raise Failed(f"{' '.join(command)}\nended with {process.returncode}:\n{last}")
    return Done(seconds, usage.ru_maxrss / 1024, said)


def environment(*, cache: Path, gpu: bool, threads: int | None = None) -> dict[str, str]:
    """The variables of a measured command: no hub, prepared data below ``cache``, a GPU only if asked.

    ``threads``: of each process; None leaves it to the libraries, which take every core.
    """
    own = {name: value for name, value in os.environ.items() if name not in THREADS}
    own |= dict.fromkeys(THREADS, str(threads)) if threads else {}
    own |= {
        "HF_HUB_OFFLINE": "1",
        "QUATRAIN_CACHE": str(cache / "quatrain"),
        "HF_DATASETS_CACHE": str(cache / "datasets"),
    }
    return own if gpu else {**own, "CUDA_VISIBLE_DEVICES": ""}
