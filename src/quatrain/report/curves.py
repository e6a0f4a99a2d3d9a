"""The curves of a run over its steps: losses, scores, learning rate and gradients, speed."""

from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from quatrain.report.rendering import side_by_side
from quatrain.report.run_files import RunFiles
from quatrain.report.step_figure import Curve, Points, step_figure
from quatrain.runs.references import REFERENCES, references_of

ROUGH = 200
"""Points from which a training curve has a smoothed one beside it."""

SHARES = ("accuracy", "f1", "matthews", "pearson", "spearman")


def loss_curves(files: RunFiles) -> Markup:
    """The training loss, smoothed where it is rough, and every validation loss, in one figure."""
    train = points_of(files.rows, "train/loss")
    curves = []
    if len(train[0]) >= ROUGH:
        curves.append(Curve("train/loss", train, 0, faint=True))
        curves.append(Curve("train/loss, smoothed", (train[0], smoothed(train[1])), 0))
    elif train[0]:
        curves.append(Curve("train/loss", train, 0))
    names = [name for name in columns(files.rows) if name.startswith("val") and name.endswith("/loss")]
    curves += [Curve(name, points_of(files.rows, name), place, marked=True) for place, name in enumerate(names, 1)]
    return step_figure(files, curves, "loss in nats" if _is_language(files) else "loss")


def score_curves(files: RunFiles) -> Markup:
    """A figure for each kind of validation score; shares, which lie between 0 and 1, stand in one."""
    names = [name for name in columns(files.rows) if name.startswith("val") and not name.endswith("/loss")]
    kinds: dict[str, list[str]] = {}
    for name in names:
        kind = name.rpartition("/")[2]
        kinds.setdefault("score" if kind in SHARES else kind, []).append(name)
    figures = []
    for kind, members in kinds.items():
        curves = [Curve(name, points_of(files.rows, name), place, marked=True) for place, name in enumerate(members, 1)]
        bounds = [_bound(name, files) for name in members]
        title = kind if len(members) > 1 else members[0].rpartition("/")[2]
        figures.append(step_figure(files, curves, title.replace("_", " "), [bound for bound in bounds if bound]))
    return side_by_side(figures)


def pace_curves(files: RunFiles) -> Markup:
    """Learning rate, gradient norm, tokens a second and the share of the device's peak, a figure each."""
    wanted = (
        ("train/lr", "learning rate"),
        ("train/grad_norm", "gradient norm"),
        ("train/tokens_per_second", "tokens per second"),
        ("train/mfu", "share of the peak (MFU)"),
        ("train/data_wait", "share of time waiting for data"),
    )
    figures = []
    for start, title in wanted:
        names = [name for name in columns(files.rows) if name == start or name.startswith(f"{start}/")]
        curves = [Curve(name, points_of(files.rows, name), place) for place, name in enumerate(names)]
        figures.append(step_figure(files, curves, title))
    return side_by_side(figures)


def columns(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """The names that any row fills, in the order in which they first come."""
    return list(dict.fromkeys(name for row in rows for name in row))


def points_of(rows: Sequence[Mapping[str, int | float]], name: str) -> Points:
    """The steps at which ``name`` was measured, and its values."""
    found = [(row["step"], row[name]) for row in rows if name in row]
    return [step for step, _ in found], [value for _, value in found]


def smoothed(values: Sequence[int | float]) -> list[int | float]:
    """The exponential moving average over about a hundredth of ``values``, without a bias at its beginning."""
    keep = 1 - 1 / max(2, len(values) / 100)
    average, weight, found = 0.0, 0.0, []
    for value in values:
        average, weight = keep * average + (1 - keep) * value, keep * weight + (1 - keep)
        found.append(average / weight)
    return found


def _bound(name: str, files: RunFiles) -> tuple[str, float] | None:
    data = files.provenance.get("data")
    found = references_of(data) if isinstance(data, dict) else {}
    return (REFERENCES[name][1], found[name]) if name in found else None


def _is_language(files: RunFiles) -> bool:
    return any(name.endswith("/perplexity") for name in columns(files.rows))
