"""A run's overview for a terminal."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from quatrain.runs.text_tables import grid, heading, line, number, table
from quatrain.runs.units import in_age, in_bytes, in_time

if TYPE_CHECKING:
    from rich.console import RenderableType

MOST_FILES = 8
MOST_CHECKPOINTS = 8
SCORES = ("metric", "best", "95 % interval", "last")


def sections(found: Mapping[str, Any]) -> "Iterator[RenderableType]":
    """What `quatrain.runs.overview.overview` found, from what it is to what to do next."""
    yield grid(_facts(found))
    if found["scores"] or found["intervals"]:
        yield heading(f"scores{_chosen(found)}")
        yield table(SCORES, _scores(found), left=("metric",))
    for title, rows in (
        ("speed", _speed(found["speed"])),
        ("data", [(name, number(value)) for name, value in found["data"].items()]),
        ("settings", _settings(found)),
    ):
        if rows:
            yield heading(title)
            yield grid(rows)
    yield heading(f"files, {in_bytes(found['bytes'])}")
    yield grid(_files(found))
    if found["checkpoints"]:
        yield heading("checkpoints")
        yield table(("file", "step", "size", ""), _checkpoints(found["checkpoints"]), left=("file", ""))
    yield heading("next")
    for command, what in found["next"]:
        yield line(f"  {command}    # {what}")


def _chosen(found: Mapping[str, Any]) -> str:
    """By what the best weights were chosen, and when."""
    if not isinstance(found["best_step"], int):
        return ""
    by = f", by {found['metric']['name']}" if found["metric"] else ""
    return f": the best of step {found['best_step']:,}{by}"


def _facts(found: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    why = f": {found['why']}" if found["why"] else ""
    yield "status", f"{found['status']}{why}"
    yield "experiment", found["experiment"]
    yield "overrides", " ".join(found["overrides"]) or "none"
    for change in found["changes"]:
        yield "changed", f"{change['why']} ({', '.join(f'{key}={value}' for key, value in change['set'].items())})"
    if found["sweep"]:
        yield "sweep", found["sweep"]
    if found["started"]:
        yield "started", str(found["started"])
    ended = "since" if found["status"] in ("running", "queued") else "ended"
    yield ended, f"{found['time']}, {in_age(found['age'])} ago"
    if found["seconds"] is not None:
        how = "of training" if "seconds" in found["speed"] else "by the clock"
        yield "took", f"{in_time(found['seconds'])} {how}"
    for one in found["resumed"]:
        yield "resumed", f"{one['time']} after step {one['step']:,} on {one['host']}"
    for one in found["attempts"]:
        yield "failed before", f"{one['path']}, {in_bytes(one['bytes'])}"
    yield from _place(found["where"], found["code"])


def _place(where: Mapping[str, Any], code: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    if where.get("host"):
        gpus = where["gpus"] if isinstance(where.get("gpus"), list) else []
        cards = ", ".join(str(one.get("name") if isinstance(one, dict) else one) for one in gpus)
        device = cards or f"{where.get('cpu', 'CPU')}, {where.get('cpus_usable', '?')} cores"
        ranks = f", {where['ranks']} ranks" if where.get("ranks", 1) != 1 else ""
        yield "ran on", f"{where['host']}: {device}{ranks}"
        yield "with", f"Python {where.get('python')}, torch {where.get('torch')}, {where.get('precision', '')}"
    if code.get("commit"):
        dirty = f", and changes, which are in {code['diff']}" if code.get("dirty") and code.get("diff") else ""
        yield "commit", f"{str(code['commit'])[:12]} on {code.get('branch') or 'no branch'}{dirty}"
    if code.get("command"):
        yield "command", code["command"]


def _scores(found: Mapping[str, Any]) -> Iterator[tuple[str, str, str, str]]:
    intervals = found["intervals"]
    for name, values in found["scores"].items():
        interval = intervals.get(name, {})
        between = f"{interval['low']:.4g} to {interval['high']:.4g}" if {"low", "high"} <= set(interval) else ""
        yield name, _value(values, "best"), between, _value(values, "last")
    for name, interval in intervals.items():
        if name not in found["scores"] and "value" in interval:
            between = f"{interval['low']:.4g} to {interval['high']:.4g}" if {"low", "high"} <= set(interval) else ""
            yield name, f"{interval['value']:.4g}", between, ""


def _value(values: Mapping[str, float], which: str) -> str:
    return f"{values[which]:.4g}" if which in values else ""


def _speed(speed: Mapping[str, float]) -> list[tuple[str, str]]:
    from quatrain.training.peak import in_flops

    words = {
        "tokens": lambda value: f"{value:,.0f}",
        "tokens_per_second": lambda value: f"{value:,.0f}",
        "flops_per_second": in_flops,
        "mfu": lambda value: f"{value:.1%} of the measured peak",
        "data_wait": lambda value: f"{value:.1%} of the time",
    }
    names = {
        "tokens": "tokens",
        "tokens_per_second": "tokens/s",
        "flops_per_second": "computing",
        "mfu": "MFU",
        "data_wait": "waited for data",
    }
    return [(names[name], say(speed[name])) for name, say in words.items() if name in speed]


def _settings(found: Mapping[str, Any]) -> list[tuple[str, str]]:
    rows = [(key, number(value)) for key, value in found["settings"].items()]
    return [*rows, ("parameters", f"{found['parameters']:,}")] if found["parameters"] else rows


def _files(found: Mapping[str, Any]) -> list[tuple[str, str]]:
    files = list(found["files"].items())
    rows = [(name, in_bytes(size)) for name, size in files[:MOST_FILES]]
    if len(files) > MOST_FILES:
        rest = sum(size for _, size in files[MOST_FILES:])
        rows.append((f"and {len(files) - MOST_FILES} more", in_bytes(rest)))
    return rows


def _checkpoints(found: list[Mapping[str, Any]]) -> Iterator[tuple[str, str, str, str]]:
    if len(found) > MOST_CHECKPOINTS:
        yield f"{len(found) - MOST_CHECKPOINTS} earlier ones", "", "", ""
    for one in found[-MOST_CHECKPOINTS:]:
        said = ", ".join(name for name in ("best", "last") if one[name])
        yield one["file"], f"{one['step']:,}", in_bytes(one["bytes"]), said
