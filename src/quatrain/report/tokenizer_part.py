"""The tokenizer of a run: its size, its longest tokens, and how long texts are in tokens."""

from itertools import pairwise
from typing import Any

from markupsafe import Markup

from quatrain.report.figures import COLOURS, faded, figure
from quatrain.report.numbers import number, share
from quatrain.report.rendering import joined, properties, render
from quatrain.report.run_files import RunFiles

FARTHEST = 2
"""Times the longest text at which the line of truncation is still drawn; farther away it would hide the lengths."""

WHOLE = "documents"
"""The unit of texts that are cut into windows or blocks, of which nothing is lost."""

FEWEST = 5
"""Documents whose lengths are drawn."""


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
    if unit == WHOLE:
        words += f" Nothing of them is cut off: a row is a part of the text of at most {longest:,} tokens."
        if sum(counts) < FEWEST:
            few = "The text is one document" if sum(counts) == 1 else f"The text is {sum(counts)} documents"
            return render("note.html", text=f"{few}, read in rows of at most {longest:,} tokens; nothing is cut off.")
    elif isinstance(longest, int):
        cut = f"{share(found['truncated'])} are longer than" if found["truncated"] else "None is longer than"
        words += f" {cut} {longest:,} tokens, where they are cut."
        if longest <= FARTHEST * edges[-1]:
            layout["shapes"] = [_limit(longest)]
            layout["xaxis"]["range"] = [0, max(edges[-1], longest * 1.02)]
    rows = [[text, count] for text, count in zip(spans, counts, strict=True)]
    return joined(
        render("note.html", text=words), figure([bars], layout, label=words, log=True, numbers=(["tokens", unit], rows))
    )


def _limit(longest: int) -> dict[str, Any]:
    line = {"color": COLOURS[1], "width": 2, "dash": "dash"}
    where = {"textposition": "end", "textangle": 0, "xanchor": "right", "yanchor": "top"}
    label = {"text": f"cut at {longest:,}", "font": {"color": COLOURS[1]}, **where}
    ends = {"x0": longest, "x1": longest, "yref": "paper", "y0": 0, "y1": 1}
    return {"type": "line", "line": line, "label": label, **ends}


def _word(unit: str) -> str:
    """The unit where plotly would read pseudo-HTML or a template: letters alone."""
    return "".join(letter for letter in unit if letter.isalpha() or letter == " ")[:30]
