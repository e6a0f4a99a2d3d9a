"""Every reported number on a small held-out set, by hand or against scikit-learn and scipy."""

import math
from typing import Any

import numpy as np
import pytest
import torch
from torch import tensor

from quatrain.core.batches import IGNORED
from quatrain.core.errors import UserError
from quatrain.tasks import TASKS, CausalLanguageModel, MaskedLanguageModel, SequenceClassification
from quatrain.tasks.metric_names import check_metrics, metric_names

pytestmark = [
    pytest.mark.filterwarnings("ignore:.*LeafSpec.*:FutureWarning"),  # Lightning's own
    pytest.mark.filterwarnings("ignore:.*does not have many workers.*"),
]

LOGS = torch.log(tensor([[0.5, 0.25, 0.25], [0.125, 0.75, 0.125], [0.1, 0.1, 0.8]]))
"""Row i: log-probabilities of the next token after token i."""


def _validate(trainer: Any, loader: Any, task: Any, *sets: Any) -> dict[str, float]:
    found = trainer().validate(task, [loader(batches) for batches in sets], verbose=False)
    return {name: value for one in found for name, value in one.items()}


def _windows(ids: Any, target: Any) -> dict[str, Any]:
    return {"input_ids": tensor(ids), "target": tensor(target), "example_ids": torch.arange(len(ids))}


def test_causal_lm_by_hand(trainer: Any, loader: Any, table: Any) -> None:
    """Tokens of probability 1/2, 1/4, 1/8 in two unequal batches: 6 bits over 3 tokens and 12 characters."""
    batches = [_windows([[0, 0]], [[0, 1]]), _windows([[1, 2]], [[2, IGNORED]])]
    task = CausalLanguageModel(table(LOGS), characters={"val": 12})
    found = _validate(trainer, loader, task, batches)
    assert found["val/loss"] == pytest.approx(2 * math.log(2))
    assert found["val/perplexity"] == pytest.approx(4)
    assert found["val/bits_per_character"] == pytest.approx(0.5)
    assert set(found) == set(metric_names("causal_lm")) - {"train/loss"}


def test_bits_per_character_need_the_whole_set(trainer: Any, loader: Any, table: Any) -> None:
    task = CausalLanguageModel(table(LOGS), characters={"val": 12})
    batches = [_windows([[0]], [[0]]), _windows([[1]], [[2]])]
    found = _validate(lambda **words: trainer(limit_val_batches=1, **words), loader, task, batches)
    assert "val/loss" in found
    assert "val/bits_per_character" not in found


def test_masked_lm_by_hand(trainer: Any, loader: Any, table: Any) -> None:
    """Guesses 0, 1, 2 against 0, 1, 0 and one place that is not asked: two of three right."""
    ids, labels = [[0, 1, 1], [2, 0, 0]], [[0, 1, IGNORED], [0, IGNORED, IGNORED]]
    batches = [
        {
            "input_ids": tensor([i]),
            "attention_mask": torch.ones(1, 3),
            "labels": tensor([k]),
            "example_ids": tensor([0]),
        }
        for i, k in zip(ids, labels, strict=True)
    ]
    found = _validate(trainer, loader, MaskedLanguageModel(table(LOGS)), batches)
    loss = -(math.log(0.5) + math.log(0.75) + math.log(0.1)) / 3
    assert found["val/loss"] == pytest.approx(loss)
    assert found["val/perplexity"] == pytest.approx(math.exp(loss))
    assert found["val/accuracy"] == pytest.approx(2 / 3)
    assert set(found) == set(metric_names("masked_lm")) - {"train/loss"}


def _examples(ids: Any, labels: Any) -> dict[str, Any]:
    """Each text is one token, which picks a row of the table."""
    ids = tensor(ids).reshape(-1, 1)
    return {
        "input_ids": ids,
        "attention_mask": torch.ones_like(ids),
        "labels": tensor(labels),
        "example_ids": ids[:, 0],
    }


def test_classification_by_hand(trainer: Any, loader: Any, table: Any) -> None:
    """Predictions 1 1 0 0 1 against 1 0 0 1 1: 3 of 5 right, F1 = 2·2 / (3 + 3); the sixth has no label."""
    logits = torch.log(tensor([[0.75, 0.25], [0.25, 0.75]]))
    batches = [_examples([1, 1, 0, 0], [1, 0, 0, 1]), _examples([1, 0], [1, IGNORED])]
    found = _validate(trainer, loader, SequenceClassification(table(logits, whole_text=True)), batches)
    assert found["val/loss"] == pytest.approx(-(3 * math.log(0.75) + 2 * math.log(0.25)) / 5)
    assert found["val/accuracy"] == pytest.approx(0.6)
    assert found["val/f1"] == pytest.approx(2 / 3)
    assert set(found) == set(metric_names("sequence_classification", metrics=("accuracy", "f1"))) - {"train/loss"}


