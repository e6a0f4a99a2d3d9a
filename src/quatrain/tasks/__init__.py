"""The LightningModules: loss and metrics of sequence classification, masked LM and causal LM.

Their classes are imported when asked for, so that `metric_names` can be read without torch.
"""

from importlib import import_module
from typing import Any

_CLASSES = {
    "sequence_classification": "SequenceClassification",
    "masked_lm": "MaskedLanguageModel",
    "causal_lm": "CausalLanguageModel",
}

__all__ = ["TASKS", "CausalLanguageModel", "MaskedLanguageModel", "SequenceClassification"]


def __getattr__(name: str) -> Any:
    if name == "TASKS":
        return {task: _load(task) for task in _CLASSES}
    for task, class_name in _CLASSES.items():
        if name == class_name:
            return _load(task)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def _load(task: str) -> type:
    found: type = getattr(import_module(f"{__name__}.{task}"), _CLASSES[task])
    return found
