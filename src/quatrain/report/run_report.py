"""The report of one run: a page of what it was, did and says, from the files of its directory alone."""

from collections.abc import Callable
from pathlib import Path

from markupsafe import Markup

from quatrain.report import curves, example_parts, origin, positions
from quatrain.report.config_tree import config_tree
from quatrain.report.page import Section, write_page
from quatrain.report.rendering import joined, render
from quatrain.report.run_facts import facts_of, lead_of, title_of
from quatrain.report.run_files import RunFiles, read_run
from quatrain.report.score_table import score_table
from quatrain.report.tokenizer_part import tokenizer_part
from quatrain.runs.directory import RunDirectory

Part = Callable[[RunFiles], Markup]

PARTS: dict[str, tuple[Part, ...]] = {
    "Scores": (score_table,),
    "Loss": (curves.loss_curves,),
    "Validation scores": (curves.score_curves,),
    "Examples": (
        example_parts.confusion,
        example_parts.wrong_pairs,
        example_parts.fills,
        positions.loss_by_position,
        example_parts.samples_by_checkpoint,
    ),
    "Learning rate, gradients, speed": (curves.pace_curves,),
    "Tokenizer": (tokenizer_part,),
    "Data": (origin.data_facts,),
    "Automatic choices": (origin.choices,),
    "Config": (config_tree,),
    "Taken up again": (origin.attempts,),
    "Where it comes from": (origin.origin,),
}
"""What the page shows, in this order."""


def write_run_report(run: RunDirectory, output: Path | None = None) -> Path:
    """Write the page of ``run``, in any state, and return its path: ``report.html`` in the run, or ``output``.

    Only files of the run are read. What is missing is left out; a file that quatrain did not write is told on the page.

    Raises:
        UserError: the run has no status, or it is not one of ours.
        NotNow: the page cannot be written.
    """
    files = read_run(run)
    return write_page(
        output or run.report,
        title=title_of(files),
        lead=lead_of(files),
        facts=facts_of(files),
        sections=sections_of(files),
    )


def sections_of(files: RunFiles) -> list[Section]:
    """The parts of the page, each empty where its file is missing; first of all what could not be shown, and why."""
    told: list[str] = []
    sections = [Section(title, joined(*(_made(part, files, told) for part in parts))) for title, parts in PARTS.items()]
    wrong = [*files.told, *told]
    return [Section("Not shown", render("told.html", sentences=wrong) if wrong else Markup()), *sections]


def _made(part: Part, files: RunFiles, told: list[str]) -> Markup:
    """One part; where a file holds other shapes than quatrain writes, nothing, and a sentence in ``told``."""
    try:
        return part(files)
    except (AttributeError, IndexError, KeyError, TypeError, ValueError, OverflowError) as error:
        what = part.__name__.replace("_", " ")
        told.append(f"{what}: a file of the run is not of the shape that quatrain writes ({error!r:.200}).")
        return Markup()
