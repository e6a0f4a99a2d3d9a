"""Building what a config names, and nothing else.

A node is a mapping with ``_target_: package.module.Class`` (Hydra's convention) and that class's keyword arguments.
What may be named is judged by the class that was really found, never by the string alone: a prefix test on the string
would let ``quatrain.worker.os.system`` through.
"""

import importlib
import inspect
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from quatrain.core.errors import UserError

ALLOWED = (
    "quatrain.",
    "torch.optim.",
    "pytorch_lightning.trainer.",
    "pytorch_lightning.callbacks.",
    "pytorch_lightning.loggers.",
    "pytorch_lightning.profilers.",
    "pytorch_lightning.strategies.",
)
"""Prefixes of classes that a config may name by ``_target_``."""

SHORT = ("pytorch_lightning.Trainer",)
"""Public names that lead to an allowed class but lie outside of its package."""

ALLOW_VARIABLE = "QUATRAIN_ALLOW"


def allowed_prefixes() -> tuple[str, ...]:
    """The built-in list and what the launch added through ``--allow`` or ``QUATRAIN_ALLOW`` (comma-separated).

    A prefix of the user's is taken as a package or module: ``mine`` means ``mine.`` and all below.
    """
    own = (entry.strip().rstrip(".") for entry in os.environ.get(ALLOW_VARIABLE, "").split(","))
    return (*ALLOWED, *(f"{entry}." for entry in own if entry))


def launch_path(folder: Path) -> list[str]:
    """The places of a launch folder on the import path where the user allowed classes of their own: ``src`` and itself.

    ``src`` counts where an allowed package lies in it, as in a project that is not installed.
    """
    own = [prefix.split(".")[0] for prefix in allowed_prefixes() if prefix not in ALLOWED]
    source = folder / "src"
    inside = [str(source)] if any((source / name).is_dir() or (source / f"{name}.py").is_file() for name in own) else []
    return [*inside, str(folder)]


def may_be_named(target: str) -> bool:
    """Whether ``target`` may be looked up at all. The class that is found is judged again by `locate`."""
    return target in SHORT or target.startswith(allowed_prefixes())


def locate(target: str, key: str = "_target_") -> type:
    """Return the class that ``target`` names; ``key`` is where the config says so, for the sentence.

    Only the named module is imported, and one attribute taken from it.

    Raises:
        UserError: the name is not allowed, cannot be imported, or is not a class from an allowed package.
    """
    if not isinstance(target, str) or "." not in target:
        raise UserError(f"{key}={target!r} names no class; write package.module.Class.")
    if not may_be_named(target):
        raise UserError(refusal(key, target))
    module_name, _, name = target.rpartition(".")
    try:
        found = getattr(importlib.import_module(module_name), name)
    except (ImportError, AttributeError) as error:
        raise UserError(
            f"{key}={target} cannot be found ({error}); check the spelling and what is installed."
        ) from error
    if not inspect.isclass(found):
        raise UserError(f"{key}={target} is a {type(found).__name__}, not a class; name a class.")
    real = f"{found.__module__}.{found.__qualname__}"
    if not real.startswith(allowed_prefixes()):
        raise UserError(refusal(key, target, real))
    return found


def build(node: Mapping[str, Any], key: str = "", **extra: Any) -> Any:
    """Build the object that ``node`` describes, its nested nodes first; ``extra`` are further keyword arguments.

    ``key`` is the node's place in the config. Lists and mappings without ``_target_`` are handed on as they are, with
    the nodes inside them built.

    Raises:
        UserError: as `locate`, or what the class itself raises for its arguments.
    """
    prefix = f"{key}." if key else ""
    found = locate(node.get("_target_", ""), f"{prefix}_target_")
    arguments = {name: _build_value(value, prefix + name) for name, value in node.items() if name != "_target_"}
    return found(**{**arguments, **extra})


def _build_value(value: Any, key: str) -> Any:
    if isinstance(value, Mapping):
        if "_target_" in value:
            return build(value, key)
        return {name: _build_value(item, f"{key}.{name}") for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_build_value(item, f"{key}[{place}]") for place, item in enumerate(value)]
    return value


def refusal(key: str, target: str, real: str | None = None) -> str:
    """Say that ``key`` may not name ``target``, which is really the class ``real``."""
    what = target if real in (None, target) else f"{target} (really {real})"
    package = (real or target).split(".")[0]
    return (
        f"{key}={what} may not be named; allowed are classes under {', '.join(allowed_prefixes())}"
        f" — for a class of your own add --allow {package} to the command or set {ALLOW_VARIABLE}."
    )
