"""Runs whose workers are this process, away from whatever W&B or MLflow a person here uses."""

import gc
import os
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from quatrain.__main__ import main
from quatrain.runs.directory import RunDirectory
from quatrain.training.preemption import StopRequest

from .wandb_server import KEY, Server, serving

TINY = (
    "experiment=quick_mrpc",
    "data.verse_size=60",
    "data.batch_size=8",
    "trainer.accelerator=cpu",
    "trainer.log_every_n_steps=1",
    "trainer.limit_val_batches=1",
    "trainer.val_check_interval=2",
    "trainer.max_epochs=1",
    "run.report=false",
    "model.config.hidden_size=16",
    "model.config.num_attention_heads=2",
    "model.config.intermediate_size=32",
)
"""Six steps, and a validation after every second one."""


@dataclass
class Here:
    """Runs of this test; a ``signal`` stops the next one after its first step."""

    folder: Path
    signal: int = 0

    def start(self, run_dir: Path, environment: object = None) -> int:
        from quatrain import worker
        from quatrain.runs.lock import locked
        from quatrain.runs.run_log import run_log

        run, stop = RunDirectory(run_dir), StopRequest()
        stop.number, self.signal = self.signal, 0
        with locked(run, run.lock), run_log(run.log):
            return worker.guarded(run, stop)

    def train(self, *overrides: str, name: str = "run", signal: int = 0) -> tuple[RunDirectory, int]:
        self.signal = signal
        run = RunDirectory(self.folder / name)
        return run, main(["train", *TINY, *overrides, f"run.dir={run.path}"])

    def resume(self, run: RunDirectory, *words: str) -> int:
        return main(["resume", str(run.path), *words])


def _nothing_of_a_person(patch: pytest.MonkeyPatch, folder: Path) -> None:
    for name in [name for name in os.environ if name.startswith(("WANDB_", "MLFLOW_"))]:
        patch.delenv(name)
    patch.setenv("NETRC", str(folder / "netrc"))
    patch.setenv("WANDB_CONFIG_DIR", str(folder / "wandb-config"))
    patch.setenv("WANDB_ERROR_REPORTING", "false")


@pytest.fixture(autouse=True)
def _away_from_people(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    _nothing_of_a_person(monkeypatch, tmp_path)
    monkeypatch.chdir(tmp_path)
    _end_service()
    yield
    _end_service()


def _end_service() -> None:
    """End W&B's process here and now; W&B never waits for it, which Python tells in whichever test comes next."""
    import wandb

    wandb.teardown()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Here:
    made = Here(tmp_path)
    monkeypatch.setattr("quatrain.runs.attempts.start_worker", made.start)
    monkeypatch.setattr("quatrain.runs.lock.AFTER_A_KILL", 0.0)
    monkeypatch.setattr(StopRequest, "listen", lambda self: None)
    return made


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """W&B's server, with the key that it takes set in the environment."""
    with serving() as found:
        monkeypatch.setenv("WANDB_BASE_URL", found.url)
        monkeypatch.setenv("WANDB_API_KEY", KEY)
        yield found
