"""The names of the metrics that each task logs, for checks before any work. Loads no torch."""

from collections.abc import Sequence
from typing import Literal

from quatrain.corpora.glue import GLUE_TASKS

METRICS = ("accuracy", "f1", "matthews", "pearson", "spearman")
DEFAULT_METRICS = ("accuracy", "f1")
REGRESSION_METRICS = ("pearson", "spearman")


def metric_names(
    task: str,
    *,
    metrics: Sequence[str] | None = None,
    validation_names: Sequence[str] | None = None,
    glue_task: str | None = None,
    characters: bool = True,
    stage: Literal["val", "test"] = "val",
) -> tuple[str, ...]:
    """What ``task`` logs in training and in ``stage``, in the order of a table.

    ``metrics`` and ``validation_names`` are those of a classification; None: those of ``glue_task``, or, as only the
    data can tell classes from scores, all that a data set may bring. ``characters``: whether the number of characters
    of the held-out text is known, from which a causal LM reports bits per character.
    """
    if task == "sequence_classification":
        if metrics is None and glue_task not in GLUE_TASKS:
            metrics = (*DEFAULT_METRICS, *REGRESSION_METRICS)
        metrics, validation_names = _of_glue(glue_task, metrics, validation_names)
        names = [stage_name(name, stage) for name in validation_names]
        kept = [f"{name}/{metric}" for name in names for metric in ("loss", *metrics)]
    elif task == "masked_lm":
        kept = [f"{stage}/{metric}" for metric in ("loss", "perplexity", "accuracy")]
    else:
        per_character = ("bits_per_character",) if characters else ()
        kept = [f"{stage}/{metric}" for metric in ("loss", "perplexity", *per_character)]
    return ("train/loss", *kept)


def glue_validation_names(glue_task: str | None) -> tuple[str, ...]:
    """What metrics call the validation sets of a GLUE task: ``val``, and ``val_mismatched`` for MNLI's second."""
    known = GLUE_TASKS.get(glue_task or "")
    splits = known.validation_splits[1:] if known is not None else ()
    return ("val", *("val" + split.removeprefix("validation") for split in splits))


def stage_name(validation_name: str, stage: str) -> str:
    """``val`` and ``val_mismatched`` as they are called in ``stage``: ``test`` and ``test_mismatched``."""
    return stage + validation_name.removeprefix("val")


def _of_glue(
    glue_task: str | None, metrics: Sequence[str] | None, validation_names: Sequence[str] | None
) -> tuple[Sequence[str], Sequence[str]]:
    known = GLUE_TASKS.get(glue_task or "")
    measured: Sequence[str] = DEFAULT_METRICS if known is None else known.metrics
    return (
        measured if metrics is None else metrics,
        glue_validation_names(glue_task) if validation_names is None else validation_names,
    )


def check_metrics(metrics: Sequence[str], *, regression: bool, key: str = "data.metrics") -> list[str]:
    """Sentences on metrics that are unknown, or of the other kind of labels."""
    allowed = REGRESSION_METRICS if regression else tuple(name for name in METRICS if name not in REGRESSION_METRICS)
    kind = "scores" if regression else "classes"
    return [
        f"{key} has {name!r}, which is no metric for labels that are {kind}; choose among {', '.join(allowed)}."
        for name in metrics
        if name not in allowed
    ]
