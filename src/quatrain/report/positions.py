"""How the loss of a causal LM falls along the window, as it sees more of what came before."""

from collections.abc import Sequence

from markupsafe import Markup

from quatrain.report.figures import COLOURS, faded, figure
from quatrain.report.numbers import number
from quatrain.report.rendering import heading, joined, render
from quatrain.report.run_files import RunFiles

MANY_PLACES = 24
"""Points from which on the mean of each with its neighbours is drawn too."""

NEIGHBOURS = 8
"""On each side, over which that mean is taken."""

ABOUT = "The loss of a token by how many tokens of the window the model has read before it. Where it falls, they help."


def loss_by_position(files: RunFiles) -> Markup:
    """The loss at each position of the window; where there are many, a line through their noise too."""
    part = files.examples.get("loss_by_position")
    if not part:
        return Markup()
    places, losses, tokens = part["position"], part["loss"], part["tokens"]
    many = len(places) >= MANY_PLACES
    trace = {
        "type": "scatter",
        "mode": "lines",
        "name": "loss",
        "x": places,
        "y": losses,
        "customdata": tokens,
        "line": {"color": faded(COLOURS[0], 0.35) if many else COLOURS[0], "width": 1 if many else 2},
        "hovertemplate": "position %{x:,}<br>%{y:.4g} nats over %{customdata:,} tokens<extra></extra>",
    }
    mean = {
        "type": "scatter",
        "mode": "lines",
        "name": "mean with its neighbours",
        "x": places,
        "y": among_neighbours(losses, tokens),
        "line": {"color": COLOURS[0], "width": 2},
        "hovertemplate": "position %{x:,}<br>%{y:.4g} nats<extra></extra>",
    }
    traces = [trace, mean] if many else [trace]
    axes = {"xaxis": {"title": {"text": "position in the window"}}, "yaxis": {"title": {"text": "loss in nats"}}}
    words = f"Line chart of the loss by position in the window, from {number(losses[0])} to {number(losses[-1])} nats."
    rows = [list(row) for row in zip(places, map(number, losses), tokens, strict=True)]
    drawn = figure(traces, axes, label=words, log=True, numbers=(["position", "loss", "tokens"], rows))
    note = render("note.html", text=_about_positions(tokens) if many else ABOUT)
    return joined(heading("Loss by position"), note, drawn)


def _about_positions(tokens: list[int]) -> str:
    each = sorted(tokens)[len(tokens) // 2]
    return f"{ABOUT} Each point is a mean over about {each:,} tokens; the thick line is one with its neighbours."


def among_neighbours(values: Sequence[float], weights: Sequence[float]) -> list[float]:
    """Of each value the weighted mean with `NEIGHBOURS` on each side, no more after it than before: the first stays."""
    last = len(values) - 1
    means = []
    for place in range(len(values)):
        before = min(NEIGHBOURS, place)
        part = slice(place - before, min(place + before, last) + 1)
        weighted = sum(value * weight for value, weight in zip(values[part], weights[part], strict=True))
        means.append(weighted / sum(weights[part]))
    return means
