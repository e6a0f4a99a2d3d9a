"""The parts of a model that have a quicker way, put in place."""

from typing import Any


def quicken(
    model: Any,
    *,
    attention: str = "auto",
    fast_dropout: bool = False,
    fused_activations: bool = False,
    low_precision_layernorm: bool = False,
) -> None:
    """Have ``model`` compute its parts in quicker ways that say the same; arguments as those of `LanguageModel`."""
    if attention == "auto" and model.config._attn_implementation == "sdpa":
        from quatrain.models.attention import NAME

        if model._can_set_attn_implementation():
            model.set_attn_implementation(NAME)
    if fast_dropout:
        from quatrain.models.dropout import cheapen_dropout

        cheapen_dropout(model)
    if fused_activations:
        from quatrain.models.activations import fuse_activations

        fuse_activations(model)
    if low_precision_layernorm:
        from quatrain.models.layer_norm import lower_layer_norms

        lower_layer_norms(model)
