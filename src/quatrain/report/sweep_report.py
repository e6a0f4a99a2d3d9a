"""The report of a sweep, or of any folder of runs: one HTML page made of the files below it."""

from collections.abc import Callable
from pathlib import Path

from markupsafe import Markup

from quatrain.compare.comparison import Comparison, compare
from quatrain.compare.digits import decimals_for, fixed
from quatrain.compare.trials import read_study, study_in
from quatrain.core.errors import UserError
from quatrain.report.numbers import moment
from quatrain.report.page import Section, write_page
from quatrain.report.parallel_coordinates import parallel_coordinates
from quatrain.report.rendering import joined, render, source
from quatrain.report.search_history import search_history
from quatrain.report.sweep_aim import Chosen, chosen_aim, value_of
from quatrain.report.sweep_curves import seed_bands
from quatrain.report.sweep_failures import failures
from quatrain.report.sweep_groups import groups_table, importance
from quatrain.report.sweep_runs import STATUSES, SweptRuns, read_runs
from quatrain.report.sweep_table import best_first, runs_table

FILE = "report.html"


def write_sweep_report(folder: Path, output: Path | None = None, *, not_started: int = 0) -> Path:
    """Write the page of all runs below ``folder`` to ``output``, by default ``folder/report.html``; return its path.

    Only files are read, and each may be missing; what cannot be said is left out with a sentence. ``not_started`` are
    jobs of the sweep that have no folder, as there are after a failure that was to be the last.

    Raises:
        UserError: there is no such folder, or no run in it.
        NotNow: the page cannot be written.
    """
    folder = folder.expanduser()
    page = output or folder / FILE
    runs = read_runs(folder, page)
    chosen = chosen_aim(runs.results)
    study = study_in(folder)
    sections = [
        Section("Runs", runs_table(runs, chosen.aim)),
        Section("Failures", failures(runs)),
        *_compared(runs, chosen),
        Section("Search", _search(study) if study else Markup()),
    ]
    return write_page(
        page,
        title=folder.absolute().name,
        lead=_lead(runs, chosen),
        facts=_facts(runs, chosen, not_started),
        sections=sections,
        scripts=[source("sweep.js")],
        style=source("sweep.css"),
    )


def _compared(runs: SweptRuns, chosen: Chosen) -> list[Section]:
    """What quatrain compare says of the runs that are done; one sentence where it says nothing."""
    said = render("note.html", text=chosen.told) if chosen.told else Markup()
    if chosen.aim is None:
        return [Section("Groups over seeds", said)]
    try:
        found = compare(runs.results, chosen.aim)
    except UserError:  # all values are infinite or none
        none = f"No run has a finite {chosen.aim.metric}, so there is nothing to compare."
        return [Section("Groups over seeds", joined(said, render("note.html", text=none)))]
    parts: dict[str, Callable[[Comparison], Markup]] = {
        "Groups over seeds": groups_table,
        "Curves": seed_bands,
        "Parallel coordinates": parallel_coordinates,
        "Which knob matters": importance,
    }
    return [
        Section(title, joined(said, make(found)) if place == 0 else make(found))
        for place, (title, make) in enumerate(parts.items())
    ]


def _search(path: Path) -> Markup:
    try:
        return search_history(read_study(path))
    except UserError as error:
        return render("note.html", text=" ".join(error.sentences))


def _lead(runs: SweptRuns, chosen: Chosen) -> str:
    what = "1 run" if len(runs.runs) == 1 else f"{len(runs.runs):,} runs"
    return f"{what}, compared by {chosen.aim}." if chosen.aim else f"{what}."


def _facts(runs: SweptRuns, chosen: Chosen, not_started: int) -> dict[str, str]:
    counts = {status: runs.count(status) for status in STATUSES}
    facts = {"runs": f"{len(runs.runs):,}", "done": f"{counts['done']:,}"}
    facts |= {status: f"{count:,}" for status, count in counts.items() if count and status not in facts}
    if not_started:
        facts["not started"] = f"{not_started:,}"
    if chosen.aim and (best := _best(runs, chosen)):
        facts["best"] = best
    if written := max((run.time for run in runs.runs), default=""):
        facts["last change"] = moment(written)
    return facts


def _best(runs: SweptRuns, chosen: Chosen) -> Markup | None:
    """The best value, and a link to the run that has it."""
    if chosen.aim is None:
        return None
    first = best_first([run for run in runs.runs if run.result], chosen.aim)[0]
    value = value_of(first, chosen.aim.metric, chosen.aim.mode)
    if value is None:
        return None
    shown = fixed(value, decimals_for([value], []))
    link = first.report or first.folder
    return render("best.html", metric=chosen.aim.metric, value=shown, link=link, name=first.name)
