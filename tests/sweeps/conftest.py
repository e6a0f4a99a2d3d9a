"""Jobs that need no composing, and processes that stand in for a sweep and its workers."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from quatrain.sweeps.job import Job

SOURCE = str(Path(__file__).resolve().parents[2] / "src")

SWEEP = """
import json, os, signal, sys, threading, time
from pathlib import Path
from quatrain.core.asking import held
from quatrain.sweeps import forkserver as own
from quatrain.sweeps.forkserver import warm_up
from quatrain.sweeps.workers import Workers

own.PRELOADED[:] = ["bound_server", "quatrain.sweeps.warm"]
here = Path(sys.argv[1])

def begin(work, *arguments):
    with held():
        thread = threading.Thread(target=work, args=arguments, daemon=True)
        thread.start()
    return thread

def wait_for(condition):
    end = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.005)

def folder(name):
    place = here / name
    place.mkdir(exist_ok=True)
    return place

def say(**told):
    print(json.dumps(told), flush=True)

warm_up()
workers = Workers()

def slot_of(cold):
    return workers.slot(cold=cold, module="pretended_worker")
"""
"""What the scripts of pretended sweeps begin with: threads that hold signals back, a forkserver that imports little."""


@pytest.fixture
def a_job() -> Callable[..., Job]:
    """Makes jobs of a config that has what the rooms of sweeps read of one."""

    def make(number: int = 0, *, retries: int = 0, overrides: Sequence[str] | None = None, **changes: Any) -> Job:
        trainer = {"accelerator": "cpu", "devices": 1, "strategy": "auto", "num_nodes": 1}
        config: dict[str, Any] = {
            "seed": number,
            "data": {"source": "verse"},
            "tokenizer": {},
            "model": {"weights": None},
            "trainer": trainer,
            "sweep": {"retries": retries},
        }
        for key, value in changes.items():
            config[key] = {**config[key], **value} if isinstance(value, dict) else value
        texts = [f"seed={config['seed']}"] if overrides is None else list(overrides)
        return Job(number, config, texts, texts)

    return make


@pytest.fixture
def sweep_of(tmp_path: Path) -> Iterator[Callable[..., "subprocess.Popen[str]"]]:
    """Starts a pretended sweep: `SWEEP` and a script of its own, with a worker's code in `pretended_worker`."""
    begun: list[subprocess.Popen[str]] = []
    modules = tmp_path / "modules"
    modules.mkdir()
    (modules / "bound_server.py").write_text("from quatrain.core.bound import die_with_parent\ndie_with_parent()\n")

    def start(script: str, worker: str, *, cwd: Path | None = None, **environment: str) -> "subprocess.Popen[str]":
        (modules / "pretended_worker.py").write_text(
            f"{worker}\nif __name__ == '__main__':\n    import sys\n    sys.exit(main(sys.argv[1:]))\n"
        )
        (modules / "pretended").mkdir()
        (modules / "pretended" / "__main__.py").write_text(SWEEP + script)
        (tmp_path / "runs").mkdir()
        path = os.pathsep.join((str(modules), SOURCE))
        process = subprocess.Popen(
            [sys.executable, "-m", "pretended", str(tmp_path / "runs")],
            env=os.environ | {"PYTHONPATH": path} | environment,
            cwd=cwd,
            stdout=subprocess.PIPE,
            text=True,
        )
        begun.append(process)
        return process

    yield start
    for process in begun:
        process.kill()
        process.communicate()


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    """Where the pretended sweep has its run directories."""
    return tmp_path / "runs"


@pytest.fixture
def wait_for() -> Callable[..., None]:
    """Waits until something is so."""

    def wait(condition: Callable[[], object], seconds: float = 15.0) -> None:
        end = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < end, "it did not come so far"
            time.sleep(0.01)

    return wait


@pytest.fixture
def told() -> Callable[["subprocess.Popen[str]"], dict[str, Any]]:
    """Reads what a pretended sweep says next."""

    def read(process: "subprocess.Popen[str]") -> dict[str, Any]:
        assert process.stdout
        said: dict[str, Any] = json.loads(process.stdout.readline())
        return said

    return read
