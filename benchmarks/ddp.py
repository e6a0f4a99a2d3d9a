"""What a second process gains: the same training on two CPU processes with a thread each, and on one with one thread.

    python benchmarks/ddp.py [--rounds 3] [--steps 30] [--json]

A masked language model of 4 layers, width 256 and a vocabulary of 8192, on 16 texts of 128 tokens for each process, so
twice the tokens in a step of two. Each round runs both, one after the other; compared are the tokens a second of the
second half of the steps. Needs two cores that nothing else uses.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from itertools import pairwise
from pathlib import Path

GOAL = 1.7
MODEL = (
    "experiment=quick_sonnets",
    "model=roberta_mlm",
    "tokenizer.vocab_size=8192",
    "data.verse_size=40000",
    "data.example=block",
    "data.max_length=128",
    "data.batch_size=16",
    "trainer.max_epochs=1",
    "trainer.limit_val_batches=1",
    "trainer.log_every_n_steps=1",
)
WAYS = {"one": ("trainer=cpu",), "two": ("trainer=ddp_cpu", "trainer.devices=2")}


def rate(folder: Path, words: list[str]) -> float:
    """Tokens a second of a run, over the second half of its steps."""
    line = [sys.executable, "-m", "quatrain", "train", *MODEL, *words, f"run.dir={folder}"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"}
    done = subprocess.run(line, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{' '.join(line)} ended with {done.returncode}:\n{done.stderr[-3000:]}")
    from quatrain.runs.directory import RunDirectory

    rows = [row for row in RunDirectory(folder).read_metrics() if "train/tokens_per_second" in row]
    rows = rows[len(rows) // 2 :]
    tokens = [now["train/tokens"] - before["train/tokens"] for before, now in pairwise(rows)]
    return sum(tokens) / sum(
        count / row["train/tokens_per_second"] for count, row in zip(tokens, rows[1:], strict=True)
    )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=30)
    parser.add_argument("--json", action="store_true", help="print one object in place of the table")
    parser.add_argument("overrides", nargs="*", help="for both ways, such as speed=plain")
    asked = parser.parse_args()
    rows = []
    for _ in range(asked.rounds):
        with tempfile.TemporaryDirectory(prefix="quatrain-bench-") as folder:
            words = [f"trainer.max_steps={asked.steps}", *asked.overrides]
            rows.append({name: rate(Path(folder) / name, [*words, *way]) for name, way in WAYS.items()})
        if not asked.json:
            print({name: round(value) for name, value in rows[-1].items()}, flush=True)
    ratios = [row["two"] / row["one"] for row in rows]
    medians = {name: statistics.median(row[name] for row in rows) for name in WAYS}
    if asked.json:
        print(
            json.dumps({"tokens_per_second": medians, "ratio": statistics.median(ratios), "goal": GOAL, "rows": rows})
        )
        return
    print(f"one process {medians['one']:,.0f} tokens/s, two {medians['two']:,.0f}")
    print(f"gain: {statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f}; to reach: {GOAL})")


if __name__ == "__main__":
    main()
