"""The verse states its exact log-probability: one text has one derivation, the alternatives of every draw sum to 1, and
the mean over a sample is the entropy that the chain rule gives."""

import itertools
import math
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quatrain.corpora import verse
from quatrain.corpora.verse_grammar import (
    TEMPLATES,
    Choices,
    Indices,
    distributions,
    draw,
    log_probabilities,
    power_law,
    template_choices,
)
from quatrain.corpora.verse_lexicon import lexicon, word_forms
from quatrain.corpora.verse_text import read, write
from quatrain.corpora.verse_words import TOPICS


def changed(choices: Choices, name: str, line: int, value: int) -> Choices:
    column = choices.line[name].copy()
    column[:, line] = value
    return choices._replace(line={**choices.line, name: column})


def test_no_word_form_stands_in_two_places() -> None:
    counts = Counter(form.text.lower() for form in word_forms())
    assert [text for text, count in counts.items() if count > 1] == []


def test_the_topics_have_equally_many_stems() -> None:
    assert len({tuple(map(len, topic)) for topic in TOPICS}) == 1


def test_the_alternatives_of_every_draw_sum_to_one() -> None:
    for name, table in distributions().items():
        assert table.sum() == pytest.approx(1.0, abs=1e-12), name
        assert (np.diff(table) < 0).all(), name
    assert power_law(3, 1.0) == pytest.approx([6 / 11, 3 / 11, 2 / 11])


def test_all_wordings_of_one_line_sum_to_one() -> None:
    """Every pronoun line that can stand fourth in one poem is enumerated, some 150,000; the rest is divided out."""
    base = changed(draw(1, np.random.default_rng(5)), "template", 3, 0)
    own = [distributions()["template/pronoun"][0]]
    own += [distributions()[name][base.line[name][0, 3]] for name in ("intransitive", "adverb", "preposition")]
    rest = log_probabilities(base)[0] - np.log(own).sum()
    total = 0.0
    for template in range(len(TEMPLATES["pronoun"])):
        names = template_choices("pronoun", template)
        for number in (0, 1) if "number" in names else (0,):
            sizes = [_size(name, number) for name in names]
            grid = np.indices(sizes).reshape(len(sizes), -1)
            draws = {
                name: column + (number if name == "number" else 0) for name, column in zip(names, grid, strict=True)
            }
            draws["template"] = np.full(grid.shape[1], template)
            total += float(np.exp(log_probabilities(_with_line(base, 3, draws)) - rest).sum())
    assert total == pytest.approx(1.0)


def test_texts_that_differ_in_one_draw_have_probabilities_in_the_ratio_of_that_draw() -> None:
    """By text, over every preposition and then every noun of one line."""
    choices = draw(1, np.random.default_rng(5))
    for name in ("preposition", "noun"):
        base = changed(changed(choices, "template", 0, 0), "number", 0, 0)
        base = changed(base, "determiner", 0, 0)
        table = distributions()[name]
        texts = [write(changed(base, name, 0, index))[0] for index in range(len(table))]
        assert len(set(texts)) == len(table)
        probabilities = np.exp([verse.log_probability(text) for text in texts])
        assert probabilities / probabilities.sum() == pytest.approx(table)


def test_the_rhymes_of_a_poem_sum_to_one() -> None:
    """Four families out of six in every order, each with every pair of words, by hand without replacement."""
    choices = draw(1, np.random.default_rng(2))
    sequences = np.array(list(itertools.permutations(range(6), 4)))
    count = len(sequences)
    repeated = Choices(
        topic=np.repeat(choices.topic, count),
        tense=np.repeat(choices.tense, count),
        hero=np.repeat(choices.hero, count),
        family=sequences,
        rhyme=np.repeat(choices.rhyme, count, axis=0),
        line={name: np.repeat(indices, count, axis=0) for name, indices in choices.line.items()},
    )
    logs = log_probabilities(repeated)
    p = distributions()["family"]
    a, b, c, d = sequences[100]
    by_hand = p[a] * p[b] / (1 - p[a]) * p[c] / (1 - p[a] - p[b]) * p[d] / (1 - p[a] - p[b] - p[c])
    assert np.exp(logs[100]) / np.exp(logs).sum() == pytest.approx(by_hand)


def test_the_mean_of_the_negative_log_probability_is_the_entropy() -> None:
    logs = np.array([verse.log_probability(poem) for poem in verse.poems(2000, seed=11)])
    error = logs.std() / math.sqrt(len(logs))
    assert abs(-logs.mean() - verse.entropy()) < 4 * error
    assert error < 0.01 * verse.entropy()


def test_draws_come_as_often_as_their_probability_says() -> None:
    choices = draw(20000, np.random.default_rng(3))
    for name, indices in {
        "topic": choices.topic,
        "family": choices.family[:, 0],
        "rhyme": choices.rhyme[:, 0, 0],
    }.items():
        table = distributions()[name]
        seen = np.bincount(indices, minlength=len(table)) / len(indices)
        assert np.abs(seen - table).max() < 5 * math.sqrt(0.25 / len(indices))


