"""Kills runs at random moments, has them go on, and compares them with a run that was never touched.

    python tests/reliability/kills.py --kills 10 [--only NAME] [--seed 0] [--term]

Each scenario trains once undisturbed. Then runs of the same config are killed, by SIGKILL or with ``--term`` by one of
the four signals that ask for a stop, at moments drawn over the whole life of the worker: start-up, preparing data,
training, validation, writing checkpoints, the export. Every one goes on until it is done, and its metrics.csv (all
but the speed), its final weights and its result must be the undisturbed run's, to the bit; else the exit code is 1.

Workers of one process are forked from a process that has imported the libraries, which costs milliseconds where a new
interpreter costs seconds; they are as separate, and as dead, as any other process. Those of two ranks start cold.
"""

import argparse
import csv
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

SMALL = (
    "data.verse_size=120",
    "trainer.accelerator=cpu",
    "trainer.max_epochs=2",
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
DECODER = ("model.config.n_embd=32", "model.config.n_layer=2", "model.config.n_head=2")
SCENARIOS: dict[str, tuple[str, ...]] = {
    # bfloat16, and three micro-batches a step, which no epoch is a multiple of
    "masked_lm": (
        "experiment=quick_sonnets",
        "data.batch_size=16",
        "speed.precision=bf16-mixed",
        "trainer.accumulate_grad_batches=3",
        *ENCODER,
    ),
    # loader processes, and a validation in the midst of the epoch
    "causal_lm": (
        "experiment=quick_windows",
        "data.max_length=64",
        "data.batch_size=4",
        "data.num_workers=2",
        "trainer.val_check_interval=10",
        *DECODER,
    ),
    "classification": ("experiment=quick_mrpc", "data.batch_size=4", *ENCODER),
    "two_ranks": ("experiment=quick_sonnets", "data.batch_size=32", "trainer=ddp_cpu", "trainer.devices=2", *ENCODER),
}
SPEED = ("train/tokens_per_second",)
ASKING = (signal.SIGTERM, signal.SIGINT, signal.SIGUSR1, signal.SIGUSR2)
INTERRUPTED = 75


@dataclass
class Tally:
    """What was done to the runs of a scenario, and what came of it."""

    kills: int = 0
    runs: int = 0
    different: list[str] = field(default_factory=list)
    slowest: float = 0.0
    by_phase: dict[str, int] = field(default_factory=dict)


def freeze(name: str, folder: Path) -> Path:
    """Make a run directory of the scenario, as quatrain train does, and start nothing."""
    from quatrain.config.compose import compose
    from quatrain.runs.directory import RunDirectory

    overrides = [*SCENARIOS[name], *SMALL]
    return RunDirectory.create(folder, compose(overrides), overrides).path


def start(run: Path, cold: bool) -> int:
    """Start a worker on ``run`` as a process of its own; return its number."""
    if cold:
        command = [sys.executable, "-m", "quatrain.worker", str(run)]
        with (run / "terminal.txt").open("a") as words:
            return subprocess.Popen(command, stdout=words, stderr=words, process_group=0).pid
    pid = os.fork()
    if pid:
        return pid
    code = 1
    try:
        os.setpgid(0, 0)
        words = os.open(run / "terminal.txt", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        os.dup2(words, 1)
        os.dup2(words, 2)
        from quatrain.worker import main

        code = main([str(run)])
    finally:
        os._exit(code)


def wait(pid: int, seconds: float | None) -> int | None:
    """Wait for the process's end; its exit code (128 + n for signal n), or None where it still runs by then."""
    end = None if seconds is None else time.monotonic() + seconds
    while True:
        done, status = os.waitpid(pid, os.WNOHANG)
        if done:
            code = os.waitstatus_to_exitcode(status)
            return code if code >= 0 else 128 - code
        if end is not None and time.monotonic() >= end:
            return None
        time.sleep(0.005)


@dataclass(frozen=True)
class Moment:
    """When to send which signal: once metrics.csv has ``rows`` rows, and ``seconds`` later."""

    rows: int
    seconds: float
    number: int


def draw(chance: random.Random, life: float, rows: int, term: bool) -> Moment:
    """A third of the moments from all of a worker's life, the others from the training."""
    number = int(chance.choice(ASKING)) if term else int(signal.SIGKILL)
    if chance.random() < 1 / 3:
        return Moment(0, chance.uniform(0, life), number)
    return Moment(chance.randint(1, rows), chance.uniform(0, 2 * life / rows), number)


def wait_for(moment: Moment, pid: int, run: Path) -> int | None:
    """Wait for the moment; the exit code where the process ended before."""
    metrics = run / "metrics.csv"
    while moment.rows and not (metrics.exists() and metrics.read_bytes().count(b"\n") > moment.rows):
        if (code := wait(pid, 0.005)) is not None:
            return code
    return wait(pid, moment.seconds)


def disturb(run: Path, cold: bool, moments: list[Moment], tally: Tally) -> int:
    """Run until done, but for a signal at each of ``moments``; return the exit code."""
    from quatrain.runs.directory import load_run

    for moment in moments:
        number = moment.number
        pid = start(run, cold)
        code = wait_for(moment, pid, run)
        if code is not None:  # it was done before
            return code
        phase = phase_of(run)
        os.kill(pid, number)
        sent = time.monotonic()
        code = wait(pid, 60)
        tally.slowest = max(tally.slowest, time.monotonic() - sent)
        tally.kills += 1
        tally.by_phase[phase] = tally.by_phase.get(phase, 0) + 1
        if code is None:
            os.killpg(pid, signal.SIGKILL)
            raise RuntimeError(f"{run}: still there a minute after {signal.Signals(number).name}")
        if number != signal.SIGKILL and code not in (0, INTERRUPTED):
            raise RuntimeError(f"{run}: exit code {code} after {signal.Signals(number).name}")
        if code == 0 or load_run(run).status().status == "done":
            return 0
    return wait(start(run, cold), None) or 0


def phase_of(run: Path) -> str:
    """How far the run has come, by its files."""
    if (run / "export").exists():
        return "export and end"
    if any((run / "checkpoints").glob("step-*")):
        return "after the first checkpoint"
    return "training, no checkpoint yet" if (run / "metrics.csv").exists() else "start-up"


def differences(whole: Path, run: Path) -> list[str]:
    """What is not the same in two runs, to the bit; nothing of it may be."""
    from quatrain.runs.directory import RunDirectory

    found = []
    rows, others = (rows_of(folder / "metrics.csv") for folder in (whole, run))
    if rows != others:
        place = next((i for i, pair in enumerate(zip(rows, others, strict=False)) if pair[0] != pair[1]), None)
        found.append(f"metrics.csv: {len(rows)} and {len(others)} rows, the first other one is {place}")
    weights, other = ((folder / "export" / "model.safetensors").read_bytes() for folder in (whole, run))
    if weights != other:
        found.append("the final weights")
    result, other_result = (RunDirectory(folder).read_result() or {} for folder in (whole, run))
    for part in ("best", "metrics", "tokens"):
        if result[part] != other_result[part]:
            found.append(f"result.json: {part}")
    return found


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return [{name: value for name, value in row.items() if name not in SPEED} for row in csv.DictReader(file)]


def scenario(name: str, kills: int, chance: random.Random, term: bool, folder: Path) -> Tally:
    """Kill runs of one scenario ``kills`` times in all."""
    cold = name == "two_ranks"
    tally = Tally()
    whole, life = undisturbed(freeze(name, folder / f"{name}-whole"), cold)
    again, life = undisturbed(freeze(name, folder / f"{name}-again"), cold)  # the first one also prepared the data
    tally.different += [f"two undisturbed runs: {one}" for one in differences(whole, again)]
    while tally.kills < kills:
        tally.runs += 1
        run = freeze(name, folder / f"{name}-{tally.runs}")
        count = min(kills - tally.kills, chance.randint(1, 3))
        moments = [draw(chance, life, len(rows_of(whole / "metrics.csv")), term) for _ in range(count)]
        code = disturb(run, cold, moments, tally)
        found = [f"exit code {code}"] if code else differences(whole, run)
        tally.different += [f"{run.name}: {one}" for one in found]
        if found:
            print((run / "terminal.txt").read_text()[-2000:], file=sys.stderr)
    return tally


def undisturbed(run: Path, cold: bool) -> tuple[Path, float]:
    """Run to the end; return the run and the seconds that it took."""
    began = time.monotonic()
    if wait(start(run, cold), None) != 0:
        raise RuntimeError(f"{run}: the undisturbed run failed:\n{(run / 'terminal.txt').read_text()}")
    return run, time.monotonic() - began


def warm_up() -> None:
    """Import what workers need, and compute nothing: a fork of threads that run is no good process."""
    import pytorch_lightning  # noqa: F401
    import torchmetrics  # noqa: F401
    import transformers.models.auto  # noqa: F401

    import quatrain.training.trainer  # noqa: F401


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=10, help="kills in all, dealt to the scenarios")
    parser.add_argument("--only", choices=SCENARIOS, help="one scenario")
    parser.add_argument("--seed", type=int, default=0, help="of the moments")
    parser.add_argument("--term", action="store_true", help="ask by SIGTERM, SIGINT, SIGUSR1 or SIGUSR2 instead")
    asked = parser.parse_args()
    names = [asked.only] if asked.only else list(SCENARIOS)
    warm_up()
    chance, wrong = random.Random(asked.seed), 0
    with tempfile.TemporaryDirectory(prefix="quatrain-kills-") as folder:
        for place, name in enumerate(names):
            share = asked.kills // len(names) + (place < asked.kills % len(names))
            began = time.monotonic()
            tally = scenario(name, share, chance, asked.term, Path(folder))
            wrong += len(tally.different)
            phases = ", ".join(f"{count} in {phase}" for phase, count in sorted(tally.by_phase.items()))
            print(
                f"{name}: {tally.kills} {'signals' if asked.term else 'kills'} in {tally.runs} runs ({phases}),"
                f" {len(tally.different)} differences, the end at most {tally.slowest:.1f} s after the signal,"
                f" {time.monotonic() - began:.0f} s",
                *tally.different,
                sep="\n  ",
                flush=True,
            )
    return 1 if wrong else 0


if __name__ == "__main__":
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    sys.exit(main())
