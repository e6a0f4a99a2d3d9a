"""The report of one run: a page of what it was, did and says, from the files of its directory alone."""

from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from markupsafe import Markup

from quatrain.report import curves, example_parts, origin
from quatrain.report.config_tree import config_tree
from quatrain.report.numbers import between, moment, number, share, span
from quatrain.report.page import Section, write_page
from quatrain.report.rendering import joined, render
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
        example_parts.loss_by_position,
        example_parts.samples_by_checkpoint,
    ),
    "Learning rate, gradients, speed": (curves.pace_curves,),
    "Tokenizer": (tokenizer_part,),
    "Data": (origin.data_facts,),
    "Choices made by themselves": (origin.choices,),
    "Config": (config_tree,),
    "Taken up again": (origin.attempts,),
    "Where it comes from": (origin.origin,),
}
"""What the page shows, in this order."""

TASKS = {
    "masked_lm": "a masked language model",
    "causal_lm": "a causal language model",
    "sequence_classification": "a classifier",
}
STATES = {
    "queued": "It has not begun.",
    "running": "It is under way: this is how far it had come on {now}.",
    "failed": "It failed: {why}",
    "pruned": "It was ended early: {why}",
    "interrupted": "It was interrupted: {why} Go on with: quatrain resume {run}",
}


def write_run_report(run: RunDirectory, output: Path | None = None) -> Path:
    """Write the page of ``run``, in any state, and return its path: ``report.html`` in the run, or ``output``.

    Only files of the run are read. What is missing is left out; a file that quatrain did not write is told on the page.

    Raises:
        UserError: the run has no status, or it is not one of ours.
        NotNow: the page cannot be written.
    """
    files = read_run(run)
    told: list[str] = []
    sections = [Section(title, joined(*(_made(part, files, told) for part in parts))) for title, parts in PARTS.items()]
    wrong = [*files.told, *told]
    if wrong:
        sections.insert(0, Section("Not shown", render("told.html", sentences=wrong)))
    return write_page(
        output or run.report,
        title=_title(files),
        lead=_lead(files),
        facts=_facts(files),
        sections=sections,
    )


def _made(part: Part, files: RunFiles, told: list[str]) -> Markup:
    """One part; where a file holds other shapes than quatrain writes, nothing, and a sentence in ``told``."""
    try:
        return part(files)
    except (AttributeError, IndexError, KeyError, TypeError, ValueError, OverflowError) as error:
        what = part.__name__.replace("_", " ")
        told.append(f"{what}: a file of the run is not of the shape that quatrain writes ({error!r:.200}).")
        return Markup()


def _title(files: RunFiles) -> str:
    name, folder = str(files.config.get("name", "run")), files.run.path.name
    return folder if folder == name else f"{name}: {folder}"


def _lead(files: RunFiles) -> str:
    model = files.config.get("model")
    task = TASKS.get(str(model.get("task"))) if isinstance(model, dict) else None
    state = STATES.get(files.status.status, "").format(
        why=files.status.why or "no reason was given.", run=files.run.path, now=f"{datetime.now():%Y-%m-%d at %H:%M}"
    )
    return " ".join(part for part in (f"The report of {task}." if task else "", state) if part)


def _facts(files: RunFiles) -> dict[str, str]:
    """What one wants to see first."""
    best, result = _mapping(files.result.get("best")), files.result
    monitor = best.get("monitor")
    started = files.provenance.get("started")
    ended = files.status.time if files.status.status != "running" else ""
    lasted = between(started, ended) if ended else None
    facts: dict[str, str] = {"status": files.status.status}
    if isinstance(monitor, str) and monitor in best:
        facts[f"best {monitor}"] = f"{number(best[monitor])} at step {number(best.get('step'))}"
    facts |= {name: number(value) for name, value in _others(best, monitor).items()}
    if files.rows:
        facts["steps"] = number(files.rows[-1]["step"])
    if isinstance(result.get("seconds"), int | float):
        facts["training took"] = span(result["seconds"])
    if isinstance(result.get("tokens_per_second"), int | float):
        facts["tokens per second"] = number(round(result["tokens_per_second"]))
    if isinstance(result.get("mfu"), int | float):
        facts["of the device's peak"] = share(result["mfu"])
    if started:
        facts["started"] = moment(started)
    if lasted is not None:
        facts["from start to end"] = span(lasted)
    return facts


def _others(best: Mapping[str, Any], monitor: Any, most: int = 2) -> dict[str, Any]:
    """A few more scores of the best checkpoint."""
    names = [name for name in best if "/" in str(name) and name != monitor and not str(name).endswith("/loss")]
    return {name: best[name] for name in names[:most]}


def _mapping(found: Any) -> Mapping[str, Any]:
    return found if isinstance(found, dict) else {}
