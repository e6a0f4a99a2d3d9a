"""What a sweep costs beyond its trainings, and what running jobs side by side gains.

    python benchmarks/sweeps.py [--jobs 8] [--rounds 3] [--steps 600] [--json]

Each round times, one after the other: the same runs in one process (the floor), and half of them in each of two
processes at once (what the machine gives two); a sweep by ours one at a time, and two at a time; and Hydra's basic
launcher with a cold process for each job. Printed are medians and ratios. The overhead of a job is taken from the
second one on: what N + 1 jobs take beyond 1, less what the floor takes for as many.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from subprocess import DEVNULL, PIPE

JOB = ("experiment=quick_mrpc", "data.verse_size=2000", "data.batch_size=8", "trainer.limit_val_batches=4")
FLOOR = """
import os, sys, time
from pathlib import Path
import quatrain.sweeps.preloaded
from quatrain.worker import main
began, ends = time.perf_counter(), []
for folder in sorted(Path(sys.argv[1]).iterdir()):
    os.environ.pop("QUATRAIN_STARTER", None)  # it has begun more than one run
    assert main([str(folder)]) == 0
    ends.append(time.perf_counter() - began)
print("ENDS", *ends)
"""


def frozen(folder: Path, words: list[str], jobs: int) -> None:
    """Run directories of the jobs of a sweep, made and not run."""
    from quatrain.config.compose import compose
    from quatrain.runs.directory import RunDirectory

    for seed in range(jobs):
        overrides = [*words, f"seed={seed}"]
        RunDirectory.create(folder / f"{seed:03d}", compose(overrides), overrides)


def timed(command: list[str], environment: dict[str, str]) -> tuple[float, str]:
    """The seconds of a command from start to end, and what it printed."""
    began = time.perf_counter()
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{' '.join(command)} ended with {done.returncode}:\n{done.stderr[-3000:]}")
    return time.perf_counter() - began, done.stdout


def floor(folders: list[Path], words: list[str], jobs: int, environment: dict[str, str]) -> float:
    """Seconds of ``jobs`` runs after a first one, in one process for each folder, all at once; of the slowest."""
    for folder in folders:
        frozen(folder, words, jobs + 1)
    processes = [
        subprocess.Popen([sys.executable, "-c", FLOOR, str(folder)], env=environment, stdout=PIPE, stderr=DEVNULL)
        for folder in folders
    ]
    said = [process.communicate()[0].decode() for process in processes]
    ends = [[float(number) for number in words.rpartition("ENDS ")[2].split()] for words in said]
    return max(row[-1] - row[0] for row in ends)


def measure(folder: Path, words: list[str], jobs: int, threads: str) -> dict[str, float]:
    """Seconds of each way, for ``jobs`` jobs after a first one."""
    one = {**os.environ, "OMP_NUM_THREADS": threads, "HF_HUB_OFFLINE": "1"}
    free = {name: value for name, value in one.items() if name != "OMP_NUM_THREADS"}
    sweep = [sys.executable, "-m", "quatrain", "train", "-m", *words]

    def run(name: str, seeds: int, environment: dict[str, str], *more: str) -> float:
        return timed([*sweep, f"seed=range({seeds})", f"hydra.sweep.dir={folder / name}", *more], environment)[0]

    return {
        "floor": floor([folder / "floor"], words, jobs, one),
        "two processes": floor([folder / "left", folder / "right"], words, jobs // 2, one),
        "local": run("many", jobs + 1, one) - run("single", 1, one),
        "in turn": run("in-turn", jobs, free),
        "two at a time": run("beside", jobs, free, "sweep.jobs=2"),
        "basic, cold": run("basic", jobs, free, "hydra/launcher=basic"),
    }


def main() -> None:
    """Measure, round after round."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--jobs", type=int, default=8, help="jobs of a sweep")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=600, help="optimizer steps of a job, 1000 at most")
    parser.add_argument("--json", action="store_true", help="print the seconds of all rounds last, as one object")
    asked = parser.parse_args()
    words = [*JOB, f"trainer.max_steps={asked.steps}"]
    rounds = []
    for number in range(asked.rounds):
        with tempfile.TemporaryDirectory(prefix="quatrain-bench-") as folder:
            rounds.append(measure(Path(folder), words, asked.jobs, "1"))
        print(f"round {number + 1}:", {name: round(seconds, 1) for name, seconds in rounds[-1].items()}, flush=True)
    report(rounds, asked.jobs)
    if asked.json:
        print(json.dumps({"jobs": asked.jobs, "rounds": rounds}))


def report(rounds: list[dict[str, float]], jobs: int) -> None:
    """Print medians, and of the ratios the range too."""
    median = {name: statistics.median(row[name] for row in rounds) for name in rounds[0]}
    overhead = spread([(row["local"] - row["floor"]) / jobs for row in rounds], "s")
    most = spread([row["floor"] / row["two processes"] for row in rounds], "times as fast")
    gain = spread([row["in turn"] / row["two at a time"] for row in rounds], "times as fast")
    colder = spread([row["basic, cold"] / row["two at a time"] for row in rounds], "times as long")
    print(f"a job in one process: {median['floor'] / jobs:.2f} s; in a sweep: {median['local'] / jobs:.2f} s")
    print(f"overhead of a job from the second on: {overhead}")
    print(f"the machine gives two processes of their own, without start-up: {most}")
    print(f"{jobs} jobs in turn {median['in turn']:.1f} s, two at a time {median['two at a time']:.1f} s: {gain}")
    print(f"by Hydra's basic launcher, each cold, {median['basic, cold']:.1f} s: {colder} as ours two at a time")


def spread(values: list[float], unit: str) -> str:
    """The median, and the range."""
    return f"{statistics.median(values):.2f} {unit} ({min(values):.2f} to {max(values):.2f})"


if __name__ == "__main__":
    main()
