"""The mean for each pair of values of two knobs."""

from typing import TYPE_CHECKING, Any

import numpy as np

from quatrain.compare.comparison import Comparison
from quatrain.compare.digits import decimals_for, fixed
from quatrain.compare.knobs import Knob, short_names, shown_values
from quatrain.compare.results import Floats

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MOST_LEVELS = 20
LEAST_FILLED = 0.5


def heat_map(comparison: Comparison) -> "Figure | str":
    """A map of the two knobs that matter most; a sentence where there are no two, or most pairs were not run."""
    from matplotlib.figure import Figure

    pair = _two_knobs(comparison)
    if pair is None:
        return "No heat map: it needs two knobs."
    across, down = sorted(pair, key=lambda knob: -len(set(knob.levels)))
    if len(set(across.levels)) > MOST_LEVELS:
        return f"No heat map: {across.keys[0]} has more than {MOST_LEVELS} values."
    (x, x_labels), (y, y_labels) = _axis(across), _axis(down)
    means = _means(comparison, x, y)
    if np.isfinite(means).mean() < LEAST_FILLED:
        return "No heat map: less than half of the pairs of values were run."
    names = short_names([key for knob in comparison.knobs for key in knob.keys])
    size = (2.6 + 0.62 * len(x_labels) + 0.07 * max(map(len, y_labels)), 1.5 + 0.42 * len(y_labels))
    figure = Figure(figsize=(max(6.0, size[0]), max(2.6, size[1])), layout="constrained")
    axes = figure.subplots()
    low_is_bright = comparison.aim.smaller_is_better
    image = axes.imshow(means, cmap="cividis_r" if low_is_bright else "cividis", aspect="auto")
    figure.colorbar(image, ax=axes, label=comparison.aim.metric)
    slanted = max(map(len, x_labels)) > 7
    axes.set_xticks(range(len(x_labels)), x_labels, rotation=40 if slanted else 0, ha="right" if slanted else "center")
    axes.set_yticks(range(len(y_labels)), y_labels)
    axes.set_xlabel(" with ".join(names[key] for key in across.columns))
    axes.set_ylabel(" with ".join(names[key] for key in down.columns))
    averaged = " over all other settings" if len(comparison.knobs) > 2 else ""
    axes.set_title(f"mean of {comparison.aim.metric}{averaged}; brighter is better")
    axes.spines[:].set_visible(False)
    _write_numbers(axes, means, low_is_bright)
    return figure


def _two_knobs(comparison: Comparison) -> tuple[Knob, Knob] | None:
    found = comparison.importance
    knobs = [share.knob for share in found.shares] if found else list(comparison.knobs)
    return (knobs[0], knobs[1]) if len(knobs) > 1 else None


def _axis(knob: Knob) -> tuple[list[int], list[str]]:
    """Where each group stands on the axis of ``knob``, and the labels: numbers by size, others by their texts."""
    texts = shown_values(knob.keys[0], knob.values)
    numbers = knob.numbers
    first = {level: place for place, level in reversed(list(enumerate(knob.levels)))}
    ordered = sorted(first, key=lambda level: (numbers[first[level]] if numbers else 0.0, texts[first[level]]))
    places = {level: place for place, level in enumerate(ordered)}
    return [places[level] for level in knob.levels], [texts[first[level]][:24] for level in ordered]


def _means(comparison: Comparison, x: list[int], y: list[int]) -> Floats:
    """[down, across]; NaN where there is no run."""
    sums, counts = (np.zeros((max(y) + 1, max(x) + 1)) for _ in range(2))
    for row, right, down in zip(comparison.rows, x, y, strict=True):
        sums[down, right] += sum(row.values)
        counts[down, right] += len(row.values)
    return np.where(counts > 0, sums / np.maximum(counts, 1), np.nan)


def _write_numbers(axes: Any, means: Floats, low_is_bright: bool) -> None:
    low, high = np.nanmin(means), np.nanmax(means)
    decimals = decimals_for(means[np.isfinite(means)].tolist(), [(high - low) / 10])
    for (down, right), mean in np.ndenumerate(means):
        shade = 0.5 if high == low else (mean - low) / (high - low)
        bright = (1 - shade if low_is_bright else shade) > 0.55
        text, colour = (fixed(mean, decimals), "black" if bright else "white") if np.isfinite(mean) else ("–", "black")
        axes.text(right, down, text, ha="center", va="center", color=colour, fontsize=7)
