"""Encoding one text or a pair of texts for a classifier, a batch at a time."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from quatrain.tokenizers.tokenizer import Tokenizer


class PairEncoder:
    """Encodes columns ``text_a`` and, where there is one, ``text_b``; a function for `datasets.Dataset.map`.

    Rows get the model's special tokens and at most ``max_length`` ids in all, cut at the end of the longer text
    (``longest_first`` as the `tokenizers` library has it). ``token_types``: give each token the number of its segment,
    as the tokenizer's own template says. Can be sent to other processes.
    """

    def __init__(self, tokenizer: Tokenizer, *, pairs: bool, max_length: int, token_types: bool) -> None:
        self.tokenizer, self.max_length, self.token_types = tokenizer, max_length, token_types
        self.around = [np.asarray(part, dtype=np.int32) for part in _around(tokenizer, pairs)]
        self.room = max_length - sum(map(len, self.around))
        self.segments = _segments(tokenizer, [len(part) for part in self.around])

    def __call__(self, rows: Mapping[str, Sequence[str]]) -> dict[str, list[Any]]:
        """Return ``input_ids``, ``truncated`` (bool) and, where wanted, ``token_type_ids`` of each row."""
        texts = [rows[column] for column in ("text_a", "text_b")[: len(self.around) - 1]]
        encoded = [self.tokenizer.encode(column) for column in texts]
        lengths = np.asarray([[len(ids) for ids in column] for column in encoded], dtype=np.int64)
        kept = longest_first(lengths, self.room)
        truncated: list[Any] = np.any(kept < lengths, axis=0).tolist()
        result: dict[str, list[Any]] = {"input_ids": [], "truncated": truncated}
        if self.token_types:
            result["token_type_ids"] = []
        for row, texts_of_row in enumerate(zip(*encoded, strict=True)):
            parts = [self.around[0]]
            for place, ids in enumerate(texts_of_row):
                parts += [ids[: kept[place, row]], self.around[place + 1]]
            result["input_ids"].append(np.concatenate(parts))
            if self.token_types:
                counts = [len(part) for part in parts]
                result["token_type_ids"].append(np.repeat(self.segments, counts).astype(np.uint8))
        return result


def longest_first(lengths: NDArray[np.int64], room: int) -> NDArray[np.int64]:
    """Return how many tokens to keep of each text: [texts, rows] lengths in and out, together at most ``room`` a row.

    Of two texts the longer one is cut down, to no fewer than half of the room; then both have half, and where the room
    is odd the text that was longer (the second, where they were equal) has one more.
    """
    if len(lengths) == 1:
        return np.minimum(lengths, room)
    short, long = lengths.min(axis=0), lengths.max(axis=0)
    half = room // 2
    kept_short = np.where(short + long <= room, short, np.minimum(short, half))
    kept_long = np.where(short + long <= room, long, room - kept_short)
    first_is_longer = lengths[0] > lengths[1]
    first = np.where(first_is_longer, kept_long, kept_short)
    return np.stack([first, kept_short + kept_long - first])


def _around(tokenizer: Tokenizer, pairs: bool) -> tuple[list[int], ...]:
    """The model's special ids before, between and after the texts."""
    return tokenizer.wrap_pair() if pairs else tokenizer.wrap()


def _segments(tokenizer: Tokenizer, around: list[int]) -> NDArray[np.uint8]:
    """The segment number of each part of a row: special ids, text, special ids, (text, special ids).

    Read off a sample that the tokenizer's own template made; a part without tokens takes 0.
    """
    sample = ["a"] * (len(around) - 1)
    encoding = tokenizer.hf.backend_tokenizer.encode(*sample, add_special_tokens=True)
    text_length = (len(encoding.ids) - sum(around)) // len(sample)
    counts = [around[0]]
    for special in around[1:]:
        counts += [text_length, special]
    starts = np.cumsum([0, *counts[:-1]])
    return np.asarray(
        [encoding.type_ids[start] if count else 0 for start, count in zip(starts, counts, strict=True)], dtype=np.uint8
    )
