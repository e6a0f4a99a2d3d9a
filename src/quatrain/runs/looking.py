"""Looking at the data of a frozen config, and at the first batch that a training would take; nothing is trained."""

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from quatrain.core.errors import UserError

Look = dict[str, Any]

SETTINGS = (
    "documents",
    "example",
    "glue_task",
    "max_length",
    "stride",
    "mask_probability",
    "batch_size",
    "shuffle",
    "bucketing",
    "packing",
)
"""What of a data module is told beside its source, as far as it has it."""


def look(config: Mapping[str, Any]) -> Look:
    """Prepare the data as the run would, and return what they are, the tokenizer and the first batch in plain values.

    No weights are loaded, and nothing is written but the cache. A data module of the user's own is asked for a training
    batch, and for the rest where it has it.

    Raises:
        UserError: as the run itself would refuse the input.
    """
    from quatrain.runs.run_log import run_log

    with tempfile.TemporaryDirectory(prefix="quatrain-look-") as folder:
        try:
            with run_log(Path(folder) / "look.log"):  # what libraries say stays off the terminal
                return _seen(config)
        except UserError:
            raise
        except Exception as error:
            what = " ".join(str(error).split()) or "no message"
            raise UserError(
                f"data._target_={config['data']['_target_']} gave no batch ({type(error).__name__}: {what}); quatrain"
                " train trainer.fast_dev_run=true writes where that was to run.log."
            ) from error


def _seen(config: Mapping[str, Any]) -> Look:
    from quatrain.core.build import build
    from quatrain.runs.first_batch import first_row, named_entries, packing, tensors
    from quatrain.runs.tokenizer_facts import tokenizer_facts
    from quatrain.training.experiment import build_data
    from quatrain.training.hardware import Choice

    recipe = build(config["model"], "model")
    data = build_data(config, {"num_workers": Choice(0, "one batch is made")}, recipe)
    tokenizer = getattr(data, "tokenizer", None)
    loader = data.train_dataloader()
    batch = named_entries(next(iter(loader)))
    row = first_row(batch, tokenizer, labels_are_tokens=recipe.task != "sequence_classification")
    return {
        "experiment": config["name"],
        "task": recipe.task,
        "data": _data(config, data, loader),
        "tokenizer": {"recipe": config["tokenizer"]["_target_"], **tokenizer_facts(tokenizer)},
        "batch": {"tensors": tensors(batch), "packing": packing(batch), "row": _with_label_name(row, data)},
    }


def _data(config: Mapping[str, Any], data: Any, loader: Any) -> dict[str, Any]:
    from quatrain.runs.corpus_facts import corpus_facts, own_names

    summary = getattr(data, "summary", None)
    splits, rest = by_split(summary if isinstance(summary, Mapping) else {})
    facts = corpus_facts(data.corpus() if hasattr(data, "corpus") else None)
    names = own_names(data)
    return {
        "class": config["data"]["_target_"],
        "source": config["data"].get("source"),
        "corpus": facts["name"],
        "settings": {name: getattr(data, name) for name in SETTINGS if hasattr(data, name)},
        "features": _renamed(facts["features"], names),
        "splits": splits,
        "labels": facts["labels"],
        "notes": list(notes()) if callable(notes := getattr(data, "notes", None)) else [],
        "padding_share": _padding_share(loader),
        **rest,
        "raw_rows": [_renamed(row, names) for row in facts["raw_rows"]],
    }


def _renamed(row: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    return {names.get(name, name): value for name, value in row.items()}


def by_split(summary: Mapping[str, Any]) -> tuple[dict[str, dict[str, Any]], dict[str, Any]]:
    """Return the numbers of a summary by split (``rows`` for its examples), and those of no split."""
    splits: dict[str, dict[str, Any]] = {}
    rest: dict[str, Any] = {}
    for name, value in summary.items():
        what, of_split, split = name.partition("/")
        if of_split:
            splits.setdefault(split, {})["rows" if what == "examples" else what] = value
        else:
            rest[name] = value
    return splits, rest


def _padding_share(loader: Any) -> float | None:
    """The share of padding in up to 200 batches of the first epoch; None for a loader of the user's own."""
    from quatrain.data.loaders import TrainingLoader
    from quatrain.training.epoch_batches import look as shapes_of

    return shapes_of(loader).padding_share if isinstance(loader, TrainingLoader) else None


def _with_label_name(row: dict[str, Any] | None, data: Any) -> dict[str, Any] | None:
    """``row`` with the ``label_name`` of its class, where it has one."""
    names, label = getattr(data, "label_names", None), (row or {"values": {}})["values"].get("labels")
    if row is None or not names or not isinstance(label, int) or not 0 <= label < len(names):
        return row
    return {**row, "label_name": names[label]}
