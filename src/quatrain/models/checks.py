"""Cross-checks of a model against tokenizer, data and itself, as sentences. Pure functions; loads no torch.

Each returns the sentences of what is wrong, none when all is well, and holds its tongue about numbers that are unknown
(None): nothing is guessed.
"""

from collections.abc import Mapping
from importlib.util import find_spec
from typing import Any

from quatrain.models.config_words import number, positions, word_for
from quatrain.models.sources import check_weights, model_config_of

__all__ = [
    "TASKS",
    "check_choice",
    "check_frozen",
    "check_heads",
    "check_length",
    "check_lora",
    "check_model",
    "check_peft",
    "check_recipe",
    "check_vocabulary",
    "check_weights",
    "model_config_of",
]

TASKS = ("sequence_classification", "masked_lm", "causal_lm")
LORA_WORDS = ("r", "alpha", "dropout", "target_modules")


def check_model(
    config: Mapping[str, Any] | None,
    *,
    key: str = "model.config",
    tokenizer_size: int | None = None,
    max_length: int | None = None,
    frozen_layers: int = 0,
) -> list[str]:
    """All that can be said against ``config`` (Hugging Face's words; None = unknown), beside the numbers of the rest.

    ``key`` is where the config was named: ``model.config``, or ``model.weights`` when it was read from a folder.
    """
    if config is None:
        return []
    return [
        *check_vocabulary(tokenizer_size, number(config, "vocab_size"), key),
        *check_length(max_length, positions(config), key),
        *check_heads(config, key),
        *check_frozen(frozen_layers, number(config, "blocks")),
    ]


def check_vocabulary(tokenizer_size: int | None, vocab_size: int | None, key: str = "model.config") -> list[str]:
    """Every id of the tokenizer needs an entry in the model's table."""
    if tokenizer_size is None or vocab_size is None or tokenizer_size <= vocab_size:
        return []
    fix = (
        "leave model.config.vocab_size null"
        if key == "model.config"
        else "set tokenizer.source to the tokenizer that belongs to these weights"
    )
    return [
        f"the tokenizer has {tokenizer_size} entries but the model of {key} only {vocab_size}: "
        f"an id beyond them has no embedding; {fix}, or take a smaller tokenizer."
    ]


def check_length(max_length: int | None, usable: int | None, key: str = "model.config") -> list[str]:
    """No text may be longer than the model's table of positions serves."""
    if max_length is None or usable is None or max_length <= usable:
        return []
    fix = "leave the config's positions null or raise them" if key == "model.config" else "take other weights"
    return [
        f"data.max_length={max_length} is beyond the {usable} positions of the model of {key}; "
        f"set data.max_length={usable} or less, or {fix}."
    ]


def check_heads(config: Mapping[str, Any], key: str = "model.config") -> list[str]:
    """The width must be a multiple of the number of attention heads, unless the config states a head's width itself."""
    hidden, heads = number(config, "hidden_size"), number(config, "heads")
    if hidden is None or heads is None or config.get("head_dim") is not None:
        return []
    if heads > 0 and hidden % heads == 0:
        return []
    width, count = word_for(config, "hidden_size"), word_for(config, "heads")
    near = max(1, round(hidden / heads)) * heads if heads > 0 else None
    fix = f"{width}={near} would fit" if near else f"set {count} to 1 or more"
    return [f"{key}: {width}={hidden} is not a multiple of {count}={heads}; {fix}."]


def check_frozen(frozen_layers: int, blocks: int | None) -> list[str]:
    """At most all blocks of the model can be frozen."""
    if frozen_layers < 0:
        return [f"model.frozen_layers={frozen_layers} is below 0; 0 trains everything."]
    if blocks is None or frozen_layers <= blocks:
        return []
    return [
        f"model.frozen_layers={frozen_layers} is more than the model's {blocks} blocks; set it to {blocks} or less "
        f"({blocks} trains only what follows the blocks)."
    ]


def check_choice(weights: object, config: object) -> list[str]:
    """Exactly one of weights and config says what the model is."""
    if weights is not None and config is not None:
        return [
            "model.weights and model.config are both given: weights bring their own config; "
            "set model.config=null to load the weights, or model.weights=null to start from random ones."
        ]
    if weights is None and config is None:
        return [
            "neither model.weights nor model.config is given; set model.weights to a hub name, a folder or a run, "
            "or model.config to a config with a model_type."
        ]
    return []


def check_recipe(
    *, task: str, label_smoothing: float, layer_lr_decay: float, frozen_layers: int, lora: Mapping[str, Any] | None
) -> list[str]:
    """The recipe's own numbers, each in its range."""
    wrong = []
    if task not in TASKS:
        wrong.append(f"model.task={task!r} is not a task; choose one of {', '.join(TASKS)}.")
    if not 0.0 <= label_smoothing < 1.0:
        wrong.append(f"model.label_smoothing={label_smoothing} must be at least 0 and below 1; 0 smooths nothing.")
    if not 0.0 < layer_lr_decay <= 1.0:
        wrong.append(f"model.layer_lr_decay={layer_lr_decay} must be above 0 and at most 1; 1 treats all layers alike.")
    wrong += check_frozen(frozen_layers, None)
    return wrong + (check_lora(lora, frozen_layers) if lora is not None else [])


def check_lora(lora: Mapping[str, Any], frozen_layers: int = 0) -> list[str]:
    """The words and ranges of ``model.lora``."""
    wrong = [
        f"model.lora.{word} is not known; allowed are {', '.join(LORA_WORDS)}."
        for word in lora
        if word not in LORA_WORDS
    ]
    rank, dropout = lora.get("r", 1), lora.get("dropout", 0.0)
    if not isinstance(rank, int) or isinstance(rank, bool) or rank < 1:
        wrong.append(f"model.lora.r={rank!r} must be a whole number of 1 or more, such as 8.")
    if not isinstance(dropout, int | float) or not 0.0 <= dropout < 1.0:
        wrong.append(f"model.lora.dropout={dropout!r} must be at least 0 and below 1.")
    if frozen_layers:
        wrong.append(
            f"model.frozen_layers={frozen_layers} and model.lora are both given, and LoRA freezes all layers already; "
            "set model.frozen_layers=0 or model.lora=null."
        )
    return wrong


def check_peft() -> list[str]:
    """A sentence if peft is not installed."""
    if find_spec("peft") is not None:
        return []
    return ["model.lora needs peft, which is not installed; run pip install 'quatrain[lora]', or set model.lora=null."]
