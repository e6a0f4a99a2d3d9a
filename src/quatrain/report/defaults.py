"""Which values of a config are not what its classes take by themselves, and which the command line named."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from quatrain.core.signatures import NO_DEFAULT, Signature, model_config_signature, signature

MODEL_CONFIG = "model.config"


def other_than_default(config: Mapping[str, Any]) -> dict[str, Any]:
    """The keys whose value is not the class's own default, each with that default.

    Only arguments with a literal default in the class's source count; nothing is imported for it. What is null in
    ``model.config`` is taken from tokenizer and data, and so no choice of anybody.
    """
    return dict(_differing(config, ""))


def named_keys(overrides: Sequence[str]) -> set[str]:
    """The keys and groups that ``overrides`` set: ``optimizer.lr`` of ``optimizer.lr=1e-3``."""
    return {text.lstrip("+~").partition("=")[0].partition("@")[0].replace("/", ".") for text in overrides}


def _differing(node: Any, key: str) -> Iterator[tuple[str, Any]]:
    if isinstance(node, list):
        for place, value in enumerate(node):
            yield from _differing(value, f"{key}[{place}]")
    if not isinstance(node, dict):
        return
    known = _signature(node, key)
    for name, value in node.items():
        inner = f"{key}.{name}" if key else str(name)
        argument = known.arguments.get(str(name)) if known else None
        derived = key == MODEL_CONFIG and value is None
        if (
            argument
            and argument.default is not NO_DEFAULT
            and not derived
            and _plain(value) != _plain(argument.default)
        ):
            yield inner, argument.default
        yield from _differing(value, inner)


def _signature(node: Mapping[str, Any], key: str) -> Signature | None:
    if isinstance(node.get("_target_"), str):
        return signature(node["_target_"])
    if key == MODEL_CONFIG and isinstance(node.get("model_type"), str):
        return model_config_signature(node["model_type"])
    return None


def _plain(value: Any) -> Any:
    """Tuples as the lists that YAML has; True apart from 1, and 1 equal to 1.0."""
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return (bool, value) if isinstance(value, bool) else value
