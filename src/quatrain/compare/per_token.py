"""Scores that are means over tokens: of another tokenizer they are another question."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

PER_TOKEN = ("loss", "perplexity", "accuracy")
"""Last parts of the metrics of a language model that count by tokens."""

PER_CHARACTER = "bits_per_character"
LANGUAGE_MODELS = ("causal_lm", "masked_lm")
SAME_IDS = ("engine",)
"""Arguments of a tokenizer that leave its ids as they are."""


def per_token_notes(metric: str, configs: Sequence[Mapping[str, Any]], metrics: Iterable[str]) -> list[str]:
    """A sentence where ``metric`` counts by tokens and runs of language models have different tokenizers, else nothing.

    ``configs``: of each run the groups ``model`` and ``tokenizer``. ``metrics``: the names that all of them have.
    """
    split, _, last = metric.rpartition("/")
    language = [config for config in configs if _part(config, "model").get("task") in LANGUAGE_MODELS]
    if last not in PER_TOKEN or len({_ids(_part(config, "tokenizer")) for config in language}) < 2:
        return []
    other = f"{split}/{PER_CHARACTER}" if split else PER_CHARACTER
    way = f" --metric {other} compares them." if other in set(metrics) else " Nothing that was logged compares them."
    return [
        f"Runs differ in their tokenizer, and {metric} is a mean over tokens: the shorter these are, the easier is each"
        f" of them, so it says nothing about which is better.{way}"
    ]


def _ids(tokenizer: Mapping[str, Any]) -> str:
    return json.dumps({name: value for name, value in tokenizer.items() if name not in SAME_IDS}, sort_keys=True)


def _part(config: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = config.get(name)
    return found if isinstance(found, dict) else {}
