"""A search that is killed again and again ends as one that never was: the same trials, values and prunings.

    python tests/reliability/search_kills.py --trials 20 --kills 3

Runs a search of tiny trainings in one go; then the same search in another folder, whose process is killed (SIGKILL) at
random moments and whose command is given again. Says how many trials each has, how many were pruned, how many steps
that saved, and whether the two searches are equal in every trial's parameters, state, value and reported scores. Exit
code 1 where they are not, where there are not as many trials as asked for, or where less than a third was pruned.
"""

import argparse
import os
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from quatrain.runs.directory import RunDirectory
from quatrain.sweeps.journal import journal_storage

STEPS = 8
TINY = (
    "experiment=quick_windows",
    "data.verse_size=60",
    "data.batch_size=8",
    "data.max_length=16",
    "data.stride=16",
    f"trainer.max_steps={STEPS}",
    "run.report=false",
    "trainer.accelerator=cpu",
    "trainer.limit_val_batches=2",
    "trainer.val_check_interval=1",
    "speed.precision=32-true",
    "model.config.n_embd=16",
    "model.config.n_layer=1",
    "model.config.n_head=1",
)
SEARCH = (
    "sweep=optuna",
    "sweep.startup_trials=6",
    "sweep.pruner_startup=3",
    "sweep.pruner_warmup=1",
    "optimizer.lr=tag(log, interval(1e-5, 1e-1))",
    "schedule=linear,cosine,constant",
)


def command(folder: Path, trials: int) -> list[str]:
    """The search in ``folder``."""
    words = [*TINY, *SEARCH, f"sweep.trials={trials}", f"hydra.sweep.dir={folder}"]
    return [sys.executable, "-m", "quatrain", "train", "-m", *words]


def killed(folder: Path, trials: int, after: float) -> bool:
    """Start the search and kill its process ``after`` seconds; False where it had ended by then."""
    with (folder.parent / "killed.log").open("ab") as log:
        process = subprocess.Popen(command(folder, trials), stdout=log, stderr=log, env=os.environ)
        try:
            process.wait(timeout=after)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            return True
    return False


def trials_in(folder: Path) -> list[dict[str, Any]]:
    """What the study in ``folder`` has of each trial."""
    import optuna

    study = optuna.load_study(study_name="search", storage=journal_storage(folder / "optuna.journal"))
    kept = ("number", "params", "value", "intermediate_values")
    return [{**{name: getattr(one, name) for name in kept}, "state": one.state.name} for one in study.trials]


def steps_in(folder: Path) -> int:
    """The optimizer steps that all runs in ``folder`` have taken."""
    runs = [RunDirectory(path.parent) for path in folder.glob("*/config.yaml")]
    return sum(int(max((row["step"] for row in run.read_metrics()), default=0)) for run in runs)


def main() -> int:
    """Run both searches, and compare."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trials", type=int, default=20)
    parser.add_argument("--kills", type=int, default=3)
    parser.add_argument("--seed", type=int, default=0, help="of the moments of the kills")
    asked = parser.parse_args()
    draw = random.Random(asked.seed)
    with tempfile.TemporaryDirectory() as place:
        whole, broken = Path(place) / "whole", Path(place) / "broken"
        began = time.monotonic()
        subprocess.run(command(whole, asked.trials), check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        seconds = time.monotonic() - began
        print(f"undisturbed: {asked.trials} trials in {seconds:.0f} s", flush=True)
        kills = 0
        while kills < asked.kills and killed(broken, asked.trials, draw.uniform(3.0, seconds / 2)):
            kills += 1
            there = trials_in(broken) if (broken / "optuna.journal").exists() else []
            under_way = sum(one["state"] == "RUNNING" for one in there)
            print(f"killed: {len(there)} trials were begun, {under_way} of them under way", flush=True)
        subprocess.run(command(broken, asked.trials), check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        one, other = trials_in(whole), trials_in(broken)
        for name, folder, found in (("undisturbed", whole, one), ("killed", broken, other)):
            states = [trial["state"] for trial in found]
            counts = ", ".join(f"{states.count(state)} {state.lower()}" for state in sorted(set(states)))
            print(f"{name}: {len(found)} trials, {counts}; {steps_in(folder)} of {STEPS * len(found)} steps taken")
        pruned = sum(trial["state"] == "PRUNED" for trial in other)
        equal = one == other
        print(f"after {kills} kills the two searches are {'equal' if equal else 'not equal'} in every trial")
        for mine, theirs in zip(one, other, strict=False):
            if mine != theirs:
                print(f"  {mine}\n  {theirs}")
        return 0 if equal and len(other) == asked.trials and pruned * 3 >= asked.trials else 1


if __name__ == "__main__":
    sys.exit(main())