def test_entropy_is_far_below_that_of_single_words() -> None:
    """What neighbours tell is most of a word, so that a small model has something to learn."""
    sample = [poem.lower().replace(",", "").replace(";", "").replace(".", "").split() for poem in verse.poems(2000, 4)]
    counts = np.array(list(Counter(itertools.chain.from_iterable(sample)).values()))
    share = counts / counts.sum()
    unigram = -(share * np.log(share)).sum()
    assert verse.entropy() / (counts.sum() / len(sample)) < 0.6 * unigram


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_reading_undoes_writing(seed: int) -> None:
    choices = draw(3, np.random.default_rng(seed))
    texts = write(choices)
    for row, text in enumerate(texts):
        found = read(text)
        assert found is not None
        assert log_probabilities(found)[0] == pytest.approx(log_probabilities(choices)[row])
        for name in ("topic", "tense", "hero", "family", "rhyme"):
            assert (getattr(found, name)[0] == getattr(choices, name)[row]).all()


@settings(max_examples=50, deadline=None)
@given(seed=st.integers(0, 200), data=st.data())
def test_a_text_with_one_character_changed_is_impossible_or_another_poem(seed: int, data: st.DataObject) -> None:
    (poem,) = verse.poems(1, seed)
    place = data.draw(st.integers(0, len(poem) - 1))
    other = poem[:place] + data.draw(st.sampled_from("aehs ,.\nX")) + poem[place + 1 :]
    found = read(other)
    assert verse.log_probability(other) == -math.inf if found is None else write(found) == [other]


@pytest.mark.parametrize("text", ["", "\n" * 7, "the moon", "The the the the,\n" * 8, "Σ\n" * 7])
def test_a_text_that_the_grammar_cannot_make_has_probability_zero(text: str) -> None:
    assert verse.log_probability(text) == -math.inf


def test_broken_agreement_rhyme_case_or_punctuation_has_probability_zero() -> None:
    (poem,) = verse.poems(1, seed=21)
    lines = poem.split("\n")
    broken = {
        "a line less": "\n".join(lines[:-1]),
        "a trailing newline": poem + "\n",
        "a small letter": poem[0].lower() + poem[1:],
        "another hero": "\n".join([*lines[:5], _with_another_hero(lines[5]), *lines[6:]]),
        "another pronoun": "\n".join([*lines[:3], _with_another_pronoun(lines[3]), *lines[4:]]),
        "the same rhyme word twice": "\n".join([*lines[:2], _with_last(lines[2], lines[0].split()[-1]), *lines[3:]]),
        "a rhyme of another line": "\n".join([*lines[:2], _with_last(lines[2], lines[4].split()[-1]), *lines[3:]]),
        "a doubled space": poem.replace(" ", "  ", 1),
    }
    assert verse.log_probability(poem) > -math.inf
    for what, text in broken.items():
        assert text != poem
        assert verse.log_probability(text) == -math.inf, what


def test_repeated_rhyme_families_have_probability_zero() -> None:
    choices = draw(1, np.random.default_rng(1))
    family = choices.family.copy()
    family[0, 2] = family[0, 0]
    assert verse.log_probability(write(choices._replace(family=family))[0]) == -math.inf


def test_the_lexicon_reads_every_form_that_it_writes() -> None:
    words = lexicon()
    assert len(words.strings) == 2 * words.heads + 1
    assert set(words.readings) == {text.lower() for text in words.number}


def _size(name: str, number: int) -> int:
    """How many values a draw has when the number is known."""
    return 1 if name == "number" else len(distributions()[f"determiner/{number}" if name == "determiner" else name])


def _with_line(choices: Choices, place: int, draws: dict[str, Indices]) -> Choices:
    """One derivation for each row of ``draws``, which replace those of the line at ``place``."""
    count = len(draws["template"])
    rows = Choices(
        *(np.repeat(field, count, axis=0) for field in choices[:-1]),
        {name: np.repeat(indices, count, axis=0) for name, indices in choices.line.items()},
    )
    for name, column in draws.items():
        rows.line[name][:, place] = column
    return rows


def _with_last(line: str, word: str) -> str:
    return " ".join([*line.split()[:-1], word])


def _with_another_hero(line: str) -> str:
    first, name, *rest = line.split()
    topic = next(topic for topic in TOPICS if name in (*topic.women, *topic.men))
    other = next(hero for hero in (*topic.women, *topic.men) if hero != name)
    return " ".join([first, other, *rest])


def _with_another_pronoun(line: str) -> str:
    first, *rest = line.split()
    return " ".join([{"She": "He", "He": "She", "Her": "His", "His": "Her"}[first], *rest])


def test_many_texts_at_once_are_what_each_is_alone() -> None:
    """Poems, what is none, and poems with a word changed, in more than one block."""
    texts = list(verse.poems(verse.BLOCK + 20, seed=3))
    texts[5:5] = ["no poem", "", texts[0].replace(" the ", " an ", 1), texts[1].upper()]
    together = list(verse.log_probabilities_of(texts))
    assert together == [verse.log_probability(text) for text in texts]
    assert np.isinf(together).sum() >= 3
    assert list(verse.log_probabilities_of(["no poem"])) == [-math.inf]
