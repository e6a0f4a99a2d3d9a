"""Sentence pairs of the verse: balanced, true to their label, and with a label that neither sentence tells alone."""

import itertools
from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from quatrain.corpora.verse import pairs
from quatrain.corpora.verse_pairs import SCENES

ROWS = list(pairs(12000, seed=3))


def scene(sentence: str) -> int:
    """The one scene whose every part has a wording in the sentence."""
    padded = f" {sentence.lower().replace(',', '').replace('.', '')} "
    told = [all(any(f" {wording} " in padded for wording in part) for part in parts) for parts in SCENES]
    assert sum(told) == 1
    return told.index(True)


def test_a_row_is_a_paraphrase_exactly_when_both_sentences_tell_one_scene() -> None:
    for text_a, text_b, label in ROWS[:3000]:
        assert label == int(scene(text_a) == scene(text_b))


def test_the_larger_class_is_at_most_six_tenths() -> None:
    share = sum(label for _, _, label in ROWS) / len(ROWS)
    assert 0.4 <= share <= 0.6


def test_no_single_sentence_tells_the_label() -> None:
    """Every word of either side is as frequent under one label as under the other, within sampling error."""
    for side in (0, 1):
        counts: dict[int, Counter[str]] = {0: Counter(), 1: Counter()}
        for row in ROWS:
            counts[row[2]].update(set(row[side].lower().strip(".").replace(",", "").split()))
        for word in counts[0] | counts[1]:
            no, yes = counts[0][word], counts[1][word]
            share = sum(row[2] for row in ROWS) / len(ROWS)
            total = no + yes
            assert abs(yes - share * total) < 5 * (share * (1 - share) * total) ** 0.5


def test_a_vote_of_whole_sentences_does_no_better_than_chance() -> None:
    for side in (0, 1):
        votes: dict[str, int] = {}
        for row in ROWS[:10000]:
            votes[row[side]] = votes.get(row[side], 0) + 2 * row[2] - 1
        right = sum(int(votes.get(row[side], 0) > 0) == row[2] for row in ROWS[10000:])
        assert right / 2000 < 0.56


def test_paraphrases_share_words_hardly_by_more_than_chance_of_wording() -> None:
    """Most words of a paraphrase are other wordings: overlap is no substitute for knowing what they mean."""
    same = [row for row in ROWS if row[2] == 1]
    wordings = {part for parts in SCENES for options in parts for part in options}
    shared = [sum(f" {w} " in f" {a} " and f" {w} " in f" {b} " for w in wordings) for a, b, _ in _plain(same[:1000])]
    assert sum(shared) / len(shared) < 1.3


def test_wordings_belong_to_one_scene() -> None:
    wordings = [wording for parts in SCENES for options in parts for wording in options]
    assert len(set(wordings)) == len(wordings) == 8 * 4 * 4


def test_rows_are_a_deterministic_stream() -> None:
    assert list(pairs(700, seed=3)) == ROWS[:700]
    assert list(itertools.islice(pairs(10**12, seed=3), 5)) == ROWS[:5]
    assert ROWS[:100] != list(pairs(100, seed=4))


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_sentences_begin_with_a_capital_and_end_with_a_full_stop(seed: int) -> None:
    for text_a, text_b, label in pairs(5, seed):
        assert label in (0, 1)
        for text in (text_a, text_b):
            assert text[0].isupper()
            assert text.endswith(".")
            assert " ." not in text
            assert "  " not in text


def _plain(rows: list[tuple[str, str, int]]) -> list[tuple[str, str, int]]:
    return [(_bare(text_a), _bare(text_b), label) for text_a, text_b, label in rows]


def _bare(text: str) -> str:
    return text.lower().strip(".").replace(",", "")
