"""What each switch of conf/speed gains: tokens a second with all of them, and with each turned off alone.

    python benchmarks/switches.py [--only masked,lines,causal,pairs] [--rounds 3]

Each run is a process of its own, `quatrain train` with the overrides that are printed, on embedded verse, so it needs
no data. A round runs all ways in turn; printed are medians over the rounds, and of the ratios to all switches in a
round.
"""

import argparse
import csv
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

ROBERTA = ("model=roberta_mlm", "tokenizer.vocab_size=8192", "data.verse_size=8000", "data.batch_size=32")
GPT2 = ("model=gpt2_causal", "model.config.n_layer=4", "model.config.n_embd=256", "model.config.n_head=4")
BERT = ("model.config.num_hidden_layers=4", "model.config.hidden_size=256", "model.config.intermediate_size=1024")
JOBS = {
    "masked": ("experiment=quick_sonnets", *ROBERTA, "data.example=block", "data.max_length=128"),
    "lines": ("experiment=quick_sonnets", *ROBERTA, "data.example=line", "data.batch_size=128", "data.max_length=64"),
    # a vocabulary as large as GPT-2's, most of which the verse does not use
    "causal": ("experiment=quick_windows", *GPT2, "model.config.vocab_size=50257", "data.max_length=128"),
    "pairs": ("experiment=quick_mrpc", *BERT, "data.bucketing=true"),
}
EVERYWHERE = ("speed.precision=32-true", "speed.attention=sdpa", "speed.fast_dropout=false")
SWITCHES = {
    "masked": (*EVERYWHERE, "speed.sparse_head=false", "speed.chunked_loss=false"),
    "lines": (*EVERYWHERE, "speed.sparse_head=false", "speed.packing=false"),
    "causal": (*EVERYWHERE, "speed.chunked_loss=false", "speed.fused_activations=false"),
    "pairs": (*EVERYWHERE, "data.bucketing=false"),
}
STEPS, WARM = 25, 5


def speed(job: str, ways: list[str], folder: Path) -> float:
    """Tokens a second of one run, the median of its steps but the first ones."""
    length = (f"trainer.max_steps={STEPS}", "trainer.max_epochs=null", "trainer.limit_val_batches=0")
    command = [sys.executable, "-m", "quatrain", "train", *JOBS[job], *length, *ways]
    command += ["trainer.log_every_n_steps=1", f"run.dir={folder}"]
    environment = {**os.environ, "HF_HUB_OFFLINE": "1"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{' '.join(command)} ended with {done.returncode}:\n{done.stderr[-3000:]}")
    with (folder / "metrics.csv").open(encoding="utf-8") as file:
        rates = [float(row["train/tokens_per_second"]) for row in csv.DictReader(file)]
    return statistics.median(rates[WARM:])


def measure(job: str, rounds: int) -> None:
    """Print a line for each way."""
    ways = {"all": [], **{one: [one] for one in (*SWITCHES[job], "speed=plain")}}
    print(f"\n{job}: quatrain train {' '.join(JOBS[job])}", flush=True)
    found: dict[str, list[float]] = {way: [] for way in ways}
    with tempfile.TemporaryDirectory() as folder:
        for number in range(rounds):
            for place, (way, words) in enumerate(ways.items()):
                found[way].append(speed(job, words, Path(folder) / f"{number}-{place}"))
    for way, rates in found.items():
        ratio = statistics.median(rate / whole for rate, whole in zip(rates, found["all"], strict=True))
        print(f"  {way:32} {statistics.median(rates):>9,.0f} tokens/s   {ratio:.2f} of all", flush=True)


def main() -> None:
    """Measure the jobs that are asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default=",".join(JOBS), help="jobs, with commas between")
    parser.add_argument("--rounds", type=int, default=3, help="how often each way runs (3)")
    asked = parser.parse_args()
    names = asked.only.split(",")
    if unknown := [name for name in names if name not in JOBS]:
        sys.exit(f"error: --only={','.join(unknown)} is unknown; allowed are {', '.join(JOBS)}.")
    for name in names:
        measure(name, asked.rounds)


if __name__ == "__main__":
    main()
