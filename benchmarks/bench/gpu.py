"""Model FLOP/s as a share of what a GPU is said to give."""

from collections.abc import Mapping
from typing import Literal

PEAKS = {"H200": 989e12, "H100": 989e12, "A100": 312e12}
"""Dense bfloat16 FLOP/s by NVIDIA's data sheets, of the SXM boards."""

VOCABULARY = {"gpt2": 50257, "bert": 30522}
ASKED_SHARE = {"clm": 1.0, "mlm": 0.15}
"""Of the tokens, those whose next or hidden one the model is asked for."""


def peak_flops(gpu: str | None) -> float | None:
    """The data sheet's peak of a GPU, by its name; None for one that is not listed."""
    return next((peak for name, peak in PEAKS.items() if gpu and name in gpu), None)


def flops_of_token(config: Mapping[str, str | int | float], kind: Literal["mlm", "clm"], length: int) -> float:
    """FLOPs that training on one token needs, forward and back, by Chowdhery et al. 2022, appendix B.

    Six for each weight of the matrix products and 12 * layers * hidden * length for attention. The head counts for the
    tokens that are asked for alone, whatever a contender computes besides.
    """
    layers = int(config.get("n_layer") or config["num_hidden_layers"])
    hidden = int(config.get("n_embd") or config["hidden_size"])
    head = hidden * VOCABULARY[str(config["model_type"])] * ASKED_SHARE[kind]
    return 6 * (12 * layers * hidden * hidden + head) + 12 * layers * hidden * length
