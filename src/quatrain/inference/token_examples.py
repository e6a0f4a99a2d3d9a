"""What a masked LM guesses for hidden tokens, and how the loss of a causal LM falls with what it has read."""

from itertools import pairwise
from typing import Any

import numpy as np
import torch

from quatrain.core.batches import IGNORED
from quatrain.data.collate import as_tensors
from quatrain.data.sampler import EVALUATION
from quatrain.inference.held_out import HeldOut
from quatrain.inference.loading import Loaded
from quatrain.inference.part import at_most
from quatrain.inference.scoring import TokenScorer, batches_of, unwarned
from quatrain.tasks.samples import Question, asked_places, logits_of, questions, visible

TEXTS, GUESSES = 8, 5

LOOKED_AT = 64
"""Rows among which those with a mask are found."""

POSITION_TOKENS = 1 << 16
"""Scored for the loss by position."""

BINS = 128


def fills(loaded: Loaded, held_out: HeldOut) -> list[dict[str, Any]]:
    """Return at most `TEXTS` rows as ``pieces``: text, and between it each mask with its ``right`` token and `GUESSES`.

    A guess is a token and its probability. Tokens that were replaced or left (80/10/10) are text, as the model sees
    them.
    """
    tokenizer, size = loaded.tokenizer, len(held_out.rows)
    some = np.unique(np.linspace(0, size - 1, min(size, LOOKED_AT)).astype(int)).tolist()
    batch = as_tensors(held_out.rows.__getitems__([(EVALUATION, row) for row in some]))
    with loaded.computing():
        return [{"pieces": _pieces(loaded, row)} for row in questions("masked_lm", batch, tokenizer, TEXTS)]


def _pieces(loaded: Loaded, row: Question) -> list[Any]:
    tokenizer, places = loaded.tokenizer, asked_places(row, loaded.tokenizer.mask_id)
    chances, ids = logits_of(loaded.model, row)[places].softmax(-1).topk(GUESSES)
    texts = _between(loaded, row.inputs["input_ids"], places)
    pieces: list[Any] = [texts[0]]
    for place, text, chance, guess in zip(places, texts[1:], chances.tolist(), ids.tolist(), strict=True):
        right = tokenizer.decode([row.right[place]])
        begins = len(pieces) == 1 and not pieces[0]
        if right[:1].isspace() and right.strip() and not begins and not pieces[-1][-1:].isspace():
            pieces[-1] += " "  # the space belongs to the hidden token
        tokens = [visible(tokenizer.decode([one])) for one in guess]
        guesses = [list(pair) for pair in zip(tokens, chance, strict=True)]
        pieces += [{"right": visible(right), "guesses": guesses}, text]
    return [piece for piece in pieces if piece]


def _between(loaded: Loaded, ids: list[int], places: list[int]) -> list[str]:
    """The texts before, between and after ``places``, without special tokens, spaced as in the whole."""
    tokenizer = loaded.tokenizer
    ends = [-1, *places, len(ids)]
    parts = [[one for one in ids[start + 1 : end] if one not in tokenizer.special_ids] for start, end in pairwise(ends)]
    joined = parts[0] + [one for place, part in zip(places, parts[1:], strict=True) for one in (ids[place], *part)]
    texts = tokenizer.decode(joined).split(tokenizer.hf.mask_token)
    return texts if len(texts) == len(parts) else [tokenizer.decode(part) for part in parts]


def loss_by_position(loaded: Loaded, held_out: HeldOut) -> dict[str, list[float]]:
    """Return the mean ``loss`` in nats by the ``position`` in a window, from 1, and how many ``tokens`` it is over.

    The position of a prediction is the number of tokens before it; of at most `BINS` bins, it is the middle of the bin.
    Every place of a window counts, also one that an earlier window has scored, in windows of at most `POSITION_TOKENS`
    in all, evenly spread over the split.
    """
    part = at_most(held_out, tokens=POSITION_TOKENS)
    sums = np.zeros((held_out.max_length, 2))
    with unwarned(), TokenScorer(loaded.model, "causal_lm") as scorer, loaded.computing():
        for batch in batches_of(loaded, part):
            found = scorer.by_column({**batch, "target": all_targets(batch["input_ids"], batch["target"])})
            sums[: len(found)] += found
    wide = -(-len(sums) // BINS)
    starts = np.arange(0, len(sums), wide)
    nats, tokens = np.add.reduceat(sums, starts).T
    middles = (starts + 1 + np.minimum(starts + wide, len(sums))) / 2
    scored = tokens > 0
    return {
        "position": middles[scored].tolist(),
        "loss": (nats[scored] / tokens[scored]).tolist(),
        "tokens": tokens[scored].astype(int).tolist(),
    }


def all_targets(ids: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """``target`` [batch, seq] with those places too that it leaves to an earlier window; not what fills up a row."""
    places = torch.arange(ids.shape[1], device=ids.device)
    last = torch.where(target != IGNORED, places, -1).amax(dim=1, keepdim=True)
    following = torch.cat([ids[:, 1:], target[:, -1:]], dim=1)
    return torch.where(places <= last, following, IGNORED)
