"""quatrain plan: compose and check an experiment, prepare its data, and say what a run would cost. Nothing is trained.

    quatrain plan experiment=quick_windows data.max_length=256
    quatrain plan -m seed=1,2,3 optimizer.lr=1e-4,1e-3     one line for each job, and the sums
    quatrain plan --no-probe experiment=windows_gpt2       sizes alone: no step is tried, no time is told

Takes the overrides of quatrain train; quatrain train --help lists them. A few real steps are timed in a process of
their own, whose weights are thrown away; that takes some seconds beyond the start-up. Prepared data stays in the cache.
"""

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

Plan = dict[str, str | int | float]

NO_PROBE = "--no-probe"
COSTS_NOTHING = (
    "name",
    "seed",
    "run",
    "sweep",
    "preprocess",
    "logger",
    "schedule",
    "data.seed",
    "model.config.initializer_range",
    "optimizer.lr",
    "optimizer.betas",
    "optimizer.eps",
    "optimizer.weight_decay",
)
"""Keys whose values change neither the size of a run nor its time."""
COLUMNS = {
    "parameters": "parameters",
    "memory/all ranks": "peak memory",
    "optimizer steps": "steps",
    "tokens in all": "tokens",
    "FLOPs in all": "FLOPs",
    "disk/in all": "disk",
    "seconds/in all": "time",
}
"""What a job's line in the table of a sweep shows, and under which heading."""
WIDE = 200
"""Columns of that table; a narrower terminal folds its lines, and no number is cut."""
TIMED, PEAK = "seconds/in all", "memory/all ranks"
LARGEST = ("parameters", PEAK)
"""Of these a sweep has the largest, as its jobs run one after the other; of the others the sum."""


def main(arguments: list[str]) -> int:
    """Run ``quatrain plan``; return its exit code."""
    from quatrain.config.command_line import read
    from quatrain.sweeps.job import Job

    if {"--help", "-h"} & set(arguments):
        print(__doc__)
        return 0
    asked = read("plan", [word for word in arguments if word != NO_PROBE])
    probe = NO_PROBE not in arguments
    if isinstance(asked, Job):
        _print(_plan(asked.config, probe))
    elif isinstance(asked, list):
        plans = plan_jobs([job.config for job in asked], probe=probe)
        _print_sweep([job.overrides for job in asked], plans)
        print(_said(plans, asked[0].config["sweep"]["jobs"]), file=sys.stderr)
    return 0


def plan(overrides: Sequence[str] = (), config_dir: str | Path | None = None, *, probe: bool = True) -> Plan:
    """Return what ``quatrain plan`` prints: choices with reasons, counts, bytes of memory and disk, seconds.

    ``probe=False`` tries no step: then there are no seconds, and the peak of memory is of shapes alone.

    Raises:
        UserError: with one sentence for each thing that is wrong.
    """
    from quatrain.config.compose import compose

    return _plan(compose(overrides, config_dir), probe)


def plan_jobs(configs: Sequence[Mapping[str, Any]], *, probe: bool = True) -> list[Plan]:
    """Return the plan of each job of a sweep; of jobs that cost the same, such as two seeds, one is measured."""
    known: dict[str, Plan] = {}
    plans = []
    for config in configs:
        key = json.dumps(_without(config, COSTS_NOTHING), sort_keys=True)
        if key not in known:
            known[key] = _plan(config, probe)
        plans.append(known[key])
    return plans


def _plan(config: Mapping[str, Any], probe: bool) -> Plan:
    from quatrain.runs.planning import plan_apart

    return plan_apart(config, probe=probe)


def _without(config: Any, keys: Sequence[str], place: str = "") -> Any:
    """``config`` without what stands under ``keys``."""
    if not isinstance(config, Mapping):
        return config
    named = {name: f"{place}.{name}" if place else str(name) for name in config}
    return {name: _without(config[name], keys, named[name]) for name in config if named[name] not in keys}


def _print(lines: Plan) -> None:
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    table = Table.grid(padding=(0, 2))
    for name, value in lines.items():
        table.add_row(f"[bold]{escape(name)}", escape(_shown(name, value)))
    Console(highlight=False).print(table)


def _print_sweep(overrides: Sequence[Sequence[str]], plans: Sequence[Plan]) -> None:
    """A line for each job, and all of them together."""
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    columns = {name: heading for name, heading in COLUMNS.items() if name in plans[0]}
    table = Table(box=None, pad_edge=False)
    table.add_column("job", no_wrap=True)
    for heading in columns.values():
        table.add_column(heading, justify="right", no_wrap=True)
    same = set(overrides[0]).intersection(*overrides[1:])
    for number, (texts, lines) in enumerate(zip(overrides, plans, strict=True)):
        label = " ".join([str(number), *(_short(text) for text in texts if text not in same)])
        table.add_row(escape(label), *(_shown(name, lines[name]) for name in columns))
    table.add_row("in all", *(_shown(name, _together(name, plans)) for name in columns), style="bold")
    Console(highlight=False, width=WIDE).print(table)


def _said(plans: Sequence[Plan], at_once: int) -> str:
    """What the sums of a sweep mean, and what they become with ``at_once`` jobs side by side."""
    timed = TIMED in plans[0]
    sums = "disk and time" if timed else "disk"
    said = [f"in all: the largest peak memory, and the {sums} of {len(plans):,} jobs one after the other"]
    said[0] += "; time is the start, the steps and the validations" if timed else ""
    seconds, peak = _together(TIMED, plans) if timed else "unknown", _together(PEAK, plans)
    if (together := min(at_once, len(plans))) > 1:
        most = f", up to {_shown(PEAK, peak * together)} of memory" if not isinstance(peak, str) else ""
        least = f", {_clock(seconds / together)} at best" if not isinstance(seconds, str) else ""
        said.append(f"sweep.jobs={at_once}: {together} at a time{least}{most}")
    return "\n".join(said)


def _short(override: str) -> str:
    """An override without the groups above its key: ``optimizer.lr=1e-3`` is ``lr=1e-3``."""
    key, _, value = override.partition("=")
    return f"{key.rpartition('.')[2]}={value}"


def _together(name: str, plans: Sequence[Plan]) -> str | int | float:
    values = [lines[name] for lines in plans]
    numbers = [value for value in values if not isinstance(value, str)]
    if len(numbers) < len(values):
        return "unknown"
    return max(numbers) if name in LARGEST else sum(numbers)


def _shown(name: str, value: str | int | float) -> str:
    """A value with its unit, which the first word of its name tells."""
    if isinstance(value, str):
        return value
    if name.startswith("seconds/"):
        return _clock(value)
    if name.startswith(("memory/", "disk/")):
        return f"{value / 1e6:,.1f} MB"
    if name.startswith("FLOPs"):
        return f"{value:.3g}"
    return f"{value:,}" if isinstance(value, int) else f"{value:.4g}"


def _clock(seconds: float) -> str:
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d} h" if hours else f"{minutes}:{rest:02d} min"
