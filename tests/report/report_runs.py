"""Run directories with every file that a report reads, whose every text is hostile to a page."""

import csv
import json
import math
from pathlib import Path
from typing import Any

from quatrain.runs.directory import RunDirectory, as_json

HOSTILE = (
    "</script><script>window.hurt=1</script><img src=x onerror=window.hurt=1>\u2028%{x}\u202e<a href='javascript:1'>"
)
"""Ends a script, starts one, runs an event, breaks a line of JavaScript, fills a template, turns the text, links."""

ROWS = 300
TASKS = ("sequence_classification", "masked_lm", "causal_lm")


def hostile_run(folder: Path, task: str = "sequence_classification", rows: int = ROWS) -> RunDirectory:
    """A run of ``task`` that is done, with ``rows`` steps, a validation at every twentieth of them."""
    config = {
        "name": HOSTILE,
        "seed": 1,
        "model": {"_target_": "quatrain.models.recipe.LanguageModel", "task": task, "frozen_layers": 3},
        "optimizer": {"_target_": "torch.optim.AdamW", "lr": 0.5, "betas": [0.9, 0.999], HOSTILE: HOSTILE},
        "run": {"dir": None, "root": "outputs", "report": True},
    }
    run = RunDirectory.create(folder, config, ["optimizer.lr=0.5", f"+optimizer.{HOSTILE}={HOSTILE}"])
    _write_metrics(run.metrics_file, [_row(step, rows) for step in range(1, rows + 1)])
    scores = {"val/loss": 0.5, "val/accuracy": 0.75, f"val/{HOSTILE}": 1.0}
    run.write_result(
        {
            "metrics": {"train/loss": 0.4, **scores, "test/accuracy": 0.7},
            "best": {"step": rows, "monitor": "val/accuracy", **scores},
            "seconds": 75.2,
            "tokens_per_second": 1234.5,
            "mfu": 0.25,
        }
    )
    run.write_provenance(_provenance(folder))
    metrics = {"accuracy": {"value": 0.75, "low": 0.71, "high": 0.79}}
    counts = [[40, 10], [15, 35]]
    evaluation = {
        "task": task,
        "split": "validation",
        "source": HOSTILE,
        "examples": 100,
        "metrics": metrics,
        "precision": "32-true",
        "confusion": {"labels": ["no", HOSTILE], "counts": counts} if task == TASKS[0] else None,
    }
    run.evaluation.write_text(as_json({"weights": "x", "evaluations": {"validation": evaluation}}), encoding="utf-8")
    run.examples.write_text(as_json(_examples(task, rows)), encoding="utf-8")
    with run.samples.open("w", encoding="utf-8") as file:
        for step in range(20, rows + 1, 20):
            for number in range(2):
                said = {"shown": HOSTILE, "said": HOSTILE, "probability": 0.5, "right": "right"}
                file.write(json.dumps({"step": step, "epoch": 0, "number": number, **said}) + "\n")
    run.set_status("done")
    return run


def _write_metrics(path: Path, rows: list[dict[str, int | float]]) -> None:
    """As a run does it, but at once."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(dict.fromkeys(name for row in rows for name in row)), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def _row(step: int, rows: int) -> dict[str, int | float]:
    row: dict[str, int | float] = {
        "step": step,
        "epoch": 0,
        "train/loss": 4 * math.exp(-2 * step / rows) + 0.1 * math.sin(step),
        "train/lr": 0.5 * (1 - step / rows),
        "train/grad_norm": 1.0 + 0.5 * math.cos(step),
        "train/tokens_per_second": 1200.0 + step % 7,
        "train/mfu": 0.25,
        "train/data_wait": 0.01,
    }
    if step % max(1, rows // 20) == 0:
        row |= {"val/loss": 4.2 * math.exp(-2 * step / rows), "val/accuracy": step / rows, f"val/{HOSTILE}": 1.0}
    return row


def _provenance(folder: Path) -> dict[str, Any]:
    return {
        "command": ["quatrain", "train", HOSTILE],
        "started": "2026-01-02T03:04:05+00:00",
        "versions": {"torch": "2.13", HOSTILE: HOSTILE},
        "code": "0123456789abcdef" * 4,
        "python": "3.11.7",
        "platform": HOSTILE,
        "host": HOSTILE,
        "cpu": HOSTILE,
        "cpus": 2,
        "cpus_usable": 2,
        "memory_bytes": 2**34,
        "gpus": [{"name": HOSTILE}],
        "git": {"root": str(folder), "commit": "c" * 40, "branch": HOSTILE, "dirty": True, "diff": "source.diff"},
        "seeds": {"seed": 1},
        "fingerprints": {"data": HOSTILE},
        "choices": {HOSTILE: {"value": HOSTILE, "reason": HOSTILE}},
        "data": {"examples/train": 100, f"examples/{HOSTILE}": 10, "majority_share/validation": 0.52, HOSTILE: 1},
        "resumed": [
            {
                "time": "2026-01-02T04:00:00+00:00",
                "host": HOSTILE,
                "step": 7,
                "changed": [{"what": HOSTILE, "before": HOSTILE, "now": None}],
            }
        ],
    }


def _examples(task: str, rows: int) -> dict[str, Any]:
    lengths = {"edges": [0, 8, 16, 24], "counts": [5, 30, 7], "max_length": 16, "truncated": 0.166, "unit": HOSTILE}
    tokenizer = {
        "kind": HOSTILE,
        "vocab_size": 300,
        "tokens_per_word": 1.5,
        "longest": [[HOSTILE, 90]],
        "lengths": lengths,
    }
    guesses = [[HOSTILE, 0.4], ["b", 0.3], ["c", 0.2], ["d", 0.05], ["e", 0.01]]
    wrong = [{"texts": [HOSTILE, "second"], "label": HOSTILE, "said": "no", "probability": 0.99}]
    parts: dict[str, Any] = {
        "sequence_classification": {"pairs": {"columns": ["one", HOSTILE], "wrong": wrong, "count": 25, "of": 100}},
        "masked_lm": {"fills": [{"pieces": [HOSTILE, {"right": "b", "guesses": guesses}, " end"]}]},
        "causal_lm": {"loss_by_position": {"position": [1, 2, 3], "loss": [5.0, 4.0, 3.5], "tokens": [9, 9, 9]}},
    }
    about = {"task": task, "split": "validation", "step": rows, "weights": "x", "tokenizer": tokenizer}
    return {**about, **parts[task]}
