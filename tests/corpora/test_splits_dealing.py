"""Every document is in exactly one split, equal ones on the same side, with exact shares, the same each time."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, reject, settings
from hypothesis import strategies as st

from quatrain.core.errors import UserError
from quatrain.corpora.splits import Shares, deal_random, divide, find_cuts, targets
from quatrain.corpora.text import text_from_memory

texts = st.lists(st.text("abc", min_size=1, max_size=3), min_size=1, max_size=60)
share = st.floats(0, 0.45)


def dealt(documents, **arguments):
    corpus = text_from_memory(documents, **arguments)
    return {split: list(corpus.documents(split)) for split in corpus.splits}


@settings(max_examples=50, deadline=None)
@given(texts, share, share, st.integers(0, 2**40))
def test_random_dealing_is_a_partition_with_exact_shares_that_keeps_equals_together(documents, validation, test, seed):
    arguments = {"validation_share": validation, "test_share": test, "split_seed": seed}
    distinct = len(set(documents))
    wanted = {"validation": int(distinct * validation + 0.5), "test": int(distinct * test + 0.5)}
    assume(all(wanted[name] > 0 or size == 0 for name, size in (("validation", validation), ("test", test))))
    assume(sum(wanted.values()) < distinct)
    splits = dealt(documents, **arguments)
    assert Counter(document for held in splits.values() for document in held) == Counter(documents)
    sides = [set(held) for held in splits.values()]
    assert sum(map(len, sides)) == distinct
    assert {name: len(set(splits.get(name, ()))) for name in wanted} == wanted
    assert splits == dealt(documents, **arguments)


def test_the_order_of_the_source_is_kept_and_another_seed_deals_otherwise():
    documents = [f"text {number}" for number in range(200)]
    first, second = (dealt(documents, validation_share=0.3, split_seed=seed) for seed in (0, 1))
    for splits in (first, second):
        for held in splits.values():
            assert held == sorted(held, key=documents.index)
    assert set(first["validation"]) != set(second["validation"])


def test_a_document_more_moves_hardly_any_other():
    documents = [f"text {number}" for number in range(1000)]
    before = set(dealt(documents)["validation"])
    after = set(dealt(["new", *documents])["validation"])
    assert len(before ^ after) <= 1


def test_dealing_by_hand():
    # Distinct keys 1 2 3 5 8: round(5 * 0.4) = 2 to validation, round(5 * 0.2) = 1 to test.
    keys = np.array([5, 1, 8, 1, 3, 2], np.uint64)
    assert deal_random(keys, Shares(0.4, 0.2)).tolist() == [0, 1, 0, 1, 2, 1]


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.filter_too_much])
@given(st.lists(st.text("ab \n", min_size=1, max_size=30), min_size=1, max_size=20), share, share)
def test_contiguous_splits_joined_are_the_stream_in_order(documents, validation, test):
    documents = [document for document in documents if not document.isspace()]
    try:
        splits = dealt(documents, split="contiguous", validation_share=validation, test_share=test)
    except UserError:  # too short to be cut so often
        reject()
    joined = ["".join(splits.get(name, ())) for name in ("train", "validation", "test")]
    assert "".join(joined) == "".join(documents)
    assert all(bool(part) == (size > 0) for part, size in zip(joined[1:], (validation, test), strict=True))


def test_one_text_is_cut_before_white_space_near_the_share():
    text = " ".join(f"word{number:03d}" for number in range(1000))
    corpus = text_from_memory(text, split="contiguous", validation_share=0.2, test_share=0.1)
    parts = [next(corpus.documents(split)) for split in ("train", "validation", "test")]
    assert "".join(parts) == text
    assert [corpus.characters(split) for split in corpus.splits] == [len(part) for part in parts]
    for part, size in zip(parts, (0.7, 0.2, 0.1), strict=True):
        assert abs(len(part) - size * len(text)) <= 16
        assert part[0] == " " or part is parts[0]
        assert not part[-1].isspace()


def test_ten_texts_are_cut_between_documents():
    documents = [f"{number} " + "x" * 8 + " y" for number in range(10)]
    splits = dealt(documents, split="contiguous", validation_share=0.2, test_share=0.1)
    assert splits == {"train": documents[:7], "validation": documents[7:9], "test": documents[9:]}


def test_few_texts_are_cut_inside_and_counted():
    documents = ["one two three", "four five six"]
    corpus = text_from_memory(documents, split="contiguous", validation_share=0.2)
    assert {split: list(corpus.documents(split)) for split in corpus.splits} == {
        "train": ["one two three", "four five"],
        "validation": [" six"],
    }
    assert [corpus.count(split) for split in corpus.splits] == [2, 1]
    assert [corpus.characters(split) for split in corpus.splits] == [22, 4]


def test_a_cut_may_fall_into_a_later_piece_of_a_document():
    stream = [("aaaa bbbb", False), (" cccccccc", False), (" dd ee", True)]
    cuts = find_cuts(stream, [("validation", 10)])
    assert cuts == [("validation", 21)]  # inside of a piece: " dd| ee"
    assert list(divide(stream, cuts)) == [
        ("train", "aaaa bbbb", False),
        ("train", " cccccccc", False),
        ("train", " dd", True),
        ("validation", " ee", True),
    ]


def test_targets_by_hand():
    assert targets(200, Shares(0.1, 0.05)) == [("validation", 170), ("test", 190)]
    assert targets(200, Shares(0.0, 0.25)) == [("test", 150)]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"validation_share": 1.0}, "data.validation_share=1.0 is no share"),
        ({"test_share": -0.1}, "data.test_share=-0.1 is no share"),
        ({"validation_share": 0.6, "test_share": 0.4}, "leave nothing to train on"),
        ({"split": "shuffled"}, "data.split=shuffled is unknown; allowed are random and contiguous"),
        ({"documents": "words"}, "data.documents=words is unknown; allowed are whole, paragraphs, lines, sonnets"),
    ],
)
def test_settings_that_make_no_sense_are_told_at_once(arguments, sentence):
    with pytest.raises(UserError, match=sentence):
        text_from_memory("some text", **arguments)


def test_a_split_that_would_be_empty_is_told_with_the_number_of_documents():
    with pytest.raises(UserError, match=r"data.validation_share=0.1 of 1 document leaves none for validation"):
        text_from_memory("one text").documents("train")
    with pytest.raises(UserError) as error:
        text_from_memory(["a", "b"], validation_share=0.1, test_share=0.1).splits  # noqa: B018
    assert len(error.value.sentences) == 2


@pytest.mark.parametrize("split", ["random", "contiguous"])
@pytest.mark.parametrize("texts", [[], "", [" \n ", "\x00"]])
def test_no_text_at_all_is_told(texts, split):
    with pytest.raises(UserError, match="holds no text"):
        text_from_memory(texts, split=split).splits  # noqa: B018
