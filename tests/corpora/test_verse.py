"""The embedded verse: a stream by seed, at least 2,000 word forms, and in every line rhyme and agreement, checked with
nothing of the grammar but its word lists."""

import itertools
import re
import tracemalloc
from collections.abc import Iterator

from hypothesis import given, settings
from hypothesis import strategies as st

from quatrain.corpora import verse
from quatrain.corpora.verse_words import RHYMES, SINGULAR_DETERMINERS, TOPICS, past, plural, third_person

ENDING = {word: ending for ending, words in RHYMES for word in words}
SAMPLE = list(verse.poems(4000, seed=7))


def words(text: str) -> list[str]:
    return re.findall(r"[a-z]+", text.lower())


def test_the_default_corpus_has_at_least_two_thousand_word_forms() -> None:
    assert len({word for poem in SAMPLE for word in words(poem)}) >= 2000


def test_poems_are_a_deterministic_stream_and_a_longer_one_begins_with_the_shorter() -> None:
    assert list(verse.poems(600, seed=7)) == SAMPLE[:600]
    assert list(verse.poems(0, seed=7)) == []
    assert len(set(SAMPLE)) == len(SAMPLE)


def test_different_seeds_give_disjoint_text() -> None:
    other = list(verse.poems(4000, seed=8))
    assert not set(other) & set(SAMPLE)
    lines = [{line for poem in poems for line in poem.split("\n")} for poems in (SAMPLE, other)]
    assert len(lines[0] & lines[1]) < 0.05 * len(lines[0])


def test_poems_are_made_as_they_are_read_in_flat_memory() -> None:
    stream = verse.poems(10**12, seed=1)
    assert isinstance(stream, Iterator)
    next(stream)

    def peak(count: int) -> int:
        tracemalloc.reset_peak()
        for _ in itertools.islice(stream, count):
            pass
        return tracemalloc.get_traced_memory()[1]

    tracemalloc.start()
    try:
        peak(1500)
        assert peak(6000) < 1.2 * peak(1500)
    finally:
        tracemalloc.stop()


def test_every_poem_is_two_quatrains_rhymed_abab_cdcd_without_a_repeated_rhyme_word() -> None:
    for poem in SAMPLE:
        lines = poem.split("\n")
        assert [line[-1] for line in lines] == [",", ";", ",", "."] * 2
        ends = [words(line)[-1] for line in lines]
        a, b, a2, b2, c, d, c2, d2 = (ENDING[end] for end in ends)
        assert (a, b, c, d) == (a2, b2, c2, d2)
        assert len({a, b, c, d}) == 4
        assert len(set(ends)) == 8


def test_determiners_and_present_verbs_agree_with_their_noun() -> None:
    nouns = {noun for topic in TOPICS for noun in topic.nouns}
    plurals = {plural(noun) for noun in nouns}
    verbs = {verb for topic in TOPICS for verb in (*topic.intransitive, *topic.transitive)}
    with_s = {third_person(verb) for verb in verbs}
    seen = {"singular": 0, "plural": 0}
    for poem in SAMPLE:
        for here, after in itertools.pairwise(words(poem.replace("\n", " . "))):
            if here in (*SINGULAR_DETERMINERS[1:], "an"):
                assert after not in plurals
            if here in ("these", "many", "some"):
                assert after not in nouns
            if here in nouns:
                assert after not in verbs
                seen["singular"] += after in with_s
            if here in plurals:
                assert after not in with_s
                seen["plural"] += after in verbs
    assert min(seen.values()) > 1000


def test_a_is_written_an_before_a_vowel_and_only_there() -> None:
    for poem in SAMPLE:
        for here, after in itertools.pairwise(words(poem)):
            if here in ("a", "an"):
                assert (here == "an") == (after[0] in "aeiou")


def test_a_poem_keeps_its_hero_pronoun_topic_and_tense() -> None:
    women = {name: topic for topic in TOPICS for name in topic.women}
    men = {name: topic for topic in TOPICS for name in topic.men}
    for poem in SAMPLE:
        lines = poem.split("\n")
        (hero,) = {line.split()[1] for line in (lines[1], lines[5])}
        expected = {"She", "Her"} if hero in women else {"He", "His"}
        assert {line.split()[0] for line in (lines[3], lines[7])} <= expected
        topic = women.get(hero) or men[hero]
        verbs = (*topic.intransitive, *topic.transitive)
        found = set(words(poem))
        is_past = bool(found & {past(verb) for verb in verbs})
        assert is_past != bool(found & {form for verb in verbs for form in (verb, third_person(verb))})


def test_the_fingerprint_is_a_sha256_and_does_not_change_by_itself() -> None:
    assert re.fullmatch(r"[0-9a-f]{64}", verse.grammar_fingerprint())
    assert verse.grammar_fingerprint() == verse.grammar_fingerprint()


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(-(2**40), 2**80), count=st.integers(0, 40))
def test_any_seed_gives_as_many_poems_as_asked(seed: int, count: int) -> None:
    assert len(list(verse.poems(count, seed))) == count
    assert len(list(verse.pairs(count, seed))) == count
