"""Walking the nodes of a config that name a class, and what each class takes."""

import ast
from collections.abc import Iterator
from typing import Any

from quatrain.config.values import as_annotated
from quatrain.core.signatures import NO_DEFAULT, Argument, Signature, model_config_signature, signature

SUPPLIED: dict[str, dict[str, str]] = {
    "data": dict.fromkeys(("tokenizer", "texts", "rows"), "it is made of the parts of the experiment"),
    "optimizer": {"params": "the model's weights are dealt into groups by themselves"},
    "callbacks.checkpoints": {
        "folder": "checkpoints lie in the run directory, which run.dir=DIR names",
        "stop": "signals stop a run",
        "before_saving": "a run flushes its metrics",
    },
    "callbacks.samples": {"write": "a run keeps its samples in samples.jsonl"},
    "logger.*": {"save_dir": "loggers write under tracking/ in the run directory, which run.dir=DIR names"},
    "trainer": {
        "callbacks": "choose callbacks=OPTION, or add +callbacks.NAME._target_=CLASS",
        "logger": "choose logger=OPTION",
        "default_root_dir": "name the run directory with run.dir=DIR",
        "enable_checkpointing": "callbacks.checkpoints=null writes no checkpoint",
        "enable_progress_bar": "progress is told by lines of our own",
        "enable_model_summary": "the parameters are told at the start",
        "use_distributed_sampler": "our samplers know the ranks",
    },
}
"""Arguments that a run supplies itself, by the node's key, each with what a user does instead: no config names them."""

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


def supplied(key: str) -> dict[str, str]:
    """The arguments of the node at ``key`` that a run supplies itself, each with what to do instead."""
    group, _, name = key.partition(".")
    return SUPPLIED.get(key) or SUPPLIED.get(f"{group}.*" if name else "", {})


def takes(key: str, node: dict[str, Any], found: Signature) -> dict[str, Argument]:
    """The arguments of ``node``'s class that a config may state."""
    left_out = supplied(key)
    own = {argument.name: argument for argument in ADDED.get(key, ())}
    return {name: argument for name, argument in found.arguments.items() if name not in left_out} | own


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


def normalise(config: dict[str, Any]) -> None:
    """Turn whole numbers into floats, in place, where a class takes only floats: 1 and 1.0 are one experiment."""
    for key, node, found in nodes(config):
        for name, argument in takes(key, node, found).items() if found else ():
            if name in node:
                node[name] = as_annotated(argument, node[name])


def _plain(value: Any) -> Any:
    return [_plain(item) for item in value] if isinstance(value, tuple | list) else value
