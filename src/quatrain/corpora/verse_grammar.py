"""The grammar of the embedded verse: the form of a poem, its choices and their exact probabilities.

A poem is two quatrains that rhyme ABAB CDCD, on one topic, in one tense, about one hero. Its lines are a scene, the
hero, a scene, the pronoun of the hero, and the same again. Each line takes one of the templates of its kind, and each
slot of the template one word of the topic. Every choice is a draw of an index, its probability falling with the index
by a power law, independent of the others but for two: the number (singular or plural) decides between two sets of
determiners, and the rhymes are drawn without replacement, so that no family and no rhyme word comes twice.

All that was chosen can be read off the text, since no word form stands in two places: one text, one derivation.
"""

from functools import cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from quatrain.corpora.verse_words import PLURAL_DETERMINERS, PREPOSITIONS, RHYMES, SINGULAR_DETERMINERS, TOPICS

Indices = NDArray[np.intp]
Floats = NDArray[np.float64]

KINDS = ("scene", "hero", "scene", "pronoun") * 2
"""What each line of a poem tells."""

TEMPLATES = {
    "scene": (
        "determiner adjective noun verb preposition the rhyme",
        "when determiner noun verb preposition the adjective rhyme",
        "adverb determiner noun verb preposition the rhyme",
        "there verb determiner noun , doing preposition the rhyme",
        "as determiner noun governs the adjective rhyme",
    ),
    "hero": (
        "and name does determiner adjective noun preposition the rhyme",
        "where name acts adverb preposition the rhyme",
        "then name does nouns preposition the rhyme",
    ),
    "pronoun": (
        "pronoun acts adverb preposition the rhyme",
        "pronoun does determiner noun preposition the adjective rhyme",
        "possessive adjective noun verb preposition the rhyme",
    ),
}
"""Slots and literal words of each template. ``verb`` (intransitive) and ``governs`` (transitive) agree with the noun
of their line, ``acts`` (intransitive) and ``does`` (transitive) with the hero; ``nouns`` is a bare plural."""

SLOT_CHOICES = {
    "determiner": ("determiner",),
    "noun": ("noun", "number"),
    "nouns": ("noun",),
    "verb": ("intransitive",),
    "governs": ("transitive",),
    "acts": ("intransitive",),
    "does": ("transitive",),
    "doing": ("participle",),
    "adjective": ("adjective",),
    "adverb": ("adverb",),
    "preposition": ("preposition",),
}
"""The draws behind each slot of a line; all other slots follow from the poem's choices."""

LINE_DRAWS = (
    "template",
    "number",
    "determiner",
    "preposition",
    "noun",
    "adjective",
    "adverb",
    "intransitive",
    "participle",
    "transitive",
)
"""All draws that a line can make."""

FAMILIES_PER_TOPIC = 6
SINGULAR, PLURAL = 0, 1
PRESENT, PAST = 0, 1


def rhyme_families(topic: int) -> tuple[int, ...]:
    """The rhyme families (places in `RHYMES`) that a topic uses, the most frequent first."""
    return tuple((7 * topic + 5 * rank) % len(RHYMES) for rank in range(FAMILIES_PER_TOPIC))


class Choices(NamedTuple):
    """The derivations of a block of poems, as indices."""

    topic: Indices  # [poem]
    tense: Indices  # [poem]
    hero: Indices  # [poem], women and men of the topic by turns
    family: Indices  # [poem, 4], rank among the families of the topic, for A, B, C, D
    rhyme: Indices  # [poem, 4, 2], place in the family of the first and the second word
    line: dict[str, Indices]  # each [poem, 8]; only the draws that the line's template has are meant


def power_law(count: int, exponent: float) -> Floats:
    """Probabilities of ``count`` indices, index i proportional to (i + 1) ** -exponent."""
    weights = np.arange(1, count + 1, dtype=np.float64) ** -exponent
    return np.asarray(weights / weights.sum())


@cache
def distributions() -> dict[str, Floats]:
    """The probabilities of every draw by name; ``determiner`` stands twice, by number."""
    first = TOPICS[0]
    return {
        "topic": power_law(len(TOPICS), 0.3),
        "tense": np.array([0.7, 0.3]),
        "hero": power_law(len(first.women) + len(first.men), 0.7),
        "family": power_law(FAMILIES_PER_TOPIC, 0.8),
        "rhyme": power_law(len(RHYMES[0][1]), 0.8),
        "number": np.array([0.6, 0.4]),
        "determiner/0": power_law(len(SINGULAR_DETERMINERS), 1.0),
        "determiner/1": power_law(len(PLURAL_DETERMINERS), 1.0),
        "preposition": power_law(len(PREPOSITIONS), 0.7),
        "noun": power_law(len(first.nouns), 0.7),
        "adjective": power_law(len(first.adjectives), 0.7),
        "adverb": power_law(len(first.adjectives), 0.7),
        "intransitive": power_law(len(first.intransitive), 0.7),
        "participle": power_law(len(first.intransitive), 0.7),
        "transitive": power_law(len(first.transitive), 0.7),
        **{f"template/{kind}": power_law(len(templates), 0.7) for kind, templates in TEMPLATES.items()},
    }


