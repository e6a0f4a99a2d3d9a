"""What a report says of a run at first sight: its name, how it ended, its best score, when and how long."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from quatrain.report.numbers import between, moment, number, share, span
from quatrain.report.run_files import RunFiles
from quatrain.runs.reading import finite

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


def title_of(files: RunFiles) -> str:
    """The experiment and its folder."""
    name, folder = str(files.config.get("name", "run")), files.run.path.name
    return folder if folder == name else f"{name}: {folder}"


def lead_of(files: RunFiles) -> str:
    """What was trained, and how it ended where that was not well, with the sentence why."""
    model = files.config.get("model")
    task = TASKS.get(str(model.get("task"))) if isinstance(model, dict) else None
    state = STATES.get(files.status.status, "").format(
        why=files.status.why or "no reason was given.", run=files.run.path, now=f"{datetime.now():%Y-%m-%d at %H:%M}"
    )
    return " ".join(part for part in (f"The report of {task}." if task else "", state) if part)


def facts_of(files: RunFiles) -> dict[str, str]:
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
    if (seconds := finite(result.get("seconds"))) is not None:
        facts["training took"] = span(seconds)
    if (pace := finite(result.get("tokens_per_second"))) is not None:
        facts["tokens per second"] = f"{pace:,.0f}"
    if (mfu := finite(result.get("mfu"))) is not None:
        facts["of the device's peak"] = share(mfu)
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