@pytest.mark.parametrize("classes", [2, 3])
def test_scores_agree_with_scikit_learn(trainer: Any, loader: Any, table: Any, classes: int) -> None:
    from sklearn import metrics as reference

    random = np.random.default_rng(classes)
    logits = torch.from_numpy(random.normal(size=(20, classes)).astype(np.float32))
    ids, labels = random.integers(0, 20, 57), random.integers(0, classes, 57)
    names = ("accuracy", "f1", "matthews")
    task = SequenceClassification(table(logits, whole_text=True), num_labels=classes, metrics=names)
    batches = [_examples(ids[at : at + 10], labels[at : at + 10]) for at in range(0, 57, 10)]
    found = _validate(trainer, loader, task, batches)
    predicted = logits.numpy()[ids].argmax(1)
    average = "binary" if classes == 2 else "macro"
    assert found["val/accuracy"] == pytest.approx(reference.accuracy_score(labels, predicted), abs=1e-6)
    assert found["val/f1"] == pytest.approx(reference.f1_score(labels, predicted, average=average), abs=1e-6)
    assert found["val/matthews"] == pytest.approx(reference.matthews_corrcoef(labels, predicted), abs=1e-6)


def test_regression_agrees_with_scipy(trainer: Any, loader: Any, table: Any) -> None:
    """Ties in the ranks and a label that is missing (NaN) included."""
    from scipy import stats

    random = np.random.default_rng(5)
    logits = torch.from_numpy(random.normal(size=(20, 1)).astype(np.float32))
    ids, labels = random.integers(0, 20, 33), random.integers(0, 6, 33).astype(np.float32)
    task = SequenceClassification(
        table(logits, whole_text=True), num_labels=1, regression=True, metrics=("pearson", "spearman")
    )
    batches = [_examples(ids[:20], labels[:20]), _examples([*ids[20:], 3], [*labels[20:], math.nan])]
    found = _validate(trainer, loader, task, batches)
    predicted = logits.numpy()[ids, 0]
    assert found["val/pearson"] == pytest.approx(stats.pearsonr(predicted, labels)[0], abs=1e-6)
    assert found["val/spearman"] == pytest.approx(stats.spearmanr(predicted, labels)[0], abs=1e-6)
    assert found["val/loss"] == pytest.approx(((predicted - labels) ** 2).mean(), rel=1e-5)


def test_a_constant_prediction_has_no_correlation(trainer: Any, loader: Any, table: Any) -> None:
    task = SequenceClassification(
        table(torch.zeros(2, 1), whole_text=True), num_labels=1, regression=True, metrics=("pearson", "spearman")
    )
    found = _validate(trainer, loader, task, [_examples([0, 1, 0], [1.0, 2.0, 3.0])])
    assert found["val/pearson"] == found["val/spearman"] == 0


def test_two_validation_sets_are_told_apart(trainer: Any, loader: Any, table: Any) -> None:
    logits = torch.log(tensor([[0.75, 0.25], [0.25, 0.75]]))
    names = ("val", "val_mismatched")
    task = SequenceClassification(table(logits, whole_text=True), metrics=("accuracy",), validation_names=names)
    found = _validate(trainer, loader, task, [_examples([0, 1], [0, 1])], [_examples([0, 1], [0, 0])])
    assert found["val/accuracy"] == 1
    assert found["val_mismatched/accuracy"] == 0.5
    expected = metric_names("sequence_classification", metrics=("accuracy",), validation_names=names)
    assert set(found) == set(expected) - {"train/loss"}


def test_an_unlabelled_test_logs_nothing_and_is_predicted(trainer: Any, loader: Any, table: Any) -> None:
    logits = torch.log(tensor([[0.75, 0.25], [0.25, 0.75]]))
    task = SequenceClassification(table(logits, whole_text=True))
    batches = loader([_examples([0, 1], [IGNORED, IGNORED])])
    chosen = trainer()
    assert chosen.test(task, batches, verbose=False) == [{}]
    (predicted,) = chosen.predict(task, batches)
    assert torch.equal(predicted, logits)


def test_names_are_known_before_any_work() -> None:
    assert "val_mismatched/accuracy" in metric_names("sequence_classification", glue_task="mnli")
    assert "test_mismatched/loss" in metric_names("sequence_classification", glue_task="mnli", stage="test")
    assert "val/bits_per_character" not in metric_names("causal_lm", characters=False)
    assert {"val/f1", "val/pearson"} <= set(metric_names("sequence_classification"))
    assert set(TASKS) == {"sequence_classification", "masked_lm", "causal_lm"}


def test_metrics_must_fit_the_labels(table: Any) -> None:
    assert check_metrics(("accuracy", "f1"), regression=False) == []
    assert "'f2'" in check_metrics(("f2",), regression=False)[0]
    with pytest.raises(UserError, match=r"'accuracy'.*choose among pearson, spearman"):
        SequenceClassification(table(LOGS), regression=True, metrics=("accuracy",))


def test_a_broken_off_validation_leaves_nothing_behind(trainer: Any, loader: Any, table: Any) -> None:
    """What was added before an interruption is not counted again."""
    task = MaskedLanguageModel(table(LOGS))
    batch = {"input_ids": tensor([[0]]), "attention_mask": torch.ones(1, 1), "labels": tensor([[2]])}
    task.validation_step(batch, 0)
    found = _validate(trainer, loader, task, [batch | {"labels": tensor([[0]])}])
    assert found["val/loss"] == pytest.approx(math.log(2))


def test_fillers_are_not_predicted(loader: Any, trainer: Any, table: Any) -> None:
    """Row 2 stands in for the row that another rank has."""
    task = SequenceClassification(table(tensor([[0.0, 1.0], [2.0, 3.0], [4.0, 5.0]]), whole_text=True))
    batch = {"input_ids": tensor([[0], [2], [1]]), "example_ids": tensor([0, 1, -2])}
    (found,) = trainer().predict(task, loader([batch]))
    assert found.tolist() == [[0.0, 1.0], [4.0, 5.0]]
