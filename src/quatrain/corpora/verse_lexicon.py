"""All word forms of the verse, numbered for writing, and what each form says, for reading."""

from collections.abc import Callable, Iterator
from functools import cache
from typing import Any, NamedTuple

import numpy as np

from quatrain.corpora.verse_grammar import PAST, PLURAL, PRESENT, SINGULAR, Indices
from quatrain.corpora.verse_words import (
    LITERALS,
    PLURAL_DETERMINERS,
    POSSESSIVES,
    PREPOSITIONS,
    PRONOUNS,
    PUNCTUATION,
    RHYMES,
    SINGULAR_DETERMINERS,
    TOPICS,
    VOWELS,
    Topic,
    adverb,
    participle,
    past,
    plural,
    third_person,
)

VERB_FORMS: tuple[Callable[[str], str], ...] = (third_person, str, past, participle)
"""Present with a singular and with a plural subject, past, participle."""


class Form(NamedTuple):
    """One written form and what it says: its place in the tables (if in any), its slots, and the draws it tells."""

    text: str
    table: str
    place: tuple[int, ...]
    slots: frozenset[str]
    poem: dict[str, int]
    line: dict[str, int]


class Lexicon(NamedTuple):
    """The forms numbered from 1 to ``heads``; 0 is nothing, and number + heads is a form as the head of a line."""

    strings: Any  # object array [2 * heads + 1]: what is written, with the space or the newline before it
    heads: int
    vowel: Any  # bool array like strings: the form wants "an" before it
    number: dict[str, int]
    tables: dict[str, Indices]  # the numbers of the forms, by topic, draw and inflection
    readings: dict[str, Form]  # by the form in small letters


@cache
def lexicon() -> Lexicon:
    """Number all forms, once."""
    forms = list(word_forms())
    texts = [form.text for form in forms]
    strings = [
        "",
        *(text if text in PUNCTUATION else f" {text}" for text in texts),
        *(f"\n{text[0].upper()}{text[1:]}" for text in texts),
    ]
    tables: dict[str, Indices] = {}
    for name in dict.fromkeys(form.table for form in forms if form.table):
        numbered = {form.place: number for number, form in enumerate(forms, start=1) if form.table == name}
        tables[name] = np.zeros(np.max([*numbered], axis=0) + 1, dtype=np.intp)
        for place, number in numbered.items():
            tables[name][place] = number
    return Lexicon(
        strings=np.array(strings, dtype=object),
        heads=len(forms),
        vowel=np.array([text[1:2] in VOWELS for text in strings]),
        number={text: number for number, text in enumerate(texts, start=1)},
        tables=tables,
        readings={form.text.lower(): form for form in forms},
    )


def word_forms() -> Iterator[Form]:
    """Every form of the verse, once."""
    yield from _small_words()
    for topic, stems in enumerate(TOPICS):
        yield from _topic_forms(topic, stems)
    for family, (_, words) in enumerate(RHYMES):
        for index, word in enumerate(words):
            yield Form(word, "rhyme", (family, index), frozenset({"rhyme"}), {}, {"family": family, "rhyme": index})


def _small_words() -> Iterator[Form]:
    for word in (*PUNCTUATION, *LITERALS):
        yield Form(word, "", (), frozenset({word, "determiner"} if word in ("the", "an") else {word}), {}, {})
    for word in dict.fromkeys((*SINGULAR_DETERMINERS, *PLURAL_DETERMINERS)):
        if word not in LITERALS:
            yield Form(word, "", (), frozenset({"determiner"}), {}, {})
    for slot, words in (("pronoun", PRONOUNS), ("possessive", POSSESSIVES)):
        for index, word in enumerate(words):
            yield Form(word, slot, (index,), frozenset({slot}), {}, {})
    for index, word in enumerate(PREPOSITIONS):
        yield Form(word, "preposition", (index,), frozenset({"preposition"}), {}, {"preposition": index})


def _topic_forms(topic: int, stems: Topic) -> Iterator[Form]:
    at = {"topic": topic}
    for index, noun in enumerate(stems.nouns):
        draws = {"noun": index}
        yield Form(noun, "noun", (topic, index, SINGULAR), frozenset({"noun"}), at, {**draws, "number": SINGULAR})
        both = frozenset({"noun", "nouns"})
        yield Form(plural(noun), "noun", (topic, index, PLURAL), both, at, {**draws, "number": PLURAL})
    for table, verbs in (("intransitive", stems.intransitive), ("transitive", stems.transitive)):
        for index, verb in enumerate(verbs):
            yield from _verb_forms(verb, table, topic, index)
    for index, adjective in enumerate(stems.adjectives):
        yield Form(adjective, "adjective", (topic, index), frozenset({"adjective"}), at, {"adjective": index})
        yield Form(adverb(adjective), "adverb", (topic, index), frozenset({"adverb"}), at, {"adverb": index})
    for index, name in enumerate(name for couple in zip(stems.women, stems.men, strict=True) for name in couple):
        yield Form(name, "name", (topic, index), frozenset({"name"}), {**at, "hero": index}, {})


def _verb_forms(verb: str, table: str, topic: int, index: int) -> Iterator[Form]:
    finite = frozenset({"verb", "acts"} if table == "intransitive" else {"does", "governs"})
    for form, inflect in enumerate(VERB_FORMS):
        tense = {"tense": PAST if form == 2 else PRESENT}
        if form < 3:
            slots, poem, line = finite, {"topic": topic, **tense}, {table: index}
        else:
            slots, poem, line = frozenset({"doing"}), {"topic": topic}, {"participle": index}
        if form < 3 or table == "intransitive":
            yield Form(inflect(verb), table, (topic, index, form), slots, poem, line)
