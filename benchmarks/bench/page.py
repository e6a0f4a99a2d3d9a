"""docs/benchmarks.md, made of what was measured and of what was written about it."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import yaml

from bench.goals import Goal, judge
from bench.measures import MEASURES, Run, numbers, spread
from bench.row import Row
from bench.store import Entry

HEAD = """# Benchmarks

Ours beside what a user would take instead, on one machine, in turn, each run in a process of its own:

    make bench DATA=DIR                                      all of it; python benchmarks/run.py --help says what DIR holds
    make bench DATA=DIR ARGS='--only mlm,clm --nanogpt DIR'  some rows; the others keep what they had

This page is made by that command: of the numbers in `benchmarks/measured.json` and the notes in `benchmarks/notes.yaml`.
Numbers are medians over the rounds, with the range in parentheses; ratios are those of the medians, with the range of the
ratios within rounds. Speed is that of training alone, in tokens that are no padding, without the first steps. Peak memory
is the resident set of the training process with all its libraries. The held-out loss is that of the trained models, all
scored afterwards by the same program in float32 on the same text (for masked LMs with the same masks); each round has its
own seed, nanoGPT always the same. "No worse" allows what seeds differ by, or 1 % after a single round. All contenders
of a row have the same model, ids, rows in a batch, number of steps and recipe of AdamW. "defaults" is the Trainer of
transformers as its examples use it (float32), "best" the same with bfloat16 and fused AdamW, and where rows have many
lengths with padding by the batch and batches grouped by length. Commands name the folder that was made for the
measuring WORK (`--work DIR` keeps it), the data DATA and the weights MINILM.
"""  # noqa: E501 - commands stand on one line


def write(path: Path, rows: Sequence[Row], entries: Mapping[str, Entry], notes: Mapping[str, str]) -> None:
    """Write the page whole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_name(f".{path.name}.new")
    new.write_text(page(rows, entries, notes), encoding="utf-8")
    new.replace(path)


def page(rows: Sequence[Row], entries: Mapping[str, Entry], notes: Mapping[str, str]) -> str:
    """The page as one string: the goals of all rows, then each row, then the machines."""
    machines = list(dict.fromkeys(_machine(entry) for entry in entries.values() if "runs" in entry))
    parts = [HEAD, "## Goals", *table(_summary(rows, entries), HEADINGS)]
    for row in rows:
        parts += ["", *_section(row, entries.get(row.key, {}), notes.get(row.key), machines)]
    if machines:
        parts += ["", "## Machines", "", *(f"{number}. {told}" for number, told in enumerate(machines, start=1))]
    return "\n".join(parts) + "\n"


HEADINGS = ("", "measure", "ours", "peer", "ours beside the peer", "goal", "reached")


def _summary(rows: Iterable[Row], entries: Mapping[str, Entry]) -> list[tuple[str, ...]]:
    return [line for row in rows for line in verdicts(row, entries.get(row.key, {}))]


def verdicts(row: Row, entry: Entry) -> list[tuple[str, ...]]:
    """A line for each goal of a row, with the cells of `HEADINGS`."""
    link = f"[{row.title}](#{row.key})"
    if "runs" not in entry:
        return [(link, "", f"not measured: {entry.get('lacks', 'not yet run')}", "", "", _goals(row.goals), "")]
    lines = [_verdict(goal, entry["runs"]) for goal in row.goals]
    return [("" if number else link, *line) for number, line in enumerate(lines)]


def _verdict(goal: Goal, runs: Sequence[Run]) -> tuple[str, ...]:
    measure = MEASURES[goal.measure]
    found = judge(goal, runs)
    if found is None:
        return measure.label, "", f"{goal.against or ''} not measured", "", goal.words(), ""
    peer = f"{goal.against} {measure.show(found.peer.median)}" if found.peer else ""
    reached = "yes" if found.reached else "**no**"
    return measure.label, measure.show(found.ours.median), peer, found.compared, goal.words(), reached


def _goals(goals: Sequence[Goal]) -> str:
    return "; ".join(
        f"{MEASURES[goal.measure].label} {goal.words()}{f' ({goal.against})' if goal.against else ''}" for goal in goals
    )


def _section(row: Row, entry: Entry, note: str | None, machines: list[str]) -> list[str]:
    parts = [f"## {row.key}", "", f"{row.title}: {row.setting}.", ""]
    if "runs" in entry:
        rounds = max(run["round"] for run in entry["runs"])
        told = (
            f"Machine {machines.index(_machine(entry)) + 1}, {entry['date']}, {rounds} round{'s' if rounds > 1 else ''}"
        )
        threads = f", {entry['threads']} thread(s) a process" if entry["threads"] else ""
        parts += [
            f"{told}, load average {entry['load']:.1f} before{threads}.",
            "",
            *_contenders(entry["runs"]),
            "",
        ]
        parts += [f"    {name}: {command}" for name, command in entry["commands"].items()]
    else:
        parts.append(f"Not measured: {entry.get('lacks', 'not yet run')}.")
    return [*parts, "", note.strip()] if note else parts


def _contenders(runs: Sequence[Run]) -> list[str]:
    """A table with a line for each contender and a column for each measure that any of them has."""
    names = list(dict.fromkeys(run["contender"] for run in runs))
    measured = [name for name in MEASURES if any(run.get(name) is not None for run in runs)]
    lines = []
    for name in names:
        precision = next((run["precision"] for run in runs if run["contender"] == name and "precision" in run), "")
        found = [(MEASURES[key], spread(list(numbers(runs, name, key).values()))) for key in measured]
        lines.append((name, precision, *(one.show(measure) if one else "" for measure, one in found)))
    return table(lines, ("", "precision", *(MEASURES[name].label for name in measured)))


def table(lines: Sequence[Sequence[str]], headings: Sequence[str]) -> list[str]:
    """A table of Markdown."""
    rows = [headings, ["---"] * len(headings), *lines]
    return ["", *(f"| {' | '.join(cell.replace('|', '/') for cell in row)} |" for row in rows)]


def _machine(entry: Entry) -> str:
    versions = ", ".join(f"{name} {version}" for name, version in entry["versions"].items())
    return f"{entry['machine']}; {versions}"


def read_notes(path: Path, rows: Sequence[Row]) -> dict[str, str]:
    """What was written about rows, by their keys: what was tried where a goal is missed, and what limits it.

    Raises:
        ValueError: a key is no row's.
    """
    notes: dict[str, str] = (yaml.safe_load(path.read_text(encoding="utf-8")) or {}) if path.exists() else {}
    unknown = sorted(notes.keys() - {row.key for row in rows})
    if unknown:
        raise ValueError(f"{path} has notes on {', '.join(unknown)}; rows are {', '.join(row.key for row in rows)}.")
    return notes


def unexplained(rows: Sequence[Row], entries: Mapping[str, Entry], notes: Mapping[str, str]) -> list[str]:
    """The rows that miss a goal and have no note."""

    def missed(row: Row) -> bool:
        found = [judge(goal, entries.get(row.key, {}).get("runs", [])) for goal in row.goals]
        return any(one is not None and not one.reached for one in found)

    return [row.key for row in rows if row.key not in notes and missed(row)]
