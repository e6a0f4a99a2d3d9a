"""What a run asks of a model, told in sentences where a recipe of the user's own makes another.

docs/own_model.md says it part by part.
"""

from typing import Any

from quatrain.core.errors import UserError

RECIPE = ("task", "build", "layer_lr_decay", "label_smoothing", "lora")


def require_recipe(recipe: Any) -> None:
    """Refuse what ``model._target_`` has built where it is no recipe of a model.

    Raises:
        UserError: with a sentence.
    """
    from quatrain.models.checks import TASKS

    lacking = [name for name in RECIPE if not hasattr(recipe, name)]
    if lacking:
        raise UserError(
            f"{_named(recipe)} is no recipe of a model, as it has no {', '.join(lacking)}; derive it from"
            " quatrain.models.recipe.LanguageModel, as docs/own_model.md shows."
        )
    if recipe.task not in TASKS:
        raise UserError(f"{_named(recipe)}: task is {recipe.task!r}; it must be one of {', '.join(TASKS)}.")


def require_model(model: Any, recipe: Any, *, vocab_size: int) -> None:
    """Refuse a model that cannot be trained, saved and asked; one of transformers' own classes is not tried.

    Raises:
        UserError: with a sentence.
    """
    from transformers import PreTrainedModel

    if not isinstance(model, PreTrainedModel):
        raise UserError(
            f"{_named(recipe)}: build() returns a {type(model).__name__}, which is no PreTrainedModel of transformers,"
            " so it could not be exported; wrap it in one, as docs/own_model.md shows."
        )
    if type(model).__module__.startswith("transformers."):
        return
    if wrong := _tried(model, recipe, vocab_size):
        raise UserError(f"{_named(recipe)}: {type(model).__name__} {wrong}.")


def own_module(model: Any) -> str | None:
    """The module that must be imported before transformers can load ``model`` again; None for its own architectures."""
    module = type(model.config).__module__
    return None if module.startswith("transformers.") else module


def _tried(model: Any, recipe: Any, vocab_size: int) -> str | None:
    """What goes wrong when ``model`` is asked about four ids, as training and the end of a run will ask it."""
    import torch

    ids = torch.arange(4).clamp(max=vocab_size - 1)[None]
    training = model.training
    model.eval()
    what = "forward(input_ids=...)"
    try:
        with torch.no_grad():
            logits = getattr(model(input_ids=ids), "logits", None)
            if recipe.task == "causal_lm":
                what = "generate()"
                model.generate(ids, attention_mask=torch.ones_like(ids), max_new_tokens=1, do_sample=False)
    except Exception as error:  # whatever code of the user's raises
        told = " ".join(str(error).split())[:200].rstrip(".")
        return f"fails on four ids in {what} ({type(error).__name__}: {told})"
    finally:
        model.train(training)
    if not isinstance(logits, torch.Tensor):
        return "gives no logits; return an output of transformers.modeling_outputs, such as CausalLMOutput(logits=...)"
    rows = logits.shape[1:-1] if recipe.task == "sequence_classification" else logits.shape[1:2]
    wanted = () if recipe.task == "sequence_classification" else (4,)
    if logits.dim() != 2 + len(wanted) or tuple(rows) != wanted:
        shape = "[batch, classes]" if not wanted else "[batch, seq, vocab]"
        return f"gives logits of {list(logits.shape)} for ids of [1, 4]; they must be {shape}"
    if wanted and logits.shape[-1] < vocab_size:
        return f"gives logits over {logits.shape[-1]} ids, and the tokenizer has {vocab_size}"
    return None


def _named(recipe: Any) -> str:
    return f"model._target_={type(recipe).__module__}.{type(recipe).__qualname__}"
