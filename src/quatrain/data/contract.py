"""What a run asks of a data module, told in sentences where one of the user's own lacks it.

Three looks: at the class, before anything is prepared; at the module, when it is set up; and at its first batch, before
a model sees it. docs/own_data.md says it method by method.
"""

import inspect
from collections.abc import Callable, Mapping
from typing import Any

import pytorch_lightning as pl
from torch import Tensor, int64

from quatrain.core.batches import IGNORED
from quatrain.core.errors import UserError
from quatrain.tokenizers.tokenizer import Tokenizer

Fits = Callable[[Any], bool]


def _whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 1


def _texts(value: Any) -> bool:
    return isinstance(value, tuple | list) and all(isinstance(text, str) for text in value)


def _monitor(value: Any) -> bool:
    return _texts(value) and len(value) == 2 and value[1] in ("min", "max")


ALWAYS: Mapping[str, tuple[Fits, str]] = {
    "tokenizer": (
        lambda value: isinstance(value, Tokenizer),
        "the fitted Tokenizer of quatrain.tokenizers.tokenizer, which the recipe's fit(texts) returns",
    ),
    "max_length": (_whole, "the most tokens of an example"),
    "summary": (
        lambda value: isinstance(value, dict) and _whole(value.get("examples/train")),
        "a dict with the number examples/train, and examples/validation and examples/test where there are such splits",
    ),
    "fingerprint": (
        lambda value: isinstance(value, str) and bool(value),
        "a text that changes when the data does, by which a resumed run knows",
    ),
    "monitor": (_monitor, 'the metric of the best checkpoint and which is better, such as ("val/loss", "min")'),
}
"""What every module has once it is set up: whether a value fits, and what it is."""

OF_CLASSIFICATION: Mapping[str, tuple[Fits, str]] = {
    "num_labels": (_whole, "how many classes there are, 1 for a score"),
    "label_names": (lambda value: value is None or _texts(value), "the names of the classes by number, or None"),
    "regression": (lambda value: isinstance(value, bool), "whether labels are scores, True or False"),
    "metrics": (_texts, 'what is measured, such as ("accuracy", "f1")'),
    "validation_names": (_texts, 'a name for each validation loader, such as ("val",)'),
}

TARGET = {"sequence_classification": "labels", "masked_lm": "labels", "causal_lm": "target"}
"""What a batch calls that which is to be said."""

BATCHES = {"sequence_classification": "PairBatch", "masked_lm": "MaskedBatch", "causal_lm": "WindowBatch"}


def require_module(found: type, target: str) -> None:
    """Refuse a class that is no data module, or makes no batches to train on.

    Raises:
        UserError: with a sentence.
    """
    if not issubclass(found, pl.LightningDataModule):
        raise UserError(
            f"data._target_={target} is no LightningDataModule; derive it from quatrain.data.module.LanguageData, or"
            " from pytorch_lightning.LightningDataModule."
        )
    arguments = inspect.signature(found).parameters.values()
    if not any(one.name == "tokenizer" or one.kind is one.VAR_KEYWORD for one in arguments):
        raise UserError(
            f"data._target_={target} takes no argument tokenizer, by which a run hands it its tokenizer; add it."
        )
    if found.train_dataloader is pl.LightningDataModule.train_dataloader:
        raise UserError(
            f"data._target_={target} has no train_dataloader(); return the loader of the training examples."
        )


def require_facts(data: Any, task: str) -> None:
    """Refuse a module that, set up, does not tell what a run of ``task`` must know.

    Raises:
        UserError: with a sentence for each attribute that is missing or cannot be meant.
    """
    asked = {**ALWAYS, **(OF_CLASSIFICATION if task == "sequence_classification" else {})}
    wrong = []
    for name, (fits, what) in asked.items():
        try:
            value = getattr(data, name)
        except (AttributeError, NotImplementedError):
            wrong.append(f"{_named(data)} has no {name} after setup(); it must be {what}.")
            continue
        if not fits(value):
            wrong.append(f"{_named(data)}: {name} is {value!r:.80} after setup(); it must be {what}.")
    if wrong:
        raise UserError(wrong)


def require_batch(data: Any, task: str) -> None:
    """Refuse a module of the user's own whose first batch does not fit ``task``; one of ours is not asked.

    Raises:
        UserError: with a sentence for each thing that is wrong with the batch.
    """
    if type(data).__module__.startswith("quatrain."):
        return
    batch = next(iter(data.train_dataloader()), None)
    if batch is None:
        raise UserError(f"{_named(data)}: train_dataloader() gives no batch; it must give one or more.")
    if wrong := [f"{_named(data)}: {what}." for what in _mistakes(batch, task, data.tokenizer.vocab_size)]:
        raise UserError([*wrong, f"A batch for {task} is a quatrain.core.batches.{BATCHES[task]}."])


def begins_anew(data: Any) -> str | None:
    """A sentence where ``data`` keeps no place in the epoch, so that no resume goes on there; None where it does."""
    keeps = type(data).state_dict is not pl.LightningDataModule.state_dict
    if keeps or hasattr(data.train_dataloader(), "state_dict"):
        return None
    return (
        f"{_named(data)} keeps no place in the epoch: a run that is stopped within one goes on from its first rows, and"
        " leaves out the last; derive it from quatrain.data.module.LanguageData, or return a torchdata"
        " StatefulDataLoader"
    )


def _mistakes(batch: Any, task: str, vocab_size: int) -> list[str]:
    if not isinstance(batch, Mapping):
        return [f"train_dataloader() gives a {type(batch).__name__}, and a batch is a dict of tensors"]
    target, ids = TARGET[task], batch.get("input_ids")
    lacking = [name for name in ("input_ids", target) if not isinstance(batch.get(name), Tensor)]
    if lacking:
        there = ", ".join(map(str, batch)) or "nothing"
        return [f"a batch has no tensor {' and no tensor '.join(lacking)}; it holds {there}"]
    assert isinstance(ids, Tensor)
    if ids.dtype != int64 or ids.dim() != 2:
        return [f"input_ids are {_shape(ids)}, not [batch, seq] of int64"]
    found = []
    if not 0 <= int(ids.min()) <= int(ids.max()) < vocab_size:
        found.append(
            f"input_ids go from {int(ids.min())} to {int(ids.max())}, and the tokenizer has {vocab_size} entries"
        )
    labels = batch[target]
    if task == "sequence_classification":
        if labels.shape != ids.shape[:1]:
            found.append(f"labels are {_shape(labels)}, not one for each of the {len(ids)} rows of input_ids")
    elif labels.shape != ids.shape or labels.dtype != int64:
        found.append(f"{target} is {_shape(labels)}, not {_shape(ids)} as input_ids are")
    elif int(labels.max()) >= vocab_size or bool(((labels < 0) & (labels != IGNORED)).any()):
        found.append(f"{target} holds an id that the tokenizer has not; what is not scored is {IGNORED}")
    return found


def _shape(tensor: Tensor) -> str:
    return f"{list(tensor.shape)} of {str(tensor.dtype).removeprefix('torch.')}"


def _named(data: Any) -> str:
    return f"data._target_={type(data).__module__}.{type(data).__qualname__}"
