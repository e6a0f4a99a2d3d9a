"""Rows go in batches by length, and answers come out in order, whatever the lengths, batches and pools."""

from collections.abc import Iterable, Iterator, Sequence
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quatrain.core.errors import UserError
from quatrain.inference import streaming
from quatrain.inference.rows import Row
from quatrain.inference.streaming import Answers, Arrays, Tally, by_length, encoder_of, pools

FILL = 9


class Spelled:
    """An encoder whose tokens are the characters of the texts."""

    max_length = 30

    def __call__(self, rows: dict[str, list[str]]) -> dict[str, list[Any]]:
        joined = ["".join(parts) for parts in zip(*rows.values(), strict=True)]
        ids = [np.asarray([ord(letter) for letter in text], dtype=np.int32) for text in joined]
        return {"input_ids": ids, "truncated": [len(text) > 29 for text in joined]}


def read_back(batches: Iterable[Arrays]) -> Iterator[Sequence[str]]:
    """The characters of each row, those under the mask."""
    for batch in batches:
        assert (batch["input_ids"][batch["attention_mask"] == 0] == FILL).all()
        yield ["".join(map(chr, ids[mask == 1])) for ids, mask in zip(*batch.values(), strict=True)]


def answers(**sizes: int) -> Answers[str]:
    return Answers(Spelled(), read_back, fill=FILL, **sizes)  # type: ignore[arg-type]


def rows_of(texts: Iterable[str]) -> Iterator[Row]:
    return (Row(f"row {number}", {}, (text,)) for number, text in enumerate(texts, 1))


@settings(max_examples=50, deadline=None)
@given(
    texts=st.lists(st.text("abcdef", min_size=1, max_size=30), max_size=60),
    batch_size=st.integers(1, 9),
    pool_rows=st.integers(1, 70),
    pool_characters=st.integers(1, 300),
)
def test_answers_come_in_the_order_of_the_rows(
    texts: list[str], batch_size: int, pool_rows: int, pool_characters: int
) -> None:
    asked = answers(batch_size=batch_size, pool_rows=pool_rows, pool_characters=pool_characters)
    assert [(row.texts[0], answer) for row, answer in asked(rows_of(texts))] == [(text, text) for text in texts]


@settings(max_examples=50, deadline=None)
@given(lengths=st.lists(st.integers(1, 700), min_size=1, max_size=200), batch_size=st.integers(1, 64))
def test_each_row_is_in_one_batch_of_like_lengths_within_the_bounds(lengths: list[int], batch_size: int) -> None:
    shares = [share.tolist() for share in by_length(np.asarray(lengths), batch_size)]
    assert sorted(place for share in shares for place in share) == list(range(len(lengths)))
    dealt = [lengths[place] for share in shares for place in share]
    assert dealt == sorted(lengths, reverse=True)
    for share in shares:
        assert len(share) <= batch_size
        assert len(share) == 1 or len(share) * lengths[share[0]] <= streaming.PLACES


def test_the_first_answers_need_few_rows_and_memory_is_bounded() -> None:
    """Pools begin with one batch, double up to the most, and end early where texts are long."""
    assert [len(pool) for pool in pools(rows_of(["ab"] * 100), 4, 32, 1000)] == [4, 8, 16, 32, 32, 8]
    assert [len(pool) for pool in pools(rows_of(["a" * 60] * 10), 4, 32, 100)] == [2, 2, 2, 2, 2]
    read = 0

    def counted() -> Iterator[str]:
        nonlocal read
        while True:  # without end
            read += 1
            yield "ab"

    asked = answers(batch_size=4, pool_rows=16)(rows_of(counted()))
    next(asked)
    assert read == 4
    for _ in range(1000):
        next(asked)
    assert read < 1000 + 2 * 16


def test_rows_that_were_cut_are_counted() -> None:
    tally = Tally()
    list(Answers(Spelled(), read_back, fill=FILL, batch_size=2, tally=tally)(rows_of(["a" * 30, "a", "b" * 30])))  # type: ignore[arg-type]
    assert tally == Tally(cut=2, length=30)


def test_a_text_without_a_token_is_told_with_its_row() -> None:
    """The rows before it have come; where bad rows are left out, all others do."""
    said = answers(batch_size=8)(rows_of(["a", "b", "", "c"]))
    assert [next(said)[1], next(said)[1]] == ["a", "b"]
    with pytest.raises(UserError, match=r"^row 3: the tokenizer makes no token"):
        next(said)
    kept: list[UserError] = []
    asked = Answers(Spelled(), read_back, fill=FILL, batch_size=2, refuse=kept.append)  # type: ignore[arg-type]
    assert [answer for _, answer in asked(rows_of(["", "abc", "", "c", "", ""]))] == ["abc", "c"]
    assert len(kept) == 4


def test_rows_before_an_error_are_answered_before_it() -> None:
    def failing() -> Iterator[Row]:
        yield from rows_of(["ab", "c"])
        raise UserError("line 3 is bad.")

    asked = answers(batch_size=8)(failing())
    assert [next(asked)[1], next(asked)[1]] == ["ab", "c"]
    with pytest.raises(UserError, match="line 3"):
        next(asked)


def test_all_columns_count_for_a_pool() -> None:
    wide = [Row(f"row {n}", {"text": "a", "other": ["x" * 59, {"deep": 1}]}, ("a",)) for n in range(4)]
    assert wide[0].characters == len("texta" + "other" + "deep") + 59 + 1
    assert [len(pool) for pool in pools(wide, 4, 32, 100)] == [2, 2]


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        (41, "TARGET has positions for 40 tokens, and a length of 41 was asked for; ask for at most 40"),
        (2, "A length of 2 leaves no room for text beside the 2 special tokens of a row; ask for at least 3"),
    ],
)
def test_a_length_that_does_not_fit_is_refused_with_both_numbers(asked: int, sentence: str) -> None:
    from quatrain.tokenizers.trained import WordPiece

    model = SimpleNamespace(config=SimpleNamespace(), forward=lambda input_ids: None)
    target = SimpleNamespace(given="TARGET", run=None)
    tokenizer = WordPiece(vocab_size=60, min_frequency=1).fit(lambda: ["a river runs"])
    loaded: Any = SimpleNamespace(target=target, tokenizer=tokenizer, model=model, longest=40)
    with pytest.raises(UserError, match=sentence):
        encoder_of(loaded, pairs=False, max_length=asked)
    assert encoder_of(loaded, pairs=False, max_length=None).max_length == 40
