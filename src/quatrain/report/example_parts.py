"""What a model says to held-out examples: pairs it gets wrong, masks it fills, texts it goes on with."""

from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from quatrain.report.figures import COLOURS, faded, figure, plain
from quatrain.report.numbers import number, share
from quatrain.report.rendering import heading, joined, render, side_by_side
from quatrain.report.run_files import RunFiles

MOST_CLASSES = 30
"""In a figure of the confusion of classes; evaluation.json has larger ones."""

MOST_ROWS = 50
LONGEST_TEXT = 1500
"""Characters of one text that are shown."""

MOST_STEPS = 12
"""Validations whose samples are shown, evenly over the training."""


def confusion(files: RunFiles) -> Markup:
    """Labels against predictions, of each evaluation that has them."""
    found = [_confusion(name, entry["confusion"]) for name, entry in files.evaluations.items() if entry["confusion"]]
    return joined(heading("Confusion of classes"), side_by_side(found)) if found else Markup()


def wrong_pairs(files: RunFiles) -> Markup:
    """The rows that the best weights get wrong most confidently; of a regression those with the largest error."""
    for kind in ("pairs", "errors"):
        if kind in files.examples:
            part = files.examples[kind]
            rows = [_wrong(row) for row in part["wrong"][:MOST_ROWS]]
            return render(
                "wrong.html", columns=part["columns"], rows=rows, count=part["count"], of=part["of"], kind=kind
            )
    return Markup()


def fills(files: RunFiles) -> Markup:
    """Held-out text with its masks, each with the guesses and their probabilities."""
    texts = [[_piece(piece) for piece in fill["pieces"]] for fill in files.examples.get("fills", ())[:MOST_ROWS]]
    return render("fills.html", texts=texts) if texts else Markup()


def samples_by_checkpoint(files: RunFiles) -> Markup:
    """What the model said to the same examples at each validation, an example after the other."""
    steps = sorted({row["step"] for row in files.samples})
    shown = set(_spread(steps, MOST_STEPS))
    examples: dict[int, dict[str, Any]] = {}
    for row in files.samples:
        if row["step"] in shown:
            example = examples.setdefault(
                row["number"], {"shown": _cut(row["shown"]), "right": row["right"], "said": []}
            )
            example["said"].append(
                (row["step"], _cut(row["said"]), _chance(row["probability"]), row["said"] == row["right"])
            )
    left_out = len(steps) - len(shown)
    return (
        render("samples.html", examples=[examples[key] for key in sorted(examples)], left_out=left_out)
        if examples
        else Markup()
    )


def _confusion(name: str, found: Mapping[str, Any]) -> Markup:
    labels, counts = found["labels"], found["counts"]
    if len(labels) > MOST_CLASSES:
        return render("note.html", text=f"{name}: {len(labels)} classes; their table is in evaluation.json.")
    totals = [sum(row) or 1 for row in counts]
    shares = [[count / total for count in row] for row, total in zip(counts, totals, strict=True)]
    names = [plain(str(label), 24) for label in labels]
    trace = {
        "type": "heatmap",
        "x": names,
        "y": names,
        "z": shares,
        "zmin": 0.0,
        "zmax": 1.0,
        "text": [[f"{count:,}" for count in row] for row in counts],
        "texttemplate": "%{text}",
        "textfont": {"color": COLOURS[-1]},
        "colorscale": [[0, faded(COLOURS[0], 0.04)], [1, faded(COLOURS[0], 0.6)]],
        "showscale": False,
        "xgap": 2,
        "ygap": 2,
        "hovertemplate": "%{y} called %{x}: %{text} (%{z:.1%} of the row)<extra></extra>",
    }
    layout = {
        "xaxis": {"title": {"text": "predicted"}, "type": "category", "showgrid": False},
        "yaxis": {"title": {"text": "right"}, "type": "category", "autorange": "reversed", "showgrid": False},
    }
    right = sum(counts[place][place] for place in range(len(labels)))
    words = f"Confusion of classes on {name}: {right:,} of {sum(map(sum, counts)):,} are right."
    rows = [[str(label), *row] for label, row in zip(labels, counts, strict=True)]
    note = render("note.html", text=words)
    height = 130 + 46 * max(3, len(labels)) if len(labels) < 8 else 130 + 28 * len(labels)
    return joined(
        note,
        figure(
            [trace],
            layout,
            label=words,
            height=height,
            width=max(360, 220 + 110 * len(labels)),
            numbers=(["right \\ predicted", *labels], rows),
        ),
    )


def _wrong(row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "texts": [_cut(text) for text in row["texts"]],
        "label": _label(row["label"]),
        "said": _label(row["said"]),
        "probability": _chance(row.get("probability")),
    }


def _label(value: Any) -> str:
    return number(value) if isinstance(value, float) else str(value)


def _piece(piece: Any) -> dict[str, Any]:
    """A piece of text, or a mask: what was right, the first guess, and each guess with its probability."""
    if isinstance(piece, str):
        return {"text": _cut(piece)}
    guesses = [(str(text), share(chance), min(1.0, max(0.0, float(chance)))) for text, chance in piece["guesses"]]
    return {
        "right": str(piece["right"]),
        "guesses": guesses,
        "hit": guesses[0][0].strip() == str(piece["right"]).strip(),
    }


def _chance(value: Any) -> str:
    return share(value) if value is not None else ""


def _cut(text: Any) -> str:
    words = str(text)
    return words if len(words) <= LONGEST_TEXT else words[:LONGEST_TEXT] + "…"


def _spread(steps: Sequence[int], most: int) -> list[int]:
    if len(steps) <= most:
        return list(steps)
    return [steps[round(place * (len(steps) - 1) / (most - 1))] for place in range(most)]
