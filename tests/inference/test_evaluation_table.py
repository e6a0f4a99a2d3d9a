"""The table of an evaluation says what a score alone cannot: how it does by class, what may be wrong all the same."""

import pytest

from quatrain.inference.bootstrap import Resampling
from quatrain.inference.evaluation import Confusion, Evaluation, Measured
from quatrain.inference.evaluation_table import table


def shown(*counts: tuple[int, ...]) -> list[str]:
    found = Evaluation(
        task="sequence_classification",
        split="test",
        source="rows.csv",
        own=True,
        fingerprint="",
        examples=sum(map(sum, counts)),
        of=None,
        metrics={"accuracy": Measured(1.0, 1.0, 1.0)},
        confusion=Confusion(("a", "b"), counts),
        precision="32-true",
        device="cpu",
        max_length=8,
        resampling=Resampling(10),
        notes=(),
    )
    return table(found).splitlines()


@pytest.mark.parametrize(("right", "most"), [(60, "4.9%"), (1000, "0.3%")])
def test_all_right_is_not_never_wrong(right: int, most: str) -> None:
    last = shown((right - 7, 0), (0, 7))[-1]
    assert last.startswith(f"all {right:,} are right")
    assert f"up to {most} of such rows may be wrong" in last


def test_one_mistake_says_enough() -> None:
    assert not any("are right" in line for line in shown((6, 1), (0, 7)))


def test_a_score_stands_beside_that_of_the_largest_class() -> None:
    assert "accuracy of the largest class alone, b: 0.6000" in shown((3, 1), (0, 6))


def test_each_class_has_its_precision_recall_and_f1() -> None:
    lines = [line.split() for line in shown((3, 1), (0, 6))]
    assert ["a", "4", "1.0000", "0.7500", "0.8571"] in lines
    assert ["b", "6", "0.8571", "1.0000", "0.9231"] in lines


def test_a_class_that_is_never_said_has_no_precision() -> None:
    assert ["a", "4", "none", "0.0000", "0.0000"] in [line.split() for line in shown((0, 4), (0, 6))]
