"""Dealing one file's rows: whole, repeatable, of the right sizes, and no text on two sides."""

from collections import Counter

import pytest
from hypothesis import given, reject, settings
from hypothesis import strategies as st

from quatrain.core.errors import UserError
from quatrain.corpora.pair_split import deal_rows

texts = st.tuples(st.sampled_from("abcdef"), st.sampled_from("abcdef"))


@settings(max_examples=50, deadline=None)
@given(rows=st.lists(texts, min_size=1, max_size=60), share=st.sampled_from([0.1, 0.25]), seed=st.integers(0, 5))
def test_equal_pairs_are_on_one_side_and_sizes_never_exceed_the_shares(
    rows: list[tuple[str, str]], share: float, seed: int
) -> None:
    try:
        sides = deal_rows(rows, validation_share=share, test_share=share, seed=seed, origin="rows")
    except UserError:
        reject()  # too few different rows for the shares
    by_pair: dict[frozenset[str], set[str]] = {}
    for row, side in zip(rows, sides, strict=True):
        by_pair.setdefault(frozenset(row), set()).add(side)
    assert all(len(held) == 1 for held in by_pair.values())
    counted = Counter(sides)
    wanted = max(1, round(share * len(rows)))
    assert 1 <= counted["validation"] <= wanted
    assert 1 <= counted["test"] <= wanted


@settings(max_examples=30, deadline=None)
@given(order=st.permutations(range(20)), seed=st.integers(0, 3))
def test_a_row_keeps_its_side_when_the_rows_are_shuffled(order: list[int], seed: int) -> None:
    rows = [(f"text {n}", f"other {n}") for n in range(20)]
    sides = deal_rows(rows, validation_share=0.2, test_share=0.1, seed=seed, origin="rows")
    shuffled = deal_rows([rows[n] for n in order], validation_share=0.2, test_share=0.1, seed=seed, origin="rows")
    assert shuffled == [sides[n] for n in order]
    assert Counter(sides) == {"train": 14, "validation": 4, "test": 2}


def test_the_order_of_a_pair_and_the_place_of_a_cut_matter_rightly() -> None:
    swapped = [("a", "b"), ("b", "a")] * 2 + [(f"c{n}", "d") for n in range(6)]
    sides = deal_rows(swapped, validation_share=0.3, test_share=0, seed=0, origin="rows")
    assert sides[:4] == ["train"] * 4  # four equal rows do not fit into a share of three
    assert sides.count("validation") == 3
    assert len({*deal_rows([("ab", "c"), ("a", "bc")], validation_share=0.5, test_share=0, seed=0, origin="rows")}) == 2


def test_seeds_differ() -> None:
    rows = [(str(n),) for n in range(100)]
    dealt = {tuple(deal_rows(rows, validation_share=0.5, test_share=0, seed=seed, origin="r")) for seed in range(5)}
    assert len(dealt) == 5


def test_too_few_rows_are_told() -> None:
    with pytest.raises(UserError, match=r"data\.source=mine has 3 rows with 1 different texts, too few to deal any to"):
        deal_rows([("a", "b")] * 3, validation_share=0.1, test_share=0.1, seed=0, origin="mine")
