"""Sentence pairs of the embedded verse: does the second sentence retell the first in other words?

Each sentence tells one of eight scenes: who does what, to what, and where. Every part of a scene has four wordings of
one meaning, and a sentence takes one of three orders. A paraphrase tells the scene of the first sentence, its wordings
and its order drawn anew; a pair that is none tells two different scenes. Scenes are equally frequent, so that both
sentences by themselves have the same distribution under both labels: only the two together tell.
"""

from collections.abc import Iterator
from itertools import islice
from typing import NamedTuple

import numpy as np


class Scene(NamedTuple):
    """The wordings of the four parts of a scene; the wordings of a part mean the same."""

    actor: tuple[str, ...]
    action: tuple[str, ...]
    thing: tuple[str, ...]
    place: tuple[str, ...]


def _scene(actor: str, action: str, thing: str, place: str) -> Scene:
    return Scene(*(tuple(wordings.split("/")) for wordings in (actor, action, thing, place)))


SCENES = (
    _scene(
        "sailors/seamen/mariners/boatmen",
        "steer/pilot/guide/navigate",
        "ships/vessels/boats/ferries",
        "at sea/along the coast/over the waves/across the ocean",
    ),
    _scene(
        "farmers/reapers/ploughmen/growers",
        "gather/harvest/reap/mow",
        "grain/wheat/barley/corn",
        "in the field/on the farm/in the meadow/beside the barn",
    ),
    _scene(
        "cooks/bakers/chefs/kitchenmaids",
        "stir/mix/blend/whisk",
        "dough/batter/paste/pastry",
        "near the oven/by the stove/at the hearth/in the kitchen",
    ),
    _scene(
        "soldiers/warriors/fighters/knights",
        "guard/defend/protect/shield",
        "castles/fortresses/strongholds/citadels",
        "in war/under siege/in battle/under attack",
    ),
    _scene(
        "singers/minstrels/bards/vocalists",
        "sing/chant/croon/warble",
        "songs/ballads/melodies/tunes",
        "before the crowd/for the audience/at the concert/on the stage",
    ),
    _scene(
        "smiths/metalworkers/armourers/ironmongers",
        "hammer/forge/pound/beat",
        "iron/steel/metal/bronze",
        "on the anvil/with the tongs/inside the smithy/at the bellows",
    ),
    _scene(
        "scholars/pupils/students/learners",
        "read/study/peruse/examine",
        "books/volumes/tomes/texts",
        "among the shelves/among the scrolls/at the desk/in the library",
    ),
    _scene(
        "weavers/seamstresses/tailors/dressmakers",
        "sew/stitch/mend/embroider",
        "cloaks/gowns/robes/dresses",
        "at the loom/beside the spindle/with needles/with thread",
    ),
)

ORDERS = (
    "{actor} {action} {thing} {place} .",
    "{place} , {actor} {action} {thing} .",
    "see how {actor} {action} {thing} {place} .",
)

WORDINGS = 4
BLOCK = 512
"""Pairs drawn at once."""


def pairs(count: int, seed: int, first: int = 0) -> Iterator[tuple[str, str, int]]:
    """Rows ``first`` to ``count`` of two sentences and a label, 1 for a paraphrase and 0 for none, as often.

    Row k depends on (seed, k) alone. A paraphrase may by chance repeat a wording, or rarely the whole sentence.
    """
    for start in range(first - first % BLOCK, count, BLOCK):
        # The third number keeps the pairs of a seed apart from its poems.
        generator = np.random.default_rng((seed % 2**64, start // BLOCK, 1))
        label = generator.integers(2, size=BLOCK)
        one = generator.integers(len(SCENES), size=BLOCK)
        away = generator.integers(1, len(SCENES), size=BLOCK)
        other = np.where(label == 1, one, (one + away) % len(SCENES))
        order = generator.integers(len(ORDERS), size=(BLOCK, 2))
        wording = generator.integers(WORDINGS, size=(BLOCK, 2, len(Scene._fields)))
        scene = np.stack([one, other], axis=1)
        rows = zip(scene.tolist(), order.tolist(), wording.tolist(), label.tolist(), strict=True)
        for scenes, orders, wordings, same in islice(rows, max(first - start, 0), count - start):
            text_a, text_b = (_tell(*sentence) for sentence in zip(scenes, orders, wordings, strict=True))
            yield text_a, text_b, same


def _tell(scene: int, order: int, wordings: list[int]) -> str:
    parts = zip(Scene._fields, SCENES[scene], wordings, strict=True)
    sentence = ORDERS[order].format(**{part: options[choice] for part, options, choice in parts})
    return (sentence[0].upper() + sentence[1:]).replace(" ,", ",").replace(" .", ".")
