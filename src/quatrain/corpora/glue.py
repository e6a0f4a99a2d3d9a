"""The nine tasks of GLUE: their columns, classes, splits and the scores that the benchmark itself reports.

Wang et al., "GLUE: A Multi-Task Benchmark and Analysis Platform for Natural Language Understanding" (2019), table 1.
Column and class names are those of the hub's ``nyu-mll/glue``, and so is the order of the classes.
"""

from dataclasses import dataclass
from difflib import get_close_matches
from typing import Literal

from quatrain.core.errors import UserError

Metric = Literal["accuracy", "f1", "matthews", "pearson", "spearman"]

GLUE_HUB_NAME = "nyu-mll/glue"


@dataclass(frozen=True)
class GlueTask:
    """One task of the benchmark.

    ``columns``: one text column or two, in the order in which they are encoded.
    ``label_names``: classes by number; None is a regression, whose scores lie within ``score_range``.
    ``metrics``: what GLUE reports; F1 is that of class 1. ``monitor`` is the one to choose checkpoints by, the larger
    the better (``monitor_mode``).
    ``validation_splits``, ``test_splits``: as the hub names them; the first validation split is the one to monitor.
    """

    columns: tuple[str, ...]
    label_names: tuple[str, ...] | None
    metrics: tuple[Metric, ...]
    monitor: Metric
    monitor_mode: Literal["max"] = "max"
    validation_splits: tuple[str, ...] = ("validation",)
    test_splits: tuple[str, ...] = ("test",)
    score_range: tuple[float, float] | None = None


GLUE_TASKS: dict[str, GlueTask] = {
    "cola": GlueTask(("sentence",), ("unacceptable", "acceptable"), ("matthews",), "matthews"),
    "sst2": GlueTask(("sentence",), ("negative", "positive"), ("accuracy",), "accuracy"),
    "mrpc": GlueTask(("sentence1", "sentence2"), ("not_equivalent", "equivalent"), ("accuracy", "f1"), "f1"),
    "qqp": GlueTask(("question1", "question2"), ("not_duplicate", "duplicate"), ("accuracy", "f1"), "f1"),
    "stsb": GlueTask(
        ("sentence1", "sentence2"), None, ("pearson", "spearman"), monitor="spearman", score_range=(0.0, 5.0)
    ),
    "mnli": GlueTask(
        ("premise", "hypothesis"),
        ("entailment", "neutral", "contradiction"),
        ("accuracy",),
        monitor="accuracy",
        validation_splits=("validation_matched", "validation_mismatched"),
        test_splits=("test_matched", "test_mismatched"),
    ),
    "qnli": GlueTask(("question", "sentence"), ("entailment", "not_entailment"), ("accuracy",), "accuracy"),
    "rte": GlueTask(("sentence1", "sentence2"), ("entailment", "not_entailment"), ("accuracy",), "accuracy"),
    "wnli": GlueTask(("sentence1", "sentence2"), ("not_entailment", "entailment"), ("accuracy",), "accuracy"),
}


def glue_task(name: str, key: str = "data.glue_task") -> GlueTask:
    """Return the task called ``name``; ``key`` is where the user said so.

    Raises:
        UserError: GLUE has no such task.
    """
    if name in GLUE_TASKS:
        return GLUE_TASKS[name]
    near = get_close_matches(str(name).lower().replace("-", "").replace("_", ""), GLUE_TASKS, n=1)
    hint = f" (did you mean {near[0]}?)" if near else ""
    raise UserError(
        f"{key}={name} is no task of GLUE{hint}; take one of {', '.join(GLUE_TASKS)},"
        f" or {key}=null for columns and labels of your own."
    )
