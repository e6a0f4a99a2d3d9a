"""The table of GLUE: nine tasks, the published scores of each, and a sentence for a task that is none."""

import pytest

from quatrain.core.errors import UserError
from quatrain.corpora.glue import GLUE_TASKS, glue_task


def test_the_nine_tasks() -> None:
    assert set(GLUE_TASKS) == {"cola", "sst2", "mrpc", "qqp", "stsb", "mnli", "qnli", "rte", "wnli"}


def test_scores_are_those_of_the_benchmark() -> None:
    scores = {name: set(task.metrics) for name, task in GLUE_TASKS.items()}
    assert scores.pop("mrpc") == scores.pop("qqp") == {"accuracy", "f1"}
    assert scores.pop("cola") == {"matthews"}
    assert scores.pop("stsb") == {"pearson", "spearman"}
    assert all(kinds == {"accuracy"} for kinds in scores.values())


@pytest.mark.parametrize("name", GLUE_TASKS)
def test_each_task_is_whole(name: str) -> None:
    task = glue_task(name)
    assert task.monitor in task.metrics
    assert len(task.columns) == (1 if name in ("cola", "sst2") else 2)
    assert (task.label_names is None) == (task.score_range is not None) == (name == "stsb")
    assert len(task.label_names or ()) == {"mnli": 3, "stsb": 0}.get(name, 2)
    halves = ("_matched", "_mismatched") if name == "mnli" else ("",)
    assert task.validation_splits == tuple(f"validation{half}" for half in halves)
    assert task.test_splits == tuple(f"test{half}" for half in halves)


def test_a_wrong_name_gets_the_nearest() -> None:
    with pytest.raises(UserError, match=r"data\.glue_task=SST-2 is no task of GLUE \(did you mean sst2\?\)"):
        glue_task("SST-2")
