"""Activations that transformers writes out in some eight operations, as the one that PyTorch has for them."""

from torch import Tensor, nn
from torch.nn import functional


class FusedGELU(nn.Module):
    """The GELU by tanh (Hendrycks and Gimpel 2016), which GPT-2 has: one pass, and one tensor kept for its gradient."""

    def forward(self, input: Tensor) -> Tensor:
        """As transformers' ``gelu_new``."""
        return functional.gelu(input, approximate="tanh")


def fuse_activations(model: nn.Module) -> None:
    """Make every activation of ``model`` that is the GELU by tanh, written out, a `FusedGELU`, in place."""
    from transformers.activations import FastGELUActivation, NewGELUActivation

    for module in model.modules():
        if type(module) in (NewGELUActivation, FastGELUActivation):
            module.__class__ = FusedGELU
