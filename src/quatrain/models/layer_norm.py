"""Layer normalisation that hands on what autocast computes in."""

import torch
from torch import Tensor, nn
from torch.nn import functional


class LowPrecisionLayerNorm(nn.LayerNorm):
    """``nn.LayerNorm`` whose input and output are in autocast's type where that is on, on a CPU.

    Mean, variance and the weights stay float32 within. PyTorch leaves a float32 input float32 there, so that residuals
    are added, dropped and copied at twice the bytes. As the algorithm of that name in Composer (MosaicML 2022).
    """

    def forward(self, input: Tensor) -> Tensor:
        """As ``nn.LayerNorm``."""
        if input.device.type == "cpu" and torch.is_autocast_enabled("cpu"):
            input = input.to(torch.get_autocast_dtype("cpu"))
        return functional.layer_norm(input, self.normalized_shape, self.weight, self.bias, self.eps)


def lower_layer_norms(model: nn.Module) -> None:
    """Make every ``nn.LayerNorm`` of ``model`` a `LowPrecisionLayerNorm`, in place."""
    for module in model.modules():
        if type(module) is nn.LayerNorm:
            module.__class__ = LowPrecisionLayerNorm
