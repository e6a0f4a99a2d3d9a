"""What it takes to start: help, a config, an error, and the first training step beside a bare script's.

    python benchmarks/startup.py [--rounds 5] [--json]

The bare script (bare_step.py) imports torch, Lightning and the model class, and trains on the very batch that the run
begins with. Data are prepared before. Each round times every command once, one after the other; printed are medians in
seconds, and beside those of whole commands the processor time, which other processes do not lengthen.
"""

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).parent
QUATRAIN = [sys.executable, "-m", "quatrain"]
COMMANDS = {
    "--help": ["--help"],
    "train --cfg job": ["train", "--cfg", "job"],
    "an error in an override": ["train", "data.batch_sise=3"],
}
GOALS = {"--help": 0.5, "train --cfg job": 0.4, "an error in an override": 1.0, "first step / bare script": 1.15}
# padded, as a script of a few lines would have its batch
RUN = ("trainer.max_steps=1", "trainer.limit_val_batches=1", "trainer.accelerator=cpu", "speed.packing=false")


def command(words: list[str]) -> dict[str, float]:
    """Seconds on the clock and of the processor that a command takes."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    began = time.perf_counter()
    subprocess.run([*QUATRAIN, *words], capture_output=True, check=False)
    wall = time.perf_counter() - began
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return {"wall": wall, "processor": after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime}


def first_step(folder: Path, number: int) -> float:
    """Seconds from the command to the end of its first training step; the batch and the run are left in ``folder``."""
    into, run = folder / "batch.json", folder / f"run-{number}"
    own = ["+callbacks.first._target_=first_step.FirstStep", f"+callbacks.first.into={into}", f"run.dir={run}"]
    began = time.time()
    line = [*QUATRAIN, "--allow", "first_step", "train", *RUN, *own]
    done = subprocess.run(line, cwd=HERE, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{' '.join(line)} ended with {done.returncode}:\n{done.stderr[-3000:]}")
    return float(json.loads(into.read_text())["at"]) - began


def bare_step(folder: Path) -> float:
    """Seconds from the start of the bare script to the end of its step."""
    began = time.time()
    line = [sys.executable, str(HERE / "bare_step.py"), str(folder / "config.json"), str(folder / "batch.json")]
    return float(subprocess.run(line, capture_output=True, text=True, check=True).stdout) - began


def measure(rounds: int) -> dict[str, dict[str, float]]:
    """Medians of all that is timed, after a run that prepares the data and tells the model and the batch."""
    with tempfile.TemporaryDirectory(prefix="quatrain-bench-") as name:
        folder = Path(name)
        first_step(folder, 0)
        config = json.loads((folder / "run-0/export/config.json").read_text())
        choices = json.loads((folder / "run-0/provenance.json").read_text())["choices"]
        (folder / "config.json").write_text(json.dumps(config | {"precision": choices["precision"]["value"]}))
        rows = []
        for number in range(1, rounds + 1):
            row = {name: command(words) for name, words in COMMANDS.items()}
            bare, ours = bare_step(folder), first_step(folder, number)
            rows.append(row | {"bare script": {"wall": bare}, "first step": {"wall": ours}})
            rows[-1]["first step / bare script"] = {"ratio": ours / bare}
    return {
        what: {kind: statistics.median(row[what][kind] for row in rows) for kind in rows[0][what]} for what in rows[0]
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", action="store_true", help="print one object in place of the table")
    asked = parser.parse_args()
    os.environ["HF_HUB_OFFLINE"] = "1"
    found = measure(asked.rounds)
    if asked.json:
        print(json.dumps({"rounds": asked.rounds, "medians": found, "goals": GOALS}))
        return
    for what, numbers in found.items():
        said = ", ".join(f"{kind} {value:.2f}" for kind, value in numbers.items())
        goal = f"   (to reach: {GOALS[what]})" if what in GOALS else ""
        print(f"{what:<26}{said}{goal}")


if __name__ == "__main__":
    main()
