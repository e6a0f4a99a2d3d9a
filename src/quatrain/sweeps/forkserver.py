"""The process that has the imports of a run behind it, and forks workers in milliseconds."""

import multiprocessing
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from quatrain.core.asking import held
from quatrain.runs.identity import start_of
from quatrain.runs.processes import worker_environment

PRELOADED = ["quatrain.sweeps.preloaded", "quatrain.sweeps.warm"]


def warm_up() -> None:
    """Start the forkserver, which returns at once and imports in the background. Call it in the main thread.

    The forkserver ends with the thread that started it; where it runs already, nothing is done.
    """
    if is_possible():
        from multiprocessing import forkserver, resource_tracker

        resource_tracker.ensure_running()  # which lets signals in
        with held(), _in_place(worker_environment()):
            forkserver.set_forkserver_preload(PRELOADED)
            forkserver.ensure_running()


def is_possible() -> bool:
    """Whether this system has forkservers whose children die with them."""
    return sys.platform == "linux" and "forkserver" in multiprocessing.get_all_start_methods()


def forkserver_pid() -> int | None:
    """The number of the forkserver that `warm_up` started; None where it is gone."""
    from multiprocessing import forkserver

    pid: int | None = forkserver._forkserver._forkserver_pid  # type: ignore[attr-defined]
    return pid if pid is not None and start_of(pid) is not None else None


@contextmanager
def _in_place(variables: Mapping[str, str]) -> Iterator[None]:
    """``variables`` in place of this process's own within the block, and no launch folder on the import path but where
    they name it: the forkserver takes what it finds, and newer Pythons hand it their path."""
    environment, path = dict(os.environ), list(sys.path)
    meant = variables.get("PYTHONPATH", "").split(os.pathsep)
    os.environ.clear()
    os.environ.update(variables)
    sys.path[:] = [place for place in path if place in meant or place not in ("", str(Path.cwd()))]
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(environment)
        sys.path[:] = path
