"""Kills runs at random moments, has them go on, and compares them with a run that was never touched.

    python tests/reliability/kills.py --kills 10 [--only NAME] [--seed 0] [--term]

Each scenario trains twice undisturbed. Then runs of the same config are killed, by SIGKILL or with ``--term`` by one of
the four signals that ask for a stop, at moments drawn over the whole life of the worker: start-up, preparing data,
training, validation, writing checkpoints, the export. Hit are the worker, one of its ranks, one of its loader
processes, all of them at once, or the command that started it. Every run goes on until it is done, and its metrics.csv
(all but the speed), its samples, its final weights and its result must be the undisturbed run's, to the bit; a signal
must end the run with the code 75 within 10 s (a command that has no worker yet, or no more, as the signal ends any
program), and nothing may outlive a killed run by 2 s; else the exit code is 1.
"""

import argparse
import csv
import os
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from scenarios import SCENARIOS, SMALL, Scenario, Started

from quatrain.runs.comparison import OF_TIME

ASKING = (signal.SIGTERM, signal.SIGINT, signal.SIGUSR1, signal.SIGUSR2)
FAILED, INTERRUPTED = 1, 75
SOON, SURVIVAL = 10.0, 2.0
ENOUGH = 10
"""Differences after which a scenario is given up."""


@dataclass
class Tally:
    """What was done to the runs of a scenario, and what came of it."""

    hits: int = 0
    runs: int = 0
    wrong: list[str] = field(default_factory=list)
    slowest: float = 0.0
    phases: Counter[str] = field(default_factory=Counter)
    victims: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True)
class Moment:
    """When to hit whom by which signal: once metrics.csv has ``rows`` rows, and ``seconds`` later."""

    rows: int
    seconds: float
    number: int
    who: str


def draw(chance: random.Random, life: float, rows: int, scenario: Scenario, term: bool) -> Moment:
    """A third of the moments from all of a worker's life, the others from the training."""
    number = int(chance.choice(ASKING)) if term else int(signal.SIGKILL)
    who = chance.choice(scenario.asked if term else scenario.killed)
    if chance.random() < 1 / 3:
        return Moment(0, chance.uniform(0, life), number, who)
    return Moment(chance.randint(1, rows), chance.uniform(0, 2 * life / rows), number, who)


def wait_for(moment: Moment, started: Started) -> int | None:
    """Wait for the moment; the exit code where the run ended before."""
    metrics = started.run / "metrics.csv"
    while moment.rows and not (metrics.exists() and metrics.read_bytes().count(b"\n") > moment.rows):
        if (code := started.wait(0.005)) is not None:
            return code
    return started.wait(moment.seconds)


def hit(started: Started, moment: Moment, tally: Tally) -> int:
    """Send the signal, wait for the end, judge it; return the exit code."""
    who = moment.who if started.victims(moment.who) else "worker"  # there may be no loader now, or no second rank yet
    phase = phase_of(started.run)
    for pid in started.victims(who):
        try:
            os.kill(pid, moment.number)
        except ProcessLookupError:
            continue
    sent, name = time.monotonic(), signal.Signals(moment.number).name
    code = started.wait(60)
    took = time.monotonic() - sent
    tally.hits += 1
    tally.phases[phase] += 1
    tally.victims[who] += 1
    tally.slowest = max(tally.slowest, took)
    told = f"{started.run.name}: {name} to the {who}, {phase}"
    if code is None:
        for pid in started.victims("everyone"):
            os.kill(pid, signal.SIGKILL)
        tally.wrong.append(f"{told}: still there a minute later")
        return started.wait(None) or 0
    fine = (0, INTERRUPTED, 128 + moment.number) if started.how == "command" else (0, INTERRUPTED)
    if moment.number != signal.SIGKILL and (code not in fine or took > SOON):
        tally.wrong.append(f"{told}: exit code {code} after {took:.1f} s")
        for name in ("terminal.txt", "run.log"):
            words = started.run / name
            print(told, name, words.read_text()[-3000:] if words.exists() else "-", sep="\n", file=sys.stderr)
    if moment.number == signal.SIGKILL and who == "loader" and code not in (0, FAILED):
        tally.wrong.append(f"{told}: exit code {code}")
    if left := started.survivors(SURVIVAL):
        tally.wrong.append(f"{told}: the processes {left} outlived it")
    return code


