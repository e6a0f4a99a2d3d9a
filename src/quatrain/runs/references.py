"""What a score is to be compared with: always guessing the largest class, the text's own words, the grammar's bound."""

import math
from collections.abc import Mapping
from typing import Any

REFERENCES = {
    "val/perplexity": ("unigram_perplexity", "unigram perplexity of the same text"),
    "val/bits_per_character": ("grammar_bits_per_character", "the grammar's own bound"),
    "val/accuracy": ("majority_share/validation", "share of the largest class"),
}
"""Of a score, the name in the data's summary, and in words."""


def references_of(data: Mapping[str, Any]) -> dict[str, float]:
    """The scores that ``data``, the summary of a run's data, has something to compare with, each with that number."""
    found = {metric: data[key] for metric, (key, _) in REFERENCES.items() if key in data}
    return {metric: float(value) for metric, value in found.items() if _is_number(value)}


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