def template_choices(kind: str, template: int) -> tuple[str, ...]:
    """The draws that a template makes besides itself, in the order of its slots."""
    slots = TEMPLATES[kind][template].split()
    return tuple(choice for slot in slots for choice in SLOT_CHOICES.get(slot, ()))


def draw(count: int, generator: np.random.Generator) -> Choices:
    """Draw ``count`` derivations; draws that a line's template lacks are made all the same and mean nothing."""
    tables = distributions()
    shape = (count, len(KINDS))
    line = {
        name: _pick(tables[name], shape, generator) for name in LINE_DRAWS if name not in ("template", "determiner")
    }
    line["determiner"] = np.where(
        line["number"] == SINGULAR,
        _pick(tables["determiner/0"], shape, generator),
        _pick(tables["determiner/1"], shape, generator),
    )
    columns = [_pick(tables[f"template/{kind}"], (count,), generator) for kind in KINDS]
    line["template"] = np.stack(columns, axis=1)
    return Choices(
        topic=_pick(tables["topic"], (count,), generator),
        tense=_pick(tables["tense"], (count,), generator),
        hero=_pick(tables["hero"], (count,), generator),
        family=_pick_distinct(tables["family"], 4, (count,), generator),
        rhyme=_pick_distinct(tables["rhyme"], 2, (count, 4), generator),
        line=line,
    )


def log_probabilities(choices: Choices) -> Floats:
    """The natural log-probability of each derivation, [poem]."""
    logs = {name: np.log(table) for name, table in distributions().items()}
    total = logs["topic"][choices.topic] + logs["tense"][choices.tense] + logs["hero"][choices.hero]
    total += _log_distinct(distributions()["family"], choices.family)
    total += _log_distinct(distributions()["rhyme"], choices.rhyme).sum(axis=1)
    for number, kind in enumerate(KINDS):
        column = {name: indices[:, number] for name, indices in choices.line.items()}
        total += logs[f"template/{kind}"][column["template"]]
        for template in range(len(TEMPLATES[kind])):
            rows = np.flatnonzero(column["template"] == template)
            chosen = {name: indices[rows] for name, indices in column.items()}
            for name in template_choices(kind, template):
                total[rows] += _log_draw(name, chosen, logs)
    return np.asarray(total)


@cache
def entropy() -> float:
    """The entropy of a poem in nats, by the chain rule over its draws: the mean of its negative log-probability."""
    single = {name: float(-(table * np.log(table)).sum()) for name, table in distributions().items()}
    singular, plural = distributions()["number"]
    single["determiner"] = float(singular * single["determiner/0"] + plural * single["determiner/1"])
    total = single["topic"] + single["tense"] + single["hero"]
    total += _entropy_distinct(distributions()["family"], 4) + 4 * _entropy_distinct(distributions()["rhyme"], 2)
    for kind in KINDS:
        total += single[f"template/{kind}"]
        for template, probability in enumerate(distributions()[f"template/{kind}"]):
            total += float(probability) * sum(single[name] for name in template_choices(kind, template))
    return total


def _pick(table: Floats, shape: tuple[int, ...], generator: np.random.Generator) -> Indices:
    # Rounding may leave the last sum below 1; the clip keeps an index from leaving the table.
    found = np.searchsorted(np.cumsum(table), generator.random(shape), side="right")
    return np.minimum(found, len(table) - 1)


def _pick_distinct(table: Floats, count: int, shape: tuple[int, ...], generator: np.random.Generator) -> Indices:
    # Racing exponential clocks: their order of arrival is a sequence of draws without replacement.
    arrival = generator.standard_exponential((*shape, len(table))) / table
    return np.argsort(arrival, axis=-1)[..., :count]


def _log_distinct(table: Floats, chosen: Indices) -> Floats:
    drawn = table[chosen]
    left = 1.0 - (np.cumsum(drawn, axis=-1) - drawn)
    return np.asarray(np.log(drawn / left).sum(axis=-1))


def _entropy_distinct(table: Floats, count: int) -> float:
    if count == 0:
        return 0.0
    here = float(-(table * np.log(table)).sum())
    rest = (np.delete(table, index) / (1.0 - table[index]) for index in range(len(table)))
    return here + sum(float(p) * _entropy_distinct(left, count - 1) for p, left in zip(table, rest, strict=True))


def _log_draw(name: str, chosen: dict[str, Indices], logs: dict[str, Floats]) -> Any:
    if name != "determiner":
        return logs[name][chosen[name]]
    # The sets of determiners differ in size, so each row is looked up in the table of its own number.
    found = np.empty(len(chosen[name]))
    for number in (SINGULAR, PLURAL):
        rows = chosen["number"] == number
        found[rows] = logs[f"determiner/{number}"][chosen[name][rows]]
    return found
