"""What failed or was cut short, each with its sentence and its log."""

from markupsafe import Markup

from quatrain.report.rendering import joined, render
from quatrain.report.sweep_runs import ENDED_BADLY, SweptRun, SweptRuns, address

MOST_FAILURES = 200
MOST_TOLD = 20
NO_WORD = "It ended without a word."


def failures(runs: SweptRuns) -> Markup:
    """A line for each; nothing where all is well."""
    bad = [run for run in runs.runs if run.status in ENDED_BADLY]
    told = list(runs.told[:MOST_TOLD])
    if (more := len(runs.told) - MOST_TOLD) > 0:
        told.append(f"And {more:,} more files.")
    if runs.set_aside:
        what = "1 attempt" if runs.set_aside == 1 else f"{runs.set_aside:,} attempts"
        told.append(f"{what} at a job failed before and is kept in a folder .attemptN; the table has the last of each.")
    if (hidden := len(bad) - MOST_FAILURES) > 0:
        told.append(f"{hidden:,} more failures have no line here; the table of runs has all.")
    table = render("failures.html", rows=[_row(run) for run in bad[:MOST_FAILURES]]) if bad else Markup()
    return joined(table, render("notes.html", sentences=told))


def _row(run: SweptRun) -> dict[str, str | None]:
    return {
        "name": run.name,
        "status": run.status,
        "why": run.why or NO_WORD,
        "log": f"{run.name}/{run.log}" if run.log else None,
        "link": address(f"{run.place}/{run.log}") if run.log else None,
    }
