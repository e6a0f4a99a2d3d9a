"""Whether tiktoken's way of byte-pair encoding gives a tokenizer's very ids.

Both begin with the bytes of a word and join two neighbours, again and again, always the pair of the lowest rank and of
these the leftmost. `tokenizers` ranks the pairs that its list of merges names by their places in it. tiktoken ranks
*tokens*: any two neighbours that together spell a token may be joined, by that token's rank; and a word that is a token
is not merged at all.

They do the same where each token that merges make is made by one merge only, and its rank is that merge's place, and
the merges make it of its own bytes alone. For suppose that in some word the neighbours x and y spell the token t. Until
now no merge has crossed the ends of x or y, and each merge inside of them was the lowest, leftmost of the whole word,
so also of these bytes; so the bytes of t alone would have gone the same way, to x and y. From there they go on to t,
which only the one pair that makes t can do: so x and y are that pair, and both join them by the same rank. A token that
its own bytes do not lead to is, by the same argument, made in no word at all, and is left out of tiktoken's ranks; so
are special tokens, and all that is in the vocabulary but not made by merges. A word that is a token is left at once:
its bytes lead there.

The ids themselves play no part: a table maps ranks to them. What is asked of the tokenizer besides: all 256 bytes are
tokens, so that nothing is unknown; no dropout, no normalizer, no space put before; words by GPT-2's pattern; and
strings that are found before words (special ones that are allowed, and added ones) cannot overlap.
"""

import itertools
import json
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from quatrain.tokenizers.byte_level import byte_of_character, character_of_byte, to_bytes


class MergeRanks(NamedTuple):
    """A proved tokenizer as tiktoken takes it."""

    ranks: dict[bytes, int]
    found: dict[str, int]
    """Strings that are found before words, with ranks behind all others."""
    ids: np.ndarray
    """[ranks] int32: the id of each rank."""


def prove(serialized: str, allowed: frozenset[str]) -> MergeRanks | str:
    """Return the ranks of a tokenizer whose ids tiktoken gives, or else why that is not proved.

    ``serialized`` is the content of its tokenizer.json, as the library itself writes it; ``allowed`` are the special
    strings that become their one id in a text.
    """
    content = json.loads(serialized)
    found = [token for token in content["added_tokens"] if token["content"] in allowed or not token["special"]]
    reason = _other_words(content) or _other_model(content["model"]) or _ambiguous(content["added_tokens"], found)
    if reason:
        return reason
    vocabulary: dict[str, int] = content["model"]["vocab"]
    merged = [first + second for first, second in content["model"]["merges"]]
    if len(set(merged)) < len(merged):
        return "several merges make the same token"
    made = _made(serialized, merged, vocabulary)
    ranks = {bytes([byte]): byte for byte in range(256)}
    ranks |= {to_bytes(token): 256 + place for place, token in enumerate(merged) if made[place]}
    behind = 256 + len(merged)
    ids = np.zeros(behind + len(found), dtype=np.int32)
    ids[:256] = [vocabulary[character_of_byte()[byte]] for byte in range(256)]
    ids[256:behind] = [vocabulary[token] for token in merged]
    ids[behind:] = [token["id"] for token in found]
    return MergeRanks(ranks, {token["content"]: behind + place for place, token in enumerate(found)}, ids)


def _other_words(content: dict[str, Any]) -> str | None:
    """What in front of the merges is not GPT-2's."""
    pre_tokenizer = content["pre_tokenizer"] or {}
    if content["normalizer"] is not None:
        return "a normalizer changes the text"
    if pre_tokenizer.get("type") != "ByteLevel" or not pre_tokenizer.get("use_regex", True):
        return "its words are not found by GPT-2's pattern"
    return "a space is put before the text" if pre_tokenizer["add_prefix_space"] else None


def _other_model(model: dict[str, Any]) -> str | None:
    """What in the merging is not GPT-2's."""
    if model["type"] != "BPE":
        return f"its model is {model['type']}"
    switches = ("dropout", "continuing_subword_prefix", "end_of_word_suffix", "byte_fallback", "ignore_merges")
    if switched := [name for name in switches if model.get(name)]:
        return f"its model has {', '.join(switched)}"
    if any(character not in model["vocab"] for character in byte_of_character()):
        return "not every byte is a token"
    return None


def _ambiguous(added: Sequence[dict[str, Any]], found: Sequence[dict[str, Any]]) -> str | None:
    """What could make the two find other strings in a text; skipped ones count, for they may hide others."""
    if any(token["lstrip"] or token["rstrip"] or token["single_word"] for token in found):
        return "an added token takes the space beside it, or stands for whole words only"
    strings = [token["content"] for token in added]
    if found and any(_overlap(one, other) for one, other in itertools.permutations(strings, 2)):
        return "two added tokens can overlap"
    return None


def _overlap(one: str, other: str) -> bool:
    """Whether ``other`` lies in ``one`` or begins where ``one`` ends."""
    return other in one or any(one.endswith(other[:length]) for length in range(1, len(other)))


def _made(serialized: str, merged: Sequence[str], vocabulary: dict[str, int]) -> list[bool]:
    """Whether the merges, as the library itself applies them, make each token of its own bytes alone."""
    from tokenizers import Tokenizer

    model = Tokenizer.from_str(serialized).model
    table = byte_of_character()
    return [
        table.keys() >= set(token) and [part.id for part in model.tokenize(token)] == [vocabulary[token]]
        for token in merged
    ]
