"""Numbers from what the contenders leave: a run directory of ours, the JSON of a script, the log of nanoGPT."""

import csv
import json
import re
from pathlib import Path
from typing import Any

from bench.measures import Run
from bench.processes import Done, Failed

ITERATION = re.compile(r"^iter (\d+): loss ([\d.]+|nan), time ([\d.]+)ms", re.MULTILINE)


def last_json(output: str) -> Any:
    """The JSON that ``output`` ends with: from the last line that begins with a bracket.

    Raises:
        Failed: it does not end with any.
    """
    lines = output.strip().splitlines()
    begin = max((number for number, line in enumerate(lines) if line.startswith(("{", "["))), default=0)
    try:
        return json.loads("\n".join(lines[begin:]))
    except ValueError:
        raise Failed(f"the output should end with JSON, and ends with {output.strip()[-200:]!r}") from None


def run_directory(folder: Path, untimed: int) -> Run:
    """Precision, speed without the first ``untimed`` steps, and what a classifier scored last, of a run of ours."""
    result = json.loads((folder / "result.json").read_text(encoding="utf-8"))
    choices = json.loads((folder / "provenance.json").read_text(encoding="utf-8"))["choices"]
    found: Run = {"precision": choices["precision"]["value"]}
    if "val/f1" in result["metrics"]:
        found |= {name: result["metrics"][f"val/{name}"] for name in ("f1", "accuracy")}
    tokens, seconds = timed_rows((folder / "metrics.csv").read_text(encoding="utf-8"), untimed)
    return found | ({"tokens_per_second": tokens / seconds} if seconds else {})


def timed_rows(metrics: str, untimed: int) -> tuple[int, float]:
    """Tokens and seconds of the steps after the first ``untimed``, from the text of a metrics.csv.

    A row has the tokens since the beginning, and those of each second since the row before.
    """
    tokens, seconds, before = 0, 0.0, 0
    for row in csv.DictReader(metrics.splitlines()):
        if not row.get("train/tokens"):
            continue
        counted = int(row["train/tokens"])
        if int(row["step"]) > untimed:
            tokens += counted - before
            seconds += (counted - before) / float(row["train/tokens_per_second"])
        before = counted
    return tokens, seconds


def nanogpt(done: Done, *, untimed: int, steps: int, tokens_of_step: int) -> Run:
    """Speed from the log of nanoGPT's train.py.

    Its iterations count from 0; the first and the last hold evaluations, and neither is timed.

    Raises:
        Failed: the log has not all iterations.
    """
    times = {int(number): float(milliseconds) / 1000 for number, _, milliseconds in ITERATION.findall(done.output)}
    missing = [number for number in range(untimed, steps) if number not in times]
    if missing:
        raise Failed(f"nanoGPT's log lacks iterations {missing[0]} and {len(missing) - 1} more of {steps}")
    seconds = sum(times[number] for number in range(untimed, steps))
    return {"tokens_per_second": (steps - untimed) * tokens_of_step / seconds}


def script(done: Done, names: tuple[str, ...] = ("tokens_per_second", "gpu_peak_mb", "f1", "accuracy")) -> Run:
    """Numbers from the JSON that a script ends with."""
    said = last_json(done.output)
    return {name: said[name] for name in (*names, "precision") if name in said}