def disturb(run: Path, scenario: Scenario, moments: list[Moment], tally: Tally) -> int:
    """Run until done, but for a signal at each of ``moments``; return the exit code."""
    from quatrain.runs.directory import load_run

    for moment in moments:
        started = Started(run, scenario.how)
        code = wait_for(moment, started)
        if code is not None:  # it was done before
            return code
        code = hit(started, moment, tally)
        if code == 0 or load_run(run).status().status == "done":
            return 0
    return Started(run, scenario.how).wait(None) or 0


def phase_of(run: Path) -> str:
    """How far the run has come, by its files."""
    if (run / "export").exists():
        return "end"
    if any(run.glob(".export*")):
        return "export"
    if any((run / "checkpoints").glob(".*.tmp")):
        return "writing a checkpoint"
    if any((run / "checkpoints").glob("step-*")):
        return "training"
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
    if (whole / "samples.jsonl").read_bytes() != (run / "samples.jsonl").read_bytes():
        found.append("samples.jsonl differs")
    for part in ("best", "metrics", "tokens"):
        if result[part] != other_result[part]:
            found.append(f"result.json: {part}")
    if left := [path.name for path in (*run.glob(".*.tmp"), *run.glob("checkpoints/.*.tmp"))]:
        found.append(f"left behind: {', '.join(left)}")
    return found


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return [
            {name: value for name, value in row.items() if not name.endswith(OF_TIME)} for row in csv.DictReader(file)
        ]


def freeze(scenario: Scenario, folder: Path) -> Path:
    """Make a run directory of the scenario, as quatrain train does, and start nothing."""
    from quatrain.config.compose import compose
    from quatrain.runs.directory import RunDirectory

    overrides = [*scenario.overrides, *SMALL]
    return RunDirectory.create(folder, compose(overrides), overrides).path


def play(name: str, hits: int, chance: random.Random, term: bool, folder: Path) -> Tally:
    """Hit runs of one scenario ``hits`` times in all."""
    scenario, tally = SCENARIOS[name], Tally()
    whole, _ = undisturbed(freeze(scenario, folder / f"{name}-whole"), scenario)
    again, life = undisturbed(freeze(scenario, folder / f"{name}-again"), scenario)  # the data is prepared by now
    tally.wrong += [f"two undisturbed runs: {one}" for one in differences(whole, again)]
    rows = len(rows_of(whole / "metrics.csv"))
    while tally.hits < hits and len(tally.wrong) < ENOUGH:
        tally.runs += 1
        run = freeze(scenario, folder / f"{name}-{tally.runs}")
        count = min(hits - tally.hits, chance.randint(1, 3))
        moments = [draw(chance, life, rows, scenario, term) for _ in range(count)]
        code = disturb(run, scenario, moments, tally)
        found = [f"exit code {code}"] if code else differences(whole, run)
        tally.wrong += [f"{run.name}: {one}" for one in found]
        if found:
            print((run / "terminal.txt").read_text()[-2000:], file=sys.stderr)
    return tally


def undisturbed(run: Path, scenario: Scenario) -> tuple[Path, float]:
    """Run to the end; return the run and the seconds that it took."""
    began = time.monotonic()
    if Started(run, scenario.how).wait(None) != 0:
        raise RuntimeError(f"{run}: the undisturbed run failed:\n{(run / 'terminal.txt').read_text()}")
    return run, time.monotonic() - began


def warm_up() -> None:
    """Import what workers need, and compute nothing: a fork of threads that run is no good process."""
    import pytorch_lightning  # noqa: F401
    import torchmetrics  # noqa: F401
    import transformers.models.auto  # noqa: F401

    import quatrain.training.trainer  # noqa: F401


def summary(name: str, tally: Tally, term: bool, seconds: float) -> str:
    def dealt(counts: Counter[str]) -> str:
        return ", ".join(f"{count} {what}" for what, count in counts.most_common())

    return (
        f"{name}: {tally.hits} {'signals' if term else 'kills'} in {tally.runs} runs (to: {dealt(tally.victims)};"
        f" in: {dealt(tally.phases)}), {len(tally.wrong)} differences, the end at most {tally.slowest:.1f} s after the"
        f" signal, {seconds:.0f} s"
    )


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
            tally = play(name, share, chance, asked.term, Path(folder)) if share else Tally()
            wrong += len(tally.wrong)
            print(summary(name, tally, asked.term, time.monotonic() - began), *tally.wrong, sep="\n  ", flush=True)
    return 1 if wrong else 0


if __name__ == "__main__":
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    sys.exit(main())
