"""What a model costs in parameters, memory and arithmetic, before it is allocated. Loads torch only to measure."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from quatrain.models.config_words import positions
from quatrain.models.flops import model_flops

if TYPE_CHECKING:
    from quatrain.models.recipe import LanguageModel

__all__ = ["Sizes", "flops_per_token", "measure", "positions"]

FLOAT32_BYTES = 4
BYTES = {"bf16-true": 2, "16-true": 2, "64-true": 8, "64": 8}
"""Bytes of a weight in Lightning's precisions; the others, mixed ones too, keep float32."""

ADAM_STATES = 2


@dataclass(frozen=True)
class Sizes:
    """Estimates for one replica; activations are not among them."""

    parameters: int
    trained: int
    weights_bytes: int
    gradient_bytes: int
    optimizer_bytes: int
    flops_per_token: int | None
    """Of one training step, forward and backward; None where the config does not tell width or blocks."""
    attention: str
    """The implementation that the model would compute attention with."""

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
    optimizer_states: float = ADAM_STATES,
    precision: str | int = "32-true",
) -> Sizes:
    """The sizes of what ``recipe`` would build, from shapes alone: no weight is allocated or read.

    ``optimizer_states``: numbers that the optimizer keeps for each trained one (two for Adam). ``precision`` is
    Lightning's word. A config that lies with weights is read; from the hub it is downloaded.

    Raises:
        UserError: as building the model would.
    """
    import torch

    with torch.device("meta"):
        model = without_weights(
            recipe,
            tokenizer_size=tokenizer_size,
            special_ids=special_ids,
            max_length=max_length,
            num_labels=num_labels,
        )
    whole = sum(parameter.numel() for parameter in model.parameters())
    trained = sum(parameter.numel() for parameter in model.parameters() if parameter.requires_grad)
    size = bytes_of_weight(precision)
    return Sizes(
        parameters=whole,
        trained=trained,
        weights_bytes=whole * size,
        gradient_bytes=trained * size,
        optimizer_bytes=round(trained * size * optimizer_states),
        flops_per_token=flops_per_token(model, model.config.to_dict(), max_length),
        attention=str(getattr(model.config, "_attn_implementation", None) or "the model's own"),
    )


def bytes_of_weight(precision: str | int) -> int:
    """Bytes of one weight, and of its gradient, under Lightning's ``precision``."""
    return BYTES.get(str(precision), FLOAT32_BYTES)


def without_weights(
    recipe: "LanguageModel",
    *,
    tokenizer_size: int,
    special_ids: dict[str, int | None],
    max_length: int,
    num_labels: int | None = None,
) -> Any:
    """The model of ``recipe`` as its config has it, on the device (or under the tensor mode) that is current.

    What is frozen or adapted is so; pretrained weights are not read. A head of one label is a regression's.

    Raises:
        UserError: as building the model would.
    """
    from quatrain.models.configuring import label_words

    config = recipe.complete_config(tokenizer_size=tokenizer_size, special_ids=special_ids, max_length=max_length)
    if recipe.task == "sequence_classification":
        for word, value in label_words(num_labels, None, False).items():
            setattr(config, word, value)
    model = recipe.from_config(config)
    recipe.quicken(model)
    recipe.restrict(model, [])
    return model


def flops_per_token(model: Any, config: dict[str, Any], length: int) -> int | None:
    """Floating-point operations of a training step for each token of a text of ``length`` tokens, all of them scored.

    6 N + 12 L H T, see `quatrain.models.flops.ModelFlops`; None where it cannot be told.
    """
    flops = model_flops(model, config)
    return None if flops is None else flops.token + flops.scored + flops.pair * length
