"""Kills whole sweeps at random moments, gives the same command again, and compares with a sweep that was not touched.

    python tests/reliability/sweep_kills.py --kills 2 [--seed 0] [--term] [--only NAME]

Hit is the sweep's own process, by SIGKILL or with ``--term`` by one of the four signals that ask for a stop. Nothing
may outlive it by 2 s (killed) or 10 s (asked, with the exit code 75); the same command is given until it ends well;
then every job must have one folder, and that the undisturbed job's values to the bit. Before that the jobs of
``mixed``, whose numbers of ranks differ, are compared with the same jobs run alone. ``together`` starts one sweep twice
at once: both must end well, each job having been run by one of them.
"""

import argparse
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from kills import ASKING, INTERRUPTED, SOON, SURVIVAL, differences, warm_up
from scenarios import ENCODER, SMALL, Started

JOB = ("experiment=quick_mrpc", "data.batch_size=4", *ENCODER, *SMALL, "trainer.max_epochs=3")
SWEEPS = {
    # two at a time, and more than that in all
    "beside": (*JOB, "seed=1,2,3,4", "sweep.jobs=2"),
    "together": (*JOB, "seed=1,2,3,4"),
    # ranks of their own and none, one after the other
    "mixed": (*JOB, "seed=1,2", "trainer.devices=1,2", "trainer=ddp_cpu", "trainer.max_epochs=2"),
}
MARK = "QUATRAIN_SWEEP_TRIED"


def start(words: tuple[str, ...], folder: Path) -> "subprocess.Popen[bytes]":
    command = [sys.executable, "-m", "quatrain", "train", "-m", *words, f"hydra.sweep.dir={folder}"]
    environment = {**os.environ, MARK: str(folder), "OMP_NUM_THREADS": "1"}
    folder.parent.mkdir(parents=True, exist_ok=True)
    with folder.with_suffix(".txt").open("ab") as said:
        return subprocess.Popen(command, env=environment, stdout=said, stderr=said, process_group=0)


def survivors(folder: Path, seconds: float) -> list[int]:
    """Processes of the sweep that are still there after ``seconds``, by the mark that they all inherit."""
    mark, end = f"{MARK}={folder}".encode(), time.monotonic() + seconds
    while True:
        left = [int(place.name) for place in Path("/proc").glob("[0-9]*") if mark in _environment(place)]
        if not left or time.monotonic() > end:
            return left
        time.sleep(0.05)


def _environment(place: Path) -> list[bytes]:
    try:
        return (place / "environ").read_bytes().split(b"\0")
    except OSError:
        return []


def compared(whole: Path, folder: Path) -> list[str]:
    """What is not the same in two sweeps: their jobs, or anything in one of these."""
    jobs, others = ([job.name for job in folders(sweep)] for sweep in (whole, folder))
    if jobs != others:
        return [f"{folder.name} has the folders {others}, not {jobs}"]
    return [f"{folder.name}/{job}: {one}" for job in jobs for one in differences(whole / job, folder / job)]


def folders(sweep: Path) -> list[Path]:
    return sorted(place for place in sweep.glob("*") if place.is_dir() and place.name[0] != ".")


def finish(words: tuple[str, ...], folder: Path) -> list[str]:
    code = start(words, folder).wait(300)
    return [f"{folder.name}: exit code {code}\n{folder.with_suffix('.txt').read_text()[-3000:]}"] if code else []


def disturb(words: tuple[str, ...], folder: Path, moments: list[float], number: int) -> tuple[list[str], int]:
    """Hit the sweep at each of ``moments`` after a start, and let it end; what was wrong, and how often it was hit."""
    wrong, hits = [], 0
    for moment in moments:
        sweep = start(words, folder)
        try:
            sweep.wait(moment)
            break  # it was done before
        except subprocess.TimeoutExpired:
            sweep.send_signal(number)
        hits += 1
        code = sweep.wait(60)
        if left := survivors(folder, SURVIVAL if number == signal.SIGKILL else SOON):
            wrong.append(f"{folder.name}: {left} outlived the sweep")
        if number != signal.SIGKILL and code not in (INTERRUPTED, 0, 128 + number, -number):
            wrong.append(f"{folder.name}: exit code {code}\n{folder.with_suffix('.txt').read_text()[-3000:]}")
    return [*wrong, *finish(words, folder)], hits


def together(words: tuple[str, ...], folder: Path) -> list[str]:
    """Two sweeps at once on one folder."""
    both = [start(words, folder) for _ in range(2)]
    wrong = [f"{folder.name}: exit code {code}" for sweep in both if (code := sweep.wait(300))]
    for job in folders(folder):
        starts = (job / "console.log").read_text().count("accelerator:")
        wrong += [f"{job}: started {starts} times"] if starts != 1 else []
    return wrong


def alone(sweep: Path) -> list[str]:
    """Run every job of ``sweep`` by itself; what is not the same."""
    from quatrain.runs.directory import RunDirectory

    wrong = []
    for job in folders(sweep):
        config = RunDirectory(job).read_config()
        run = RunDirectory.create(sweep.with_name("alone") / job.name, config, []).path
        code = Started(run, "torchrun" if config["trainer"]["devices"] > 1 else "fork").wait(300)
        found = [f"exit code {code}"] if code else differences(run, job)
        wrong += [f"{job.name} alone: {one}" for one in found]
    return wrong


def play(name: str, count: int, chance: random.Random, term: bool, base: Path) -> tuple[int, list[str]]:
    """Hit the sweep ``count`` times, or run it twice at once as often; how often that was, and what was wrong."""
    words, began = SWEEPS[name], time.monotonic()
    wrong = finish(words, base / "whole")
    life, hits, runs = time.monotonic() - began, 0, 0
    wrong += [f"{survivor} outlived the sweep" for survivor in survivors(base / "whole", SURVIVAL)]
    if name == "mixed" and not wrong:
        wrong += alone(base / "whole")
    while not wrong and hits < count:
        runs += 1
        folder = base / str(runs)
        if name == "together":
            found, new = together(words, folder), 1
        else:
            number = int(chance.choice(ASKING) if term else signal.SIGKILL)
            moments = [chance.uniform(0.1, life) for _ in range(min(count - hits, chance.randint(1, 2)))]
            found, new = disturb(words, folder, moments, number)
        hits += new
        wrong += found or compared(base / "whole", folder)
    return hits, wrong


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=2, help="in all, dealt to the sweeps")
    parser.add_argument("--seed", type=int, default=0, help="of the moments")
    parser.add_argument("--only", choices=SWEEPS, help="one sweep")
    parser.add_argument("--term", action="store_true", help="ask by SIGTERM, SIGINT, SIGUSR1 or SIGUSR2 instead")
    asked = parser.parse_args()
    names = [asked.only] if asked.only else list(SWEEPS)
    warm_up()
    chance, failed = random.Random(asked.seed), False
    with tempfile.TemporaryDirectory(prefix="quatrain-sweeps-") as temporary:
        for place, name in enumerate(names):
            share = asked.kills // len(names) + (place < asked.kills % len(names))
            began = time.monotonic()
            hits, wrong = play(name, share, chance, asked.term, Path(temporary) / name)
            what = "times twice at once" if name == "together" else "signals" if asked.term else "kills"
            print(f"{name}: {hits} {what}, {len(wrong)} differences, {time.monotonic() - began:.0f} s", flush=True)
            print(*wrong, sep="\n", end="\n" if wrong else "")
            failed = failed or bool(wrong)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
