"""Training only the upper part of a model."""

from torch import nn

from quatrain.core.errors import UserError
from quatrain.models.checks import check_frozen
from quatrain.models.layers import find_blocks, parameter_depths


def freeze(model: nn.Module, frozen_layers: int) -> list[str]:
    """Stop the training of the embeddings and of the lowest ``frozen_layers`` blocks; return the frozen names.

    0 changes nothing. An output table that is tied to the embeddings freezes with them. Frozen layers still drop out
    while the model is in train mode.

    Raises:
        UserError: fewer than 0 or more than the model has, or it has no list of blocks.
    """
    if frozen_layers == 0:
        return []
    wrong = check_frozen(frozen_layers, len(find_blocks(model)[1]))
    if wrong:
        raise UserError(wrong)
    depths = parameter_depths(model)
    frozen = [name for name, _ in model.named_parameters() if depths[name] <= frozen_layers]
    for name in frozen:
        model.get_parameter(name).requires_grad_(False)
    return frozen
