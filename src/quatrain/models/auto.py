"""The class of transformers that a task or a name stands for."""

from difflib import get_close_matches
from typing import Any

from quatrain.core.errors import UserError

CLASSES = {
    "sequence_classification": "AutoModelForSequenceClassification",
    "masked_lm": "AutoModelForMaskedLM",
    "causal_lm": "AutoModelForCausalLM",
}


def model_class(task: str, auto_class: str | None) -> Any:
    """The class to build: the task's Auto class, or the one that ``auto_class`` names.

    Raises:
        UserError: ``auto_class`` is no model class of transformers.
    """
    import transformers

    name = auto_class or CLASSES[task]
    found = getattr(transformers, name, None) if name.isidentifier() else None
    if _is_model_class(found):
        return found
    near = get_close_matches(name, [entry for entry in dir(transformers) if "For" in entry or "Model" in entry], n=1)
    hint = f"did you mean {near[0]}?" if near else "write AutoModelFor..., or a model class such as GPT2LMHeadModel."
    raise UserError(f"model.auto_class={name} is not a model class of transformers; {hint}")


def architecture(task: str, auto_class: str | None, config: Any) -> Any:
    """The class that `model_class` builds for ``config``.

    Raises:
        UserError: the Auto class has no model for such a config.
    """
    found = model_class(task, auto_class)
    if not is_auto(found):
        return found
    try:
        return found._model_mapping[type(config)]
    except KeyError:
        raise UserError(
            f"{found.__name__} has no model of the type {config.model_type}; take weights or a model.config.model_type"
            " that fits the task, or another model.auto_class."
        ) from None


def is_auto(found: Any) -> bool:
    """Whether the class chooses the architecture by the config."""
    return not hasattr(found, "base_model_prefix")


def _is_model_class(found: Any) -> bool:
    import transformers

    if not isinstance(found, type) or not found.__module__.startswith("transformers."):
        return False
    automatic = found.__name__.startswith("AutoModel") and hasattr(found, "from_config")
    return automatic or (issubclass(found, transformers.PreTrainedModel) and hasattr(found, "config_class"))
