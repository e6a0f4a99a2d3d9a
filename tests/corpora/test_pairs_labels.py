"""What a label column may hold, and what it comes to."""

from typing import Any

import pytest

from quatrain.core.errors import UserError
from quatrain.corpora.pairs import PairCorpus, pairs_from_memory


def corpus(labels: list[Any], test: list[Any] | None = None, **choices: Any) -> PairCorpus:
    def rows(values: list[Any]) -> list[dict[str, Any]]:
        return [{"sentence1": f"a{n}", "sentence2": f"b{n}", "label": value} for n, value in enumerate(values)]

    splits = {"train": rows(labels), "validation": rows(labels)}
    return pairs_from_memory({**splits, **({} if test is None else {"test": rows(test)})}, **choices)


@pytest.mark.parametrize(
    ("labels", "names", "encoded"),
    [
        ([1, 0, 1], ("0", "1"), [1, 0, 1]),
        ([10, 2], ("2", "10"), [1, 0]),
        (["10", " 2 "], ("2", "10"), [1, 0]),
        ([True, False], ("0", "1"), [1, 0]),
        (["2.0", "1.0"], ("1", "2"), [1, 0]),
        (["yes", "no", "yes"], ("no", "yes"), [1, 0, 1]),
        (["b", 1], ("1", "b"), [1, 0]),
        (["nan", "inf"], ("inf", "nan"), [1, 0]),
    ],
)
def test_classes_are_found_in_training(labels: list[Any], names: tuple[str, ...], encoded: list[int]) -> None:
    found = corpus(labels)
    assert found.label_names == names
    assert found.columns["train"]["label"] == encoded


def test_numbers_that_are_not_whole_are_scores() -> None:
    found = corpus(["0.5", "1", "2.25"])
    assert found.label_names is None
    assert found.columns["train"]["label"] == [0.5, 1.0, 2.25]
    assert str(found.splits["train"].features["label"].dtype) == "float64"


def test_stsb_is_a_regression_even_with_whole_scores() -> None:
    found = corpus([0, 5, "3"], test=[-1.0], glue_task="stsb")
    assert found.label_names is None
    assert found.columns["train"]["label"] == [0.0, 5.0, 3.0]
    assert found.columns["test"]["label"] == [-1.0]


def test_a_task_takes_numbers_and_names() -> None:
    found = corpus([0, "1", "equivalent", "not_equivalent", 1.0], glue_task="mrpc")
    assert found.columns["train"]["label"] == [0, 1, 1, 0, 1]


def test_given_names_say_the_order_and_may_look_like_numbers() -> None:
    assert corpus(["no", "yes"], label_names=["yes", "no"]).columns["train"]["label"] == [1, 0]
    assert corpus(["-1", 1, -1], label_names=["-1", "1"]).columns["train"]["label"] == [0, 1, 0]


def test_test_rows_may_lack_labels() -> None:
    found = corpus([0, 1], test=[-1, None, "", "-1", 1])
    assert found.columns["test"]["label"] == [-1, -1, -1, -1, 1]
    rows = [{"text": "x", "label": 0}, {"text": "y", "label": 1}]
    bare = pairs_from_memory({"train": rows, "validation": rows, "test": [{"text": "z"}]})
    assert bare.columns["test"]["label"] == [-1]


@pytest.mark.parametrize(
    ("labels", "choices", "words"),
    [
        ([0, 1, -1], {}, "rows train, row 3: the label -1 marks an unlabelled row, which only test may hold"),
        ([0, 1, None], {}, "rows train, row 3: the label in column label is empty"),
        ([0, 1, [2]], {}, "rows train, row 3: label is a list"),
        ([0, 1, 2], {"glue_task": "mrpc"}, "label 2 is unknown; allowed are 0 or not_equivalent, 1 or equivalent"),
        ([0, 1, "maybe"], {"glue_task": "mrpc"}, "set data.glue_task=null for labels of your own"),
        ([0, 6], {"glue_task": "stsb"}, "label 6 is no score; write a number from 0 to 5"),
        ([0, "good"], {"glue_task": "stsb"}, "label 'good' is no score"),
        ([0.5, float("inf")], {}, "write a number that is finite"),
        ([0, 1, None], {"incomplete_rows": "refuse"}, "or leave all such rows out with data.incomplete_rows=drop"),
        ([1, 1], {}, "train holds only the label 1"),
        ([1, 1], {"glue_task": "mrpc", "label_names": ["a", "b", "c"]}, "mrpc is 2 classes .* 3 classes"),
        ([1, 0], {"label_names": ["a"]}, "must name two or more different classes"),
        ([1, 0], {"label_names": ["a", "a"]}, "must name two or more different classes"),
    ],
)
def test_each_wrong_label_has_its_sentence(labels: list[Any], choices: dict[str, Any], words: str) -> None:
    with pytest.raises(UserError, match=words):
        corpus(labels, **choices)


@pytest.mark.parametrize("choices", [{}, {"label_names": ["a", "b", "c"]}])
def test_a_class_that_training_lacks_is_told_with_its_row(choices: dict[str, Any]) -> None:
    rows = [{"text": str(n), "label": label} for n, label in enumerate("aabbc")]
    with pytest.raises(UserError, match=r"rows validation, row 2: label '?c'? .*train.* a, b"):
        pairs_from_memory({"train": rows[:4], "validation": rows[3:]}, **choices)


def test_a_sentence_names_ten_of_many_classes() -> None:
    rows = [{"text": f"a{n}", "label": f"id{n:03}"} for n in range(400)]
    with pytest.raises(UserError, match=r"whose labels are id000, .*, and 3\d\d more; mend the row") as told:
        pairs_from_memory(rows)
    assert max(map(len, told.value.sentences)) < 250
