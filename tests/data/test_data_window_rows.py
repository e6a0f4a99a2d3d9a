"""Windows: the definition by hand and by property, and that evaluation scores each token exactly once."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quatrain.core.batches import IGNORED
from quatrain.data.sampler import EVALUATION
from quatrain.data.window_rows import EvaluationWindows, TrainingWindows

STREAM = np.arange(100, 110, dtype=np.uint16)


def test_training_windows_of_ten_tokens_by_hand():
    rows = TrainingWindows(STREAM, length=4, stride=2)
    assert len(rows) == 3
    batch = rows.__getitems__([(0, 0), (0, 1), (0, 2)])
    assert batch["input_ids"].tolist() == [[100, 101, 102, 103], [102, 103, 104, 105], [104, 105, 106, 107]]
    assert batch["target"].tolist() == [[101, 102, 103, 104], [103, 104, 105, 106], [105, 106, 107, 108]]
    assert batch["example_ids"].tolist() == [0, 1, 2]
    assert batch["input_ids"].dtype == batch["target"].dtype == np.int64


@pytest.mark.parametrize(
    ("tokens", "length", "stride", "windows"),
    [(5145, 256, 128, 39), (5145, 4, 1, 5141), (10, 4, 7, 1), (10, 2, 5, 2), (10, 9, 1, 1), (10, 10, 1, 0)],
)
def test_the_number_of_training_windows(tokens: int, length: int, stride: int, windows: int):
    assert len(TrainingWindows(np.zeros(tokens), length=length, stride=stride)) == windows


@settings(max_examples=50, deadline=None)
@given(tokens=st.integers(2, 80), length=st.integers(1, 20), stride=st.integers(1, 30))
def test_training_windows_are_the_definition(tokens: int, length: int, stride: int):
    stream = np.random.default_rng(tokens).integers(0, 1000, tokens)
    wanted = [
        (stream[i : i + length].tolist(), stream[i + 1 : i + length + 1].tolist())
        for i in range(0, tokens - length, stride)
    ]
    rows = TrainingWindows(stream, length=length, stride=stride)
    batch = rows.__getitems__([(0, row) for row in range(len(rows))])
    assert list(zip(batch["input_ids"].tolist(), batch["target"].tolist(), strict=True)) == wanted


def test_evaluation_windows_of_ten_tokens_by_hand():
    # n=10, L=4, stride 2: targets 1-4 first, then two new ones a window, the last window with one.
    rows = EvaluationWindows(STREAM, length=4, stride=2, fill=0)
    assert len(rows) == 4
    batch = rows.__getitems__([(EVALUATION, row) for row in range(4)])
    skip = IGNORED
    assert batch["target"].tolist() == [
        [101, 102, 103, 104],
        [skip, skip, 105, 106],
        [skip, skip, 107, 108],
        [skip, skip, 109, skip],
    ]
    assert batch["input_ids"].tolist()[3] == [106, 107, 108, 109]
    assert batch["example_ids"].tolist() == [0, 1, 2, 3]


def test_a_last_window_alone_is_short_and_filled_beside_longer_ones():
    rows = EvaluationWindows(STREAM, length=6, stride=6, fill=7)
    assert rows.__getitems__([(EVALUATION, 1)])["input_ids"].tolist() == [[106, 107, 108]]
    both = rows.__getitems__([(EVALUATION, 0), (EVALUATION, 1)])
    assert both["input_ids"].tolist()[1] == [106, 107, 108, 109, 7, 7]
    assert both["target"].tolist()[1] == [107, 108, 109, IGNORED, IGNORED, IGNORED]


@settings(max_examples=50, deadline=None)
@given(tokens=st.integers(2, 80), length=st.integers(1, 20), stride=st.integers(1, 30), one=st.booleans())
def test_evaluation_scores_every_token_but_the_first_once(tokens: int, length: int, stride: int, one: bool):
    stream = np.arange(tokens)  # a token tells its place
    rows = EvaluationWindows(stream, length=length, stride=stride, fill=0)
    keys = [(EVALUATION, row) for row in range(len(rows))]
    batches = [rows.__getitems__([key]) for key in keys] if one else [rows.__getitems__(keys)]
    scored: list[int] = []
    for batch in batches:
        asked = batch["target"] != IGNORED
        scored += batch["target"][asked].tolist()
        assert (batch["input_ids"][asked] + 1 == batch["target"][asked]).all()
        # the context of each asked target is the stream right before it
        for inputs, row in zip(batch["input_ids"], asked, strict=True):
            last = int(np.flatnonzero(row).max())
            assert inputs[: last + 1].tolist() == list(range(int(inputs[0]), int(inputs[0]) + last + 1))
        assert batch["input_ids"].shape[1] <= length
    assert sorted(scored) == list(range(1, tokens))


def test_a_filler_is_read_and_scored_nowhere():
    for rows in (
        TrainingWindows(STREAM, length=4, stride=2),
        EvaluationWindows(STREAM, length=4, stride=2, fill=0),
    ):
        batch = rows.__getitems__([(0, 1), (0, -2)])
        assert batch["input_ids"][0].tolist() == batch["input_ids"][1].tolist()
        assert (batch["target"][1] == IGNORED).all()
        assert batch["example_ids"].tolist() == [1, -2]
