"""The arithmetic that a training step needs, by what it is for; what an implementation does besides is not counted."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from quatrain.models.config_words import number

TRAINED, PASSED, FROZEN = 6, 4, 2
"""Operations of a step for each weight and token: forward 2, the gradient that passes through 2, the weight's own 2."""

PER_EXAMPLE = "pooler"
"""A part of some bodies that looks at one place of each example, as heads of classifiers do."""


@dataclass(frozen=True)
class ModelFlops:
    """Floating-point operations of a training step: 6 N + 12 L H T for a token, as PaLM counts for its share of peak.

    From Kaplan et al. 2020 and appendix B of PaLM (Chowdhery et al. 2022). N are the weights that tokens are multiplied
    with, L blocks of width H attend over T tokens. Only what the loss asks for counts: the head where a target is
    scored, and of a masked language model that is at the hidden tokens alone; padding, discarded logits and what
    gradient checkpointing computes again do not. So no share of peak is flattered by work that is skipped, and a plain
    path and a fast one are measured alike.
    """

    token: int
    """For each real token: 6 by the weights of the body, less for frozen ones."""
    scored: int
    """For each target: 6 by the weights of the head; an output table that is tied to the embeddings is of it."""
    pair: int
    """For each token and each that it attends to: 12 L H."""

    def of(self, *, tokens: float, scored: float, attended: float) -> float:
        """Operations for so many tokens, targets, and pairs of tokens that see one another."""
        return self.token * tokens + self.scored * scored + self.pair * attended


def model_flops(model: Any, config: dict[str, Any]) -> ModelFlops | None:
    """Count for ``model``, whose config as a plain dict is ``config``.

    None where the config does not tell width or blocks, or tokens pass through some of the weights only (experts). What
    is frozen below all that is trained is used forward only; what is frozen above passes gradients on.
    """
    blocks, hidden = number(config, "blocks"), number(config, "hidden_size")
    if blocks is None or hidden is None or any("expert" in str(word) and config[word] for word in config):
        return None
    token = scored = 0
    begun = False
    for weight, of_head in _multiplied(model):
        begun = begun or weight.requires_grad
        frozen = PASSED if begun or of_head else FROZEN
        count = weight.numel() * (TRAINED if weight.requires_grad else frozen)
        token, scored = (token, scored + count) if of_head else (token + count, scored)
    return ModelFlops(token, scored, 12 * blocks * hidden)


def _multiplied(model: Any) -> Iterator[tuple[Any, bool]]:
    """Each weight that is multiplied with, from the lowest up, and whether it is the head's.

    Tables that are only looked up are left out.
    """
    from torch import nn

    output = model.get_output_embeddings()
    tied = None if output is None else id(output.weight)
    tables = {id(module.weight) for module in model.modules() if isinstance(module, nn.Embedding)}
    body = getattr(model, "base_model_prefix", "")
    headed = bool(body) and hasattr(model, body)
    for name, weight in model.named_parameters():
        words = name.split(".")
        if id(weight) == tied:
            yield weight, True
        elif id(weight) not in tables:
            yield weight, (headed and body not in words) or PER_EXAMPLE in words
