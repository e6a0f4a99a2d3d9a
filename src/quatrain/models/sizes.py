"""What a model costs in parameters, memory and arithmetic, before it is allocated. Loads torch only to measure."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from quatrain.models.config_words import number, positions

if TYPE_CHECKING:
    from quatrain.models.recipe import LanguageModel

__all__ = ["Sizes", "flops_per_token", "measure", "positions"]

FLOAT32_BYTES = 4
ADAM_STATES = 2


@dataclass(frozen=True)
class Sizes:
    """Estimates for one replica in float32, which mixed precision keeps too; activations are not among them."""

    parameters: int
    trained: int
    weights_bytes: int
    gradient_bytes: int
    optimizer_bytes: int
    flops_per_token: int | None
    """Of one training step, forward and backward; None where the config does not tell width or blocks."""

    @property
    def bytes(self) -> int:
        """Weights, gradients and optimizer together."""
        return self.weights_bytes + self.gradient_bytes + self.optimizer_bytes


def measure(
    recipe: "LanguageModel",
    *,
    tokenizer_size: int,
    special_ids: dict[str, int | None],
    max_length: int,
    num_labels: int | None = None,
    optimizer_states: int = ADAM_STATES,
) -> Sizes:
    """The sizes of what ``recipe`` would build, from shapes alone: no weight is allocated or read.

    ``optimizer_states``: numbers that the optimizer keeps for each trained one (two for Adam). A config that lies with
    weights is read; from the hub it is downloaded.

    Raises:
        UserError: as building the model would.
    """
    import torch

    from quatrain.models.configuring import label_words

    config = recipe.complete_config(tokenizer_size=tokenizer_size, special_ids=special_ids, max_length=max_length)
    if recipe.task == "sequence_classification":
        for word, value in label_words(num_labels, None, False).items():
            setattr(config, word, value)
    with torch.device("meta"):
        model = recipe.from_config(config)
        recipe.restrict(model, [])
    whole = sum(parameter.numel() for parameter in model.parameters())
    trained = sum(parameter.numel() for parameter in model.parameters() if parameter.requires_grad)
    return Sizes(
        parameters=whole,
        trained=trained,
        weights_bytes=whole * FLOAT32_BYTES,
        gradient_bytes=trained * FLOAT32_BYTES,
        optimizer_bytes=trained * FLOAT32_BYTES * optimizer_states,
        flops_per_token=flops_per_token(model, config.to_dict(), max_length),
    )


def flops_per_token(model: Any, config: dict[str, Any], length: int) -> int | None:
    """Floating-point operations of a training step for each token of a text of ``length`` tokens: 6 N + 12 L H T.

    N counts the parameters that tokens are multiplied with: all but the tables that are only looked up (an output table
    that is tied to the embeddings is multiplied with, and counts). L blocks of width H attend over T tokens. From
    Kaplan et al. 2020 and PaLM's appendix B (Chowdhery et al. 2022). Frozen weights count as trained ones.
    """
    from torch import nn

    blocks, hidden = number(config, "blocks"), number(config, "hidden_size")
    if blocks is None or hidden is None:
        return None
    output = model.get_output_embeddings()
    multiplied = id(output.weight) if output is not None else None
    tables = {
        id(module.weight): module.weight.numel()
        for module in model.modules()
        if isinstance(module, nn.Embedding) and id(module.weight) != multiplied
    }
    whole = sum(parameter.numel() for parameter in model.parameters())
    return 6 * (whole - sum(tables.values())) + 12 * blocks * hidden * length
