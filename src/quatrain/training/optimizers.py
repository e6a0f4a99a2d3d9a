"""Optimizers with the parameter groups that the field uses: no decay on biases and norms, a learning rate by depth."""

import inspect
from collections.abc import Mapping
from typing import Any

import torch
from torch import nn
from torch.optim import Optimizer

from quatrain.core.errors import UserError

NORMS = (
    nn.LayerNorm,
    nn.RMSNorm,
    nn.GroupNorm,
    nn.LocalResponseNorm,
    nn.modules.batchnorm._NormBase,
)
"""PyTorch's normalisation layers; others are known by a class name that ends in ``Norm``."""

WRAPPERS = ("_fsdp_wrapped_module.", "_orig_mod.", "_checkpoint_wrapped_module.")
"""What sharding, compiling and gradient checkpointing write into parameter names."""

FUSED_DEVICES = frozenset({"cpu", "cuda"})


def parameter_groups(
    model: nn.Module,
    *,
    lr: float,
    weight_decay: float | None,
    depths: Mapping[str, int] | None = None,
    layer_lr_decay: float = 1.0,
) -> list[dict[str, Any]]:
    """Deal the trainable parameters of ``model`` into groups of ``params``, ``lr`` and ``weight_decay``.

    Every trainable parameter is in exactly one group, a tied one under its first name; frozen ones are in none. Biases
    and the weights of normalisation layers get no weight decay, which would only pull activations towards zero.
    ``weight_decay=None`` stands for an optimizer that knows no decay: its groups hold no such entry.

    A parameter at depth d learns with ``lr * layer_lr_decay ** (top - d)`` (Clark et al. 2020, ELECTRA, appendix A):
    the layers near the input hold what pretraining learned and move less.

    Args:
        model: any module.
        lr: the learning rate at the top.
        weight_decay: the decay of all other weights.
        depths: for a parameter's name, or a module's name that begins it, its layer: 0 at the input, rising. The
            longest name counts; a parameter without one (the new head) is at the top, the largest depth.
        layer_lr_decay: the factor from one layer to the one below.

    Raises:
        ValueError: nothing is trainable, or no name of ``depths`` is found in the model.
    """
    undecayed = _undecayed(model)
    named = [(_plain(name), parameter) for name, parameter in model.named_parameters()]
    layers = dict(depths or {})
    if layers and not any(_depth(name, layers) is not None for name, _ in named):
        raise ValueError(f"no parameter of {type(model).__name__} begins with one of {', '.join(sorted(layers)[:5])}")
    top = max(layers.values(), default=0)
    groups: dict[tuple[int, bool], list[nn.Parameter]] = {}
    for name, parameter in named:
        if parameter.requires_grad:
            depth = _depth(name, layers)
            key = (top if depth is None else depth, parameter not in undecayed)
            groups.setdefault(key, []).append(parameter)
    if not groups:
        raise ValueError(f"{type(model).__name__} has no parameter to train: all are frozen")
    if weight_decay is None:
        groups = _without_decay(groups)
    return [
        {"params": parameters, "lr": lr * layer_lr_decay ** (top - depth)}
        | ({} if weight_decay is None else {"weight_decay": weight_decay if decayed else 0.0})
        for (depth, decayed), parameters in sorted(groups.items(), key=lambda item: item[0], reverse=True)
    ]


def make_optimizer(
    model: nn.Module,
    optimizer_class: type[Optimizer],
    *,
    layer_lr_decay: float = 1.0,
    depths: Mapping[str, int] | None = None,
    **arguments: Any,
) -> Optimizer:
    """Build ``optimizer_class(groups, **arguments)`` over the `parameter_groups` of ``model``.

    ``lr`` and ``weight_decay`` not given are the class's own defaults. ``fused`` not given or None becomes True where
    the class has it and the device can do it: one kernel for a whole step instead of several for each tensor.

    Raises:
        UserError: the class refuses its arguments.
    """
    accepted = inspect.signature(optimizer_class).parameters
    defaults: dict[str, Any] = {name: parameter.default for name, parameter in accepted.items()}
    plain: dict[str, Any] = {name: _plain_value(value) for name, value in arguments.items()}
    decay = plain.get("weight_decay", defaults.get("weight_decay"))
    try:
        groups = parameter_groups(
            model,
            lr=plain.get("lr", defaults["lr"]),
            weight_decay=decay,
            depths=depths if layer_lr_decay != 1.0 else None,
            layer_lr_decay=layer_lr_decay,
        )
        if "fused" in accepted and plain.get("fused") is None and _can_fuse(optimizer_class, groups, plain):
            plain["fused"] = True
        # L-BFGS and others take one plain list only, and it is all they need.
        parameters: Any = groups if len(groups) > 1 else groups[0]["params"]
        optimizer = optimizer_class(parameters, **plain)
    except (ValueError, TypeError, RuntimeError) as error:
        raise UserError(f"optimizer: {optimizer_class.__name__} cannot be built: {error}.") from error
    # A fused optimizer claims to undo the loss scale itself, for which Lightning refuses to clip gradients, even in
    # bfloat16 where there is no scale. Without the claim the scaler undoes it before the clipping, which is right.
    if getattr(optimizer, "_step_supports_amp_scaling", False):
        optimizer._step_supports_amp_scaling = False  # type: ignore[attr-defined]
    return optimizer


def _undecayed(model: nn.Module) -> set[nn.Parameter]:
    found = set()
    for module in model.modules():
        norm = isinstance(module, NORMS) or type(module).__name__.endswith("Norm")
        for name, parameter in module.named_parameters(recurse=False):
            if norm or name == "bias" or name.endswith(("_bias", ".bias")):
                found.add(parameter)
    return found


def _plain_value(value: Any) -> Any:
    """YAML has lists where PyTorch's signatures have tuples, as for ``betas``."""
    return tuple(value) if isinstance(value, list) else value


def _plain(name: str) -> str:
    for wrapper in WRAPPERS:
        name = name.replace(wrapper, "")
    return name


def _depth(name: str, depths: Mapping[str, int]) -> int | None:
    """The depth of the longest module name that ``name`` begins with; None without one."""
    parts = name.split(".")
    for end in range(len(parts), 0, -1):
        depth = depths.get(".".join(parts[:end]))
        if depth is not None:
            return depth
    return None


def _without_decay(groups: dict[tuple[int, bool], list[nn.Parameter]]) -> dict[tuple[int, bool], list[nn.Parameter]]:
    merged: dict[tuple[int, bool], list[nn.Parameter]] = {}
    for (depth, _), parameters in groups.items():
        merged.setdefault((depth, False), []).extend(parameters)
    return merged


def _can_fuse(optimizer_class: type[Optimizer], groups: list[dict[str, Any]], arguments: Mapping[str, Any]) -> bool:
    if arguments.get("foreach") or arguments.get("differentiable"):
        return False
    devices = FUSED_DEVICES - ({"cuda"} if issubclass(optimizer_class, torch.optim.Adagrad) else set())
    parameters = (parameter for group in groups for parameter in group["params"])
    return all(parameter.device.type in devices and parameter.is_floating_point() for parameter in parameters)
