"""The table that a run ends with."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from quatrain.core.terminal import one_line
from quatrain.runs.directory import RunDirectory
from quatrain.runs.overview import next_commands
from quatrain.runs.recorded import newest_step
from quatrain.runs.references import REFERENCES, references_of
from quatrain.training.peak import in_flops

MOST_ALIGNED = 72
"""Longer commands, of long paths, do not push aside what is said of the others."""

SHOWN = 50
"""Characters of a sample's text at most, so that its line fits a terminal of 80 columns."""

LEAST_SHOWN = 20

FEW_WORDS = 20
"""Characters that an answer of one token or label stays below."""

ASKED = {
    "masked_lm": "held-out text with a mask",
    "causal_lm": "held-out text",
    "sequence_classification": "held-out row",
}
TOUR = {
    "quick_sonnets": (
        ("quatrain train experiment=quick_windows", "a causal LM on embedded verse"),
        ("quatrain train -m seed=1,2,3", "one job for each seed"),
    ),
    "quick_windows": (("quatrain train experiment=quick_mrpc", "a classifier of sentence pairs"),),
    "quick_mrpc": (("quatrain train experiment=quick_windows", "a causal LM on embedded verse"),),
}
"""What else a newcomer may try after an experiment that needs no network."""


def print_closing(
    run: RunDirectory,
    experiment: str,
    task: str,
    summary: Mapping[str, Any],
    result: Mapping[str, Any],
    samples: Sequence[Any],
    *,
    reported: bool,
    module: str | None = None,
    on_verse: bool = True,
) -> None:
    """Print on standard output how the run went: scores, what the model says to samples, where all lies, what next.

    ``summary`` is the data module's. ``samples`` have ``shown``, ``said``, ``probability`` (or None) and ``right``.
    ``reported``: whether a report is written too. ``module``: where an architecture of the user's own is written.
    ``on_verse``: whether the data is the embedded verse, whose user is shown the other experiments too.
    """
    from rich.console import Console
    from rich.markup import escape

    console = Console(highlight=False)
    console.print()
    console.print(_facts(summary, result, newest_step(run.metrics_file)))
    if samples:
        console.print()
        console.print(_samples(samples, ASKED[task], console.width))
    console.print("\n[bold]everything lies in[/bold]")
    console.print(f"  {escape(one_line(str(run.path)))}", soft_wrap=True)
    if reported:
        console.print("  report.html shows all of it in a browser")
    loads = f"after import {module}" if module else "alone"
    console.print(f"  export/ loads with transformers {loads}; metrics.csv and run.log tell the rest", soft_wrap=True)
    console.print("[bold]try next[/bold]")
    commands = _next(run, experiment, task, on_verse)
    width = max((len(command) for command, _ in commands if len(command) <= MOST_ALIGNED), default=0)
    for command, what in commands:
        console.print(f"  {escape(one_line(command).ljust(width))}  {what}", soft_wrap=True)


def _next(run: RunDirectory, experiment: str, task: str, on_verse: bool) -> list[tuple[str, str]]:
    """Commands that make sense now, each with what it does: of this run first."""
    of_run = next_commands(run, {"status": "done", "task": task})
    return [
        *(one for one in of_run if not one[0].startswith("quatrain report ")),
        *(TOUR.get(experiment, ()) if on_verse else ()),
    ]


def _facts(summary: Mapping[str, Any], result: Mapping[str, Any], steps: int) -> Any:
    """Every score of the best checkpoint, beside what it is to be compared with; ``steps`` were trained."""
    from rich.table import Table

    lines = {name: f"{value:.4g}" for name, value in result["best"].items() if "/" in name}
    for name, reference in references_of(summary).items():
        if name in lines:
            lines[name] += f"   ({REFERENCES[name][1]} {reference:.4g})"
    lines |= {name: f"{value:.4g}" for name, value in result["metrics"].items() if name.startswith("test")}
    best = result["best"]["step"]
    lines["best step"] = f"{best:,}" + (f" of {steps:,}" if steps > best else "")
    if result["tokens_per_second"]:
        wait = f", {result['data_wait']:.1%} waiting for data" if result.get("data_wait") else ""
        lines["training"] = f"{result['seconds']:.1f} s, {result['tokens_per_second']:,.0f} tokens/s{wait}"
    if result.get("flops_per_second"):
        share = "" if result["mfu"] is None else f", MFU {result['mfu']:.1%} (of the measured peak)"
        lines["computing"] = f"{in_flops(result['flops_per_second'])}{share}"
    table = Table.grid(padding=(0, 2))
    for name, value in lines.items():
        table.add_row(f"[bold]{name}", value)
    return table


def _samples(samples: Sequence[Any], asked: str, width: int) -> Any:
    """One line for each sample, of which the text alone is cut; three where the model said more than a few words."""
    from rich.table import Table

    at_length = any(len(sample.said) > FEW_WORDS for sample in samples)
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, show_header=not at_length)
    rows: list[tuple[str, ...]]
    if at_length:
        rows = [row for sample in samples for row in _at_length(sample, asked, _shown(width - len(asked) - 2))]
    else:
        answers = [
            (one.said, "" if one.probability is None else f"{one.probability:.0%}", one.right) for one in samples
        ]
        beside = sum(max(map(len, column)) + 2 for column in zip(("said", "", "right"), *answers, strict=True))
        shown = _shown(width - beside)
        rows = [(sample.shown[:shown], *answer) for sample, answer in zip(samples, answers, strict=True)]
    for heading in ("", "") if at_length else (asked, "said", "", "right"):
        table.add_column(heading, no_wrap=True, overflow="ellipsis")
    for row in rows:
        table.add_row(*map(_cell, row))
    return table


def _at_length(sample: Any, asked: str, shown: int) -> Iterator[tuple[str, str]]:
    yield asked, sample.shown[-shown:]
    yield "said", sample.said[:shown]
    yield "right", sample.right[:shown]


def _shown(room: int) -> int:
    """How many characters of a text are shown where there is ``room`` for so many."""
    return max(LEAST_SHOWN, min(SHOWN, room))


def _cell(text: str) -> str:
    """What data or a model said, without a command to the terminal or to rich."""
    from rich.markup import escape

    return escape(one_line(text))
