"""Runs to be disturbed: what they train, how their processes are started, and which of these are hit."""

import os
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

SMALL = (
    "data.verse_size=60",
    "trainer.accelerator=cpu",
    "trainer.max_epochs=2",
    "run.report=false",
    "trainer.log_every_n_steps=1",
    "trainer.limit_val_batches=4",
    "callbacks.checkpoints.every_n_steps=3",
)
ENCODER = (
    "model.config.hidden_size=32",
    "model.config.num_hidden_layers=2",
    "model.config.num_attention_heads=2",
    "model.config.intermediate_size=64",
)
DROPOUT = ("model.config.hidden_dropout_prob=0.1", "model.config.attention_probs_dropout_prob=0.1")
DECODER = (
    "model.config.n_embd=32",
    "model.config.n_layer=2",
    "model.config.n_head=2",
    "model.config.resid_pdrop=0.1",
    "model.config.embd_pdrop=0.1",
)
TWO = ("experiment=quick_sonnets", "data.batch_size=16", "trainer=ddp_cpu", "trainer.devices=2", *ENCODER, *DROPOUT)


@dataclass(frozen=True)
class Scenario:
    """``how`` its processes start (see `Started`), and who is hit by a kill, and by a signal that asks for a stop."""

    overrides: tuple[str, ...]
    how: str = "fork"
    killed: tuple[str, ...] = ("worker",)
    asked: tuple[str, ...] = ("worker",)


SCENARIOS = {
    # bfloat16, and three micro-batches a step, which no epoch is a multiple of
    "masked_lm": Scenario(
        (
            "experiment=quick_sonnets",
            "data.batch_size=16",
            "speed.precision=bf16-mixed",
            "trainer.accumulate_grad_batches=3",
            "trainer.limit_train_batches=40",
            *ENCODER,
            *DROPOUT,
        )
    ),
    # loader processes, and a validation in the midst of the epoch
    "causal_lm": Scenario(
        (
            "experiment=quick_windows",
            "data.max_length=64",
            "data.batch_size=4",
            "data.num_workers=2",
            "trainer.val_check_interval=5",
            *DECODER,
        ),
        killed=("worker", "loader", "everyone"),
        asked=("worker", "everyone"),
    ),
    "classification": Scenario(("experiment=quick_mrpc", "data.batch_size=4", *ENCODER, *DROPOUT)),
    # as torchrun starts them: by their variables
    "two_ranks": Scenario(TWO, "torchrun", ("worker", "rank", "everyone"), ("worker", "rank", "everyone")),
    # as quatrain itself starts them: the second one by Lightning
    "launched_ranks": Scenario(TWO, "launched", ("worker", "rank"), ("worker", "rank")),
    # the command, whose worker must not outlive it
    "command": Scenario(("experiment=quick_mrpc", "data.batch_size=4", *ENCODER, *DROPOUT), "command"),
}


class Started:
    """The processes that work on a run.

    ``fork``: a worker, forked from this process, which has imported the libraries: that costs milliseconds where a new
    interpreter costs seconds, and the worker is as separate, and as dead, as any other process. ``torchrun``: two such
    ranks; when one fails the other is ended, as torchrun does. ``launched``: a cold interpreter, whose Lightning starts
    the second rank. ``command``: ``quatrain resume``, which starts a cold worker.
    """

    def __init__(self, run: Path, how: str) -> None:
        self.run, self.how = run, how
        self.codes: dict[int, int] = {}
        self.pids: list[int] = []
        if how == "launched":
            command = [sys.executable, "-m", "quatrain.worker", str(run)]
            from quatrain.core.asking import held

            with (run / "terminal.txt").open("a") as words, held():  # as the command starts it
                self.pids.append(subprocess.Popen(command, stdout=words, stderr=words, process_group=0).pid)
            return
        port = str(free_port())
        for rank in range(2 if how == "torchrun" else 1):
            names = {"RANK": rank, "LOCAL_RANK": rank, "WORLD_SIZE": 2, "LOCAL_WORLD_SIZE": 2, "GROUP_RANK": 0}
            names |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port, "TORCHELASTIC_RUN_ID": "none"}
            self.pids.append(forked(run, how, {name: str(value) for name, value in names.items()}))

    def wait(self, seconds: float | None) -> int | None:
        """Wait for the end of all; the first one's exit code (128 + n for signal n), or None if it is not there yet."""
        end = None if seconds is None else time.monotonic() + seconds
        while True:
            for pid in [pid for pid in self.pids if pid not in self.codes]:
                done, status = os.waitpid(pid, os.WNOHANG)
                if done:
                    code = os.waitstatus_to_exitcode(status)
                    self.codes[pid] = code if code >= 0 else 128 - code
                    if code:
                        self._end_others()
            if len(self.codes) == len(self.pids):
                return self.codes[self.pids[0]]
            if end is not None and time.monotonic() >= end:
                return None
            time.sleep(0.005)

    def victims(self, who: str) -> list[int]:
        """The processes that ``who`` means; none where there is no such process now."""
        alive = [pid for pid in self.pids if pid not in self.codes]
        children = [child for pid in alive for child in children_of(pid)]
        if who == "worker":
            return alive[:1]
        if who == "everyone":
            return [*alive, *children]
        found = self.pids[1:] if self.how == "torchrun" else children
        return found[-1:]

    def survivors(self, seconds: float) -> list[int]:
        """The processes of this run that are still there after ``seconds``."""
        end = time.monotonic() + seconds
        while (found := working_on(self.run)) and time.monotonic() < end:
            time.sleep(0.02)
        return found

    def _end_others(self) -> None:
        for pid in self.pids:
            if pid not in self.codes:
                os.kill(pid, signal.SIGTERM)


def forked(run: Path, how: str, variables: dict[str, str]) -> int:
    """Fork a process that works on ``run``; return its number."""
    from quatrain.core.asking import ASKING

    signal.pthread_sigmask(signal.SIG_BLOCK, ASKING)  # what comes before the worker listens waits, as for a real one
    pid = os.fork()
    if pid:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, ASKING)
        return pid
    code = 1
    try:
        os.setpgid(0, 0)
        words = os.open(run / "terminal.txt", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        os.dup2(words, 1)
        os.dup2(words, 2)
        if how == "command":
            signal.pthread_sigmask(signal.SIG_UNBLOCK, ASKING)
            from quatrain.__main__ import main

            code = main(["resume", str(run)])
        else:
            os.environ.update(variables if how == "torchrun" else {})
            from quatrain.worker import main as work

            code = work([str(run)])
    finally:
        os._exit(code)


def children_of(pid: int) -> list[int]:
    """The processes that ``pid`` has started and that still are its own."""
    try:
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def working_on(run: Path) -> list[int]:
    """The interpreters whose command line names ``run``."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal() and int(entry.name) != os.getpid():
            try:
                if str(run) in (entry / "cmdline").read_text().split("\0"):
                    found.append(int(entry.name))
            except OSError:
                continue
    return found


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])
