"""The tokenizer of a run: its size, its longest tokens, and how long texts are in tokens."""

from itertools import pairwise
from typing import Any

from markupsafe import Markup

from quatrain.report.figures import COLOURS, faded, figure
from quatrain.report.numbers import number, share
from quatrain.report.rendering import joined, properties, render
from quatrain.report.run_files import RunFiles


def tokenizer_part(files: RunFiles) -> Markup:
    """What examples.json says of the tokenizer; nothing where it is missing."""
    found = files.examples.get("tokenizer")
    if not found:
        return Markup()
    facts = {
        "kind": str(found["kind"]),
        "vocabulary": f"{number(found['vocab_size'])} tokens",
        "tokens per word": number(found["tokens_per_word"]),
        "longest tokens": render("tokens.html", tokens=[(str(token), count) for token, count in found["longest"]]),
    }
    return joined(properties(facts), _lengths(found["lengths"]) if found.get("lengths") else Markup())


def _lengths(found: dict[str, Any]) -> Markup:
    """How many texts have how many tokens, with a line where longer ones are cut."""
    edges, counts, longest, unit = found["edges"], found["counts"], found["max_length"], str(found["unit"])
    middles = [(low + high) / 2 for low, high in pairwise(edges)]
    widths = [high - low for low, high in pairwise(edges)]
    spans = [f"{number(low)} to {number(high)}" for low, high in pairwise(edges)]
    bars = {
        "type": "bar",
        "x": middles,
        "y": counts,
        "width": widths,
        "customdata": spans,
        "marker": {"color": faded(COLOURS[0], 0.75), "line": {"color": COLOURS[0], "width": 1}},
        "hovertemplate": f"%{{customdata}} tokens: %{{y:,}} {_word(unit)}<extra></extra>",
    }
    layout: dict[str, Any] = {
        "xaxis": {"title": {"text": "tokens"}},
        "yaxis": {"title": {"text": _word(unit)}},
        "bargap": 0,
        "showlegend": False,
    }
    words = f"Histogram of the lengths of {sum(counts):,} {_word(unit)} in tokens."
    if isinstance(longest, int):
        line = {"color": COLOURS[1], "width": 2, "dash": "dash"}
        label = {"text": f"cut at {longest:,}", "textposition": "end", "textangle": 0, "font": {"color": COLOURS[1]}}
        layout["shapes"] = [
            {
                "type": "line",
                "x0": longest,
                "x1": longest,
                "yref": "paper",
                "y0": 0,
                "y1": 1,
                "line": line,
                "label": label,
            }
        ]
        words += f" {share(found['truncated'])} are longer than {longest:,} tokens and cut there."
    rows = [[text, count] for text, count in zip(spans, counts, strict=True)]
    return joined(
        render("note.html", text=words), figure([bars], layout, label=words, log=True, numbers=(["tokens", unit], rows))
    )


def _word(unit: str) -> str:
    """The unit where plotly would read pseudo-HTML or a template: letters alone."""
    return "".join(letter for letter in unit if letter.isalpha() or letter == " ")[:30]
