"""Finding a transformer's blocks, whatever its family calls them, and the depth of each parameter.

The depth serves two ends: freezing from below, and a learning rate that decays from the head down (ULMFiT's
discriminative fine-tuning, Howard and Ruder 2018; as ELECTRA, Clark et al. 2020, counts the layers).
"""

from torch import nn

from quatrain.core.errors import UserError


def find_blocks(model: nn.Module) -> tuple[str, nn.ModuleList]:
    """The dotted name and the list of the model's blocks: its longest ModuleList that lies in no other ModuleList.

    Raises:
        UserError: the model has no list of blocks.
    """
    body = body_name(model)
    found: list[tuple[str, nn.ModuleList]] = []
    for name, module in model.named_modules():
        inside = any(name.startswith(f"{outer}.") for outer, _ in found)
        if isinstance(module, nn.ModuleList) and name.startswith(body) and not inside:
            found.append((name, module))
    if not found:
        raise UserError(
            f"{type(model).__name__} has no list of blocks to tell its layers by; "
            "set model.frozen_layers=0 and model.layer_lr_decay=1."
        )
    return max(found, key=lambda entry: len(entry[1]))


def body_name(model: nn.Module) -> str:
    """The dotted prefix (``bert.``) of the pretrained body within the model; empty if the model is all body."""
    prefix = str(getattr(model, "base_model_prefix", ""))
    return f"{prefix}." if prefix and isinstance(getattr(model, prefix, None), nn.Module) else ""


def parameter_depths(model: nn.Module) -> dict[str, int]:
    """The depth of each parameter by its name: 0 embeddings, 1 to N the blocks, N + 1 what follows them and the head.

    A tied parameter stands once, under its first name (an output table that is tied to the embeddings has depth 0).

    Raises:
        UserError: the model has no list of blocks.
    """
    blocks_name, blocks = find_blocks(model)
    body, top = body_name(model), len(blocks) + 1
    tables = {name for name, module in model.named_modules() if isinstance(module, nn.Embedding)}
    depths: dict[str, int] = {}
    reached = False
    for name, _ in model.named_parameters():
        if name.startswith(f"{blocks_name}."):
            reached = True
            depths[name] = int(name[len(blocks_name) + 1 :].partition(".")[0]) + 1
        elif name.startswith(body) and (not reached or name.rpartition(".")[0] in tables):
            depths[name] = 0
        else:
            depths[name] = top
    return depths
