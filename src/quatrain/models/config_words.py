"""Reading a model's config as a plain dict, whatever words its family uses. Loads no torch."""

from collections.abc import Mapping
from typing import Any

WORDS = {
    "vocab_size": ("vocab_size",),
    "hidden_size": ("hidden_size", "n_embd", "dim", "d_model"),
    "heads": ("num_attention_heads", "n_head", "n_heads", "encoder_attention_heads"),
    "blocks": ("num_hidden_layers", "n_layer", "n_layers", "num_layers"),
    "positions": ("max_position_embeddings", "n_positions", "n_ctx"),
}
"""The words under which families of models keep the same number."""

COUNTED_FROM_PADDING = frozenset(
    {
        "camembert",
        "data2vec-text",
        "esm",
        "ibert",
        "longformer",
        "luke",
        "mpnet",
        "roberta",
        "roberta-prelayernorm",
        "xlm-roberta",
        "xlm-roberta-xl",
        "xmod",
    }
)
"""Families that number the positions of a text from the padding id plus one (as fairseq's RoBERTa did)."""

PADDING_WHERE_UNSAID = 1


def number(config: Mapping[str, Any], what: str) -> int | None:
    """The whole number that ``config`` gives for ``what`` (a key of `WORDS`); None where it says nothing."""
    for word in WORDS[what]:
        value = config.get(word)
        if isinstance(value, int) and not isinstance(value, bool):
            return value
    return None


def word_for(config: Mapping[str, Any], what: str) -> str:
    """The word that ``config`` itself uses for ``what``, to name it in a sentence."""
    return next((word for word in WORDS[what] if config.get(word) is not None), WORDS[what][0])


def first_position(config: Mapping[str, Any]) -> int:
    """How many entries of the position table lie before the first token: 0, or padding id + 1 in RoBERTa's families."""
    if config.get("model_type") not in COUNTED_FROM_PADDING:
        return 0
    padding = config.get("pad_token_id")
    return (PADDING_WHERE_UNSAID if padding is None else int(padding)) + 1


def positions(config: Mapping[str, Any]) -> int | None:
    """The longest text in tokens that a model of this config takes; None where its config sets no bound.

    RoBERTa's table of 514 positions serves 512 tokens. A longer text makes the lookup crash, on a GPU by a device-side
    assertion that names nothing.
    """
    table = number(config, "positions")
    return None if table is None or table < 1 else table - first_position(config)
