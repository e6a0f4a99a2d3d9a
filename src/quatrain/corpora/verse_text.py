"""Derivations of the verse as text, and back: `read` undoes `write`."""

import re
from collections.abc import Sequence

import numpy as np

from quatrain.corpora.verse_grammar import (
    KINDS,
    LINE_DRAWS,
    PLURAL,
    PRESENT,
    SINGULAR,
    TEMPLATES,
    Choices,
    Indices,
    rhyme_families,
)
from quatrain.corpora.verse_lexicon import lexicon
from quatrain.corpora.verse_words import PLURAL_DETERMINERS, SINGULAR_DETERMINERS

LINE_ENDS = (",", ";", ",", ".") * 2
RHYME_PAIR = (0, 1, 0, 1, 2, 3, 2, 3)
"""Which of the rhymes A, B, C, D ends each line."""
RHYME_WORD = (0, 0, 1, 1) * 2
"""Whether a line ends in the first or in the second word of its rhyme."""
FIRST_LINES = (0, 1, 4, 5)
"""The line of the first word of each rhyme; its second word ends the line after the next."""


def write(choices: Choices) -> list[str]:
    """The text of each derivation."""
    words = lexicon()
    count = len(choices.topic)
    longest = max(len(template.split()) for templates in TEMPLATES.values() for template in templates)
    written = np.zeros((count, len(KINDS), longest + 1), dtype=np.intp)
    slots = _slots(choices)
    for line, kind in enumerate(KINDS):
        for number, template in enumerate(TEMPLATES[kind]):
            rows = np.flatnonzero(choices.line["template"][:, line] == number)
            for place, slot in enumerate(template.split()):
                filled = slots.get(slot)
                written[rows, line, place] = words.number[slot] if filled is None else filled[rows, line]
            written[rows, line, place + 1] = words.number[LINE_ENDS[line]]
    _choose_article(written)
    written[:, :, 0] += words.heads
    strings = words.strings[written.reshape(count, -1)]
    return ["".join(row)[1:] for row in strings.tolist()]


def read(text: str) -> Choices | None:
    """The derivation of a poem, or None where there is none; draws that a line does not make are 0."""
    choices = parse(text)
    # What disagrees anywhere (number, tense, hero, topic, spelling, punctuation) does not come back as it was.
    return choices if choices is not None and write(choices) == [text] else None


def parse(text: str) -> Choices | None:
    """The only derivation that can make a text, or None; it makes another text where something disagrees."""
    lines = text.split("\n")
    if len(lines) != len(KINDS):
        return None
    poem: dict[str, int] = {}
    draws = [_read_line(line, kind, poem) for line, kind in zip(lines, KINDS, strict=True)]
    return _collect(poem, [line for line in draws if line is not None])


def joined(parts: Sequence[Choices]) -> Choices:
    """Derivations one after another in one block."""
    return Choices(
        topic=np.concatenate([part.topic for part in parts]),
        tense=np.concatenate([part.tense for part in parts]),
        hero=np.concatenate([part.hero for part in parts]),
        family=np.concatenate([part.family for part in parts]),
        rhyme=np.concatenate([part.rhyme for part in parts]),
        line={name: np.concatenate([part.line[name] for part in parts]) for name in LINE_DRAWS},
    )


