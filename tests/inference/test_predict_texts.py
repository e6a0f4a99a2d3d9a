"""Predictions are those of transformers' pipeline, and what cannot be predicted is refused in a sentence."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from quatrain.core.errors import UserError
from quatrain.inference.loading import Loaded, load
from quatrain.inference.prediction import Prediction, predict_texts
from quatrain.inference.target import find_target

from .tiny_folders import POSITIONS, classifier, pairs, texts

FAMILIES = ("bert", "distilbert", "roberta", "gpt2")
COUNT = 60


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """A classifier of a family, made once."""
    made: dict[str, Path] = {}
    root = tmp_path_factory.mktemp("classifiers")

    def of(family: str) -> Path:
        if family not in made:
            made[family] = classifier(root / family, family)
        return made[family]

    return of


def opened(folder: Path, precision: Any = "32-true") -> Loaded:
    return load(find_target(str(folder), "predict"), precision=precision, device="cpu")


def from_pipeline(folder: Path, rows: list[Any], **how: Any) -> list[dict[str, float]]:
    """The probabilities of every label, one row at a time, so that nothing is padded."""
    from transformers import pipeline

    pipe = pipeline("text-classification", str(folder), device="cpu", dtype=torch.float32)
    asked = [row if isinstance(row, str) else {"text": row[0], "text_pair": row[1]} for row in rows]
    said = [pipe(row, top_k=None, truncation=True, max_length=POSITIONS, **how) for row in asked]
    return [{one["label"]: one["score"] for one in row} for row in said]


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("kind", ["single texts", "pairs"])
def test_in_float32_probabilities_are_the_pipelines(folders: Callable[..., Path], family: str, kind: str) -> None:
    rows: list[Any] = texts(COUNT) if kind == "single texts" else pairs(COUNT)
    said = list(predict_texts(opened(folders(family)), rows, batch_size=7))
    for ours, theirs in zip(said, from_pipeline(folders(family), rows), strict=True):
        assert ours.probabilities == pytest.approx(theirs, abs=1e-5)
        assert ours.label == max(theirs, key=lambda label: theirs[label])
        assert ours.probability == max(ours.probabilities.values())
        assert sum(ours.probabilities.values()) == pytest.approx(1)
    assert len({one.probability for one in said}) > COUNT / 2  # else the order could be any


@pytest.mark.parametrize("family", FAMILIES)
def test_in_bfloat16_they_are_so_to_a_hundredth_with_the_same_labels(folders: Callable[..., Path], family: str) -> None:
    rows = texts(COUNT)
    said = list(predict_texts(opened(folders(family), "bf16-mixed"), rows))
    for ours, theirs in zip(said, from_pipeline(folders(family), rows), strict=True):
        first, second, *_ = sorted(theirs.values(), reverse=True)
        assert ours.probabilities == pytest.approx(theirs, abs=0.05)  # weights of 0.3 are far larger than trained ones
        assert first - second < 0.1 or ours.label == max(theirs, key=lambda label: theirs[label])


def test_what_the_caller_does_between_two_answers_is_not_touched(folders: Callable[..., Path]) -> None:
    said = predict_texts(opened(folders("bert"), "bf16-mixed"), texts(9), batch_size=2)
    next(said)
    assert torch.is_grad_enabled()
    assert not torch.is_autocast_enabled("cpu")


def test_a_shorter_length_cuts_as_the_pipeline_does(folders: Callable[..., Path]) -> None:
    from transformers import pipeline

    rows = texts(20)
    pipe = pipeline("text-classification", str(folders("bert")), device="cpu", dtype=torch.float32)
    theirs = [pipe(row, truncation=True, max_length=8)[0]["score"] for row in rows]
    ours = [one.probability for one in predict_texts(opened(folders("bert")), rows, max_length=8)]
    assert ours == pytest.approx(theirs, abs=1e-5)


@pytest.mark.parametrize("labels", [("LABEL_0",), ("one",)])
def test_a_regression_gives_its_number_as_the_pipeline_does(tmp_path: Path, labels: tuple[str, ...]) -> None:
    folder = classifier(tmp_path / "model", "distilbert", labels, problem_type="regression")
    said = list(predict_texts(opened(folder), texts(5)))
    assert [one.score for one in said] == pytest.approx(
        [row[labels[0]] for row in from_pipeline(folder, texts(5))], abs=1e-5
    )
    assert all((one.label, one.probability, one.probabilities) == (None, None, {}) for one in said)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ({"problem_type": "multi_label_classification"}, "several labels at once .*multi_label_classification"),
        ({"problem_type": "regression"}, "several numbers at once .*regression"),
    ],
)
def test_a_model_of_several_answers_is_refused(tmp_path: Path, words: dict[str, Any], sentence: str) -> None:
    with pytest.raises(UserError, match=sentence):
        next(predict_texts(opened(classifier(tmp_path / "model", "bert", **words)), texts(1)))


def test_two_labels_of_one_name_are_refused(tmp_path: Path) -> None:
    folder = classifier(tmp_path / "model", "bert", ("same", "same"))
    with pytest.raises(UserError, match="names two labels 'same'"):
        next(predict_texts(opened(folder), texts(1)))


def test_an_answer_that_is_no_number_is_told_with_its_row(tmp_path: Path) -> None:
    """A text that holds one word alone makes the model diverge."""
    loaded = opened(classifier(tmp_path / "model", "bert"))
    word = loaded.tokenizer.encode(["lantern"])[0][0]
    loaded.model.get_input_embeddings().weight.data[word] = float("nan")
    rows = ["the river", "the hill", "a lantern burns", "the mill"]
    with pytest.raises(UserError, match=r"^row 3: the model's answer .*NaN"):
        list(predict_texts(loaded, rows, batch_size=2))


@pytest.mark.parametrize(
    ("rows", "sentence"),
    [
        (["a", ("a", "b")], r"row 2 is a pair, unlike those before"),
        ([("a", "b"), "a"], r"row 2 is a text, unlike those before"),
        (["a", None], r"row 2 is None, not a text or a pair"),
        ([("a", "b", "c")], r"row 1 is \('a', 'b', 'c'\), not a text or a pair"),
        ([("a", 1)], r"row 1 is \('a', 1\), not a text or a pair"),
    ],
)
def test_what_is_no_text_is_refused(folders: Callable[..., Path], rows: list[Any], sentence: str) -> None:
    with pytest.raises(UserError, match=sentence):
        list(predict_texts(opened(folders("bert")), rows))


def test_nothing_asked_is_nothing_said(folders: Callable[..., Path]) -> None:
    said: list[Prediction] = list(predict_texts(opened(folders("bert")), []))
    assert said == []
