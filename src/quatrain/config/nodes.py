"""Walking the nodes of a config that name a class, and what each class takes."""

import ast
from collections.abc import Iterator
from typing import Any

from quatrain.config.signatures import NO_DEFAULT, Argument, Signature, model_config_signature, signature

SUPPLIED: dict[str, frozenset[str]] = {
    "data": frozenset({"tokenizer", "texts", "rows"}),
    "optimizer": frozenset({"params"}),
    "callbacks.checkpoints": frozenset({"folder", "stop"}),
    "trainer": frozenset(
        {
            "callbacks",
            "logger",
            "default_root_dir",
            "enable_progress_bar",
            "enable_model_summary",
            "use_distributed_sampler",
        }
    ),
}
"""Arguments that a run supplies itself, by top-level key: no config names them."""

ADDED: dict[str, tuple[Argument, ...]] = {
    "trainer": (Argument("auto_batch", ast.parse("bool", mode="eval").body, default=False, required=False),),
}
"""Arguments that a run takes for itself, beside those of the class, by key."""

FROM_TOKENIZER = frozenset(
    {"vocab_size", "pad_token_id", "bos_token_id", "eos_token_id", "cls_token_id", "sep_token_id", "mask_token_id"}
)
FROM_DATA = frozenset({"max_position_embeddings", "n_positions", "num_labels"})
DERIVED = FROM_TOKENIZER | FROM_DATA
"""Fields of ``model.config`` that are null by default: taken from the tokenizer and from the data's length."""


def nodes(config: Any, key: str = "") -> Iterator[tuple[str, dict[str, Any], Signature | None]]:
    """Yield (key, node, signature) for every mapping that names a class or a model type, outer ones first."""
    if isinstance(config, dict):
        if "_target_" in config or is_model_config(key, config):
            yield key, config, signature_of(config)
        for name, value in config.items():
            yield from nodes(value, f"{key}.{name}" if key else str(name))
    elif isinstance(config, list):
        for place, value in enumerate(config):
            yield from nodes(value, f"{key}[{place}]")


def is_model_config(key: str, node: dict[str, Any]) -> bool:
    """Whether ``node`` is a Hugging Face model configuration, told by its ``model_type``."""
    return key == "model.config" and isinstance(node.get("model_type"), str)


def signature_of(node: dict[str, Any]) -> Signature | None:
    """What the class that ``node`` names takes; None where no source tells."""
    if "_target_" in node:
        return signature(str(node["_target_"]))
    return model_config_signature(node["model_type"])


def takes(key: str, node: dict[str, Any], found: Signature) -> dict[str, Argument]:
    """The arguments of ``node``'s class that a config may state."""
    supplied = SUPPLIED.get(key, frozenset())
    own = {argument.name: argument for argument in ADDED.get(key, ())}
    return {name: argument for name, argument in found.arguments.items() if name not in supplied} | own


def fill_defaults(config: dict[str, Any]) -> None:
    """Add to every node, in place, the arguments that it leaves out, with their defaults.

    So the frozen config holds every value that a run depends on, and its hash changes when a default does.
    """
    for key, node, found in list(nodes(config)):
        if found is None:
            continue
        for name, argument in takes(key, node, found).items():
            if name in node or argument.default is NO_DEFAULT:
                continue
            node[name] = None if key == "model.config" and name in DERIVED else _plain(argument.default)


def drop_foreign(config: dict[str, Any], overrides: list[str]) -> None:
    """Of groups that ``overrides`` replace, drop what the experiment says to the option that it had chosen, in place.

    ``experiment=quick_sonnets tokenizer=gpt2``: the experiment's ``tokenizer.vocab_size`` was meant for a tokenizer
    that is trained. What the user states stays, to be judged.
    """
    keys = [text.lstrip("+~").split("=")[0] for text in overrides]
    replaced = {key.split("@")[0] for key in keys if "." not in key}
    for key, node, found in list(nodes(config)):
        if found is None or found.open or key.split(".")[0] not in replaced:
            continue
        known = takes(key, node, found)
        for name in [name for name in node if name not in known and name not in ("_target_", "model_type")]:
            if f"{key}.{name}" not in keys:
                del node[name]


def _plain(value: Any) -> Any:
    return [_plain(item) for item in value] if isinstance(value, tuple | list) else value