def _slots(choices: Choices) -> dict[str, Indices]:
    """The number of the form that fills each slot, in every line of every poem: each [poem, 8]."""
    tables = lexicon().tables
    line = choices.line
    topic = choices.topic[:, None]
    singular = line["number"] == SINGULAR
    hero_form = np.where(choices.tense == PRESENT, 0, 2)[:, None]
    noun_form = np.where(choices.tense[:, None] == PRESENT, line["number"], 2)
    families = np.array([rhyme_families(number) for number in range(len(tables["name"]))])
    family = families[topic, choices.family[:, RHYME_PAIR]]
    man = np.broadcast_to(choices.hero[:, None] % 2, singular.shape)
    return {
        "determiner": np.where(
            singular,
            _numbers(SINGULAR_DETERMINERS)[line["determiner"]],
            _numbers(PLURAL_DETERMINERS)[line["determiner"] % len(PLURAL_DETERMINERS)],
        ),
        "noun": tables["noun"][topic, line["noun"], line["number"]],
        "nouns": tables["noun"][topic, line["noun"], PLURAL],
        "verb": tables["intransitive"][topic, line["intransitive"], noun_form],
        "governs": tables["transitive"][topic, line["transitive"], noun_form],
        "acts": tables["intransitive"][topic, line["intransitive"], hero_form],
        "does": tables["transitive"][topic, line["transitive"], hero_form],
        "doing": tables["intransitive"][topic, line["participle"], 3],
        "adjective": tables["adjective"][topic, line["adjective"]],
        "adverb": tables["adverb"][topic, line["adverb"]],
        "preposition": tables["preposition"][line["preposition"]],
        "rhyme": tables["rhyme"][family, choices.rhyme[:, RHYME_PAIR, RHYME_WORD]],
        "name": np.broadcast_to(tables["name"][choices.topic, choices.hero][:, None], singular.shape),
        "pronoun": tables["pronoun"][man],
        "possessive": tables["possessive"][man],
    }


def _numbers(words: tuple[str, ...]) -> Indices:
    return np.array([lexicon().number[word] for word in words])


def _choose_article(written: Indices) -> None:
    """Make ``an`` of each ``a`` that stands before a vowel, in place."""
    words = lexicon()
    poem, line, place = np.nonzero(written == words.number["a"])
    before_vowel = words.vowel[written[poem, line, place + 1]]
    written[poem[before_vowel], line[before_vowel], place[before_vowel]] = words.number["an"]


def _read_line(text: str, kind: str, poem: dict[str, int]) -> dict[str, int] | None:
    """The draws of one line; what it tells of the whole poem goes into ``poem``."""
    forms = re.findall(r"[a-z]+|,(?!$)", text.lower())
    for number, template in enumerate(TEMPLATES[kind]):
        line = _fill(template.split(), forms, poem)
        if line is not None:
            return {**line, "template": number}
    return None


def _fill(slots: list[str], forms: list[str], poem: dict[str, int]) -> dict[str, int] | None:
    """The draws that ``forms`` tell where they stand in ``slots``, or None where they do not fit."""
    if len(forms) != len(slots):
        return None
    line: dict[str, int] = {}
    told: dict[str, int] = {}
    for slot, form in zip(slots, forms, strict=True):
        reading = lexicon().readings.get(form)
        if reading is None or slot not in reading.slots:
            return None
        line.update(reading.line)
        told.update(reading.poem)
    if "determiner" in slots:
        article = forms[slots.index("determiner")]
        known = SINGULAR_DETERMINERS if line["number"] == SINGULAR else PLURAL_DETERMINERS
        if article not in (*known, "an"):
            return None
        line["determiner"] = known.index("a" if article == "an" and "a" in known else article)
    poem.update(told)
    return line


def _collect(poem: dict[str, int], lines: list[dict[str, int]]) -> Choices | None:
    """The derivation with one poem that the draws of its lines make, or None where they make none."""
    if len(lines) != len(KINDS):
        return None
    families = rhyme_families(poem["topic"])
    if any(line["family"] not in families for line in lines):
        return None
    rhyme = [[lines[first]["rhyme"], lines[first + 2]["rhyme"]] for first in FIRST_LINES]
    family = [families.index(lines[first]["family"]) for first in FIRST_LINES]
    if len(set(family)) < len(family) or any(first == second for first, second in rhyme):
        return None
    return Choices(
        topic=np.array([poem["topic"]]),
        tense=np.array([poem["tense"]]),
        hero=np.array([poem["hero"]]),
        family=np.array([family]),
        rhyme=np.array([rhyme]),
        line={name: np.array([[line.get(name, 0) for line in lines]]) for name in LINE_DRAWS},
    )
