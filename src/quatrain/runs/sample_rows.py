"""Rows that need no data: random ids of several lengths and numbers of rows, on which two models can be compared."""

import inspect
from typing import Any

import torch
from torch import Tensor

from quatrain.runs.export import INPUTS, MOST_LOGITS

Rows = dict[str, Tensor]

SHAPES = ((1, 1), (1, 2), (2, 3), (3, 7), (4, 16), (2, 33))
"""[batch, seq] of the batches; one row of the longest text follows, of at most `MOST_LOGITS` logits."""

MOST_TOKENS = 1024
"""The longest row of a model whose logits are few."""


def inputs_of(model: Any, tokenizer: Any) -> tuple[str, ...]:
    """The `INPUTS` that ``model`` takes and ``tokenizer`` (of transformers) gives, in their order."""
    taken = inspect.signature(model.forward).parameters
    types = getattr(model.config, "type_vocab_size", 2) > 1 and "token_type_ids" in tokenizer.model_input_names
    return tuple(name for name in INPUTS if name in taken and (types or name != "token_type_ids"))


def sample_rows(model: Any, inputs: tuple[str, ...], longest: int | None) -> list[Rows]:
    """Batches of int64 [batch, seq] for ``inputs``: the same at each call, padded on the right, each row shorter.

    ``longest``: tokens that the model has positions for; None where nothing bounds them.
    """
    vocabulary = model.get_input_embeddings().weight.shape[0]
    padding = getattr(model.config, "pad_token_id", None) or 0  # one of the user's own need not have it
    most = MOST_TOKENS if model.get_output_embeddings() is None else max(1, MOST_LOGITS // vocabulary)
    longest = most if longest is None else min(longest, most)
    shapes = [(batch, seq) for batch, seq in SHAPES if seq < longest]
    generator = torch.Generator().manual_seed(0)
    return [_batch(shape, inputs, vocabulary, padding, generator) for shape in (*shapes, (1, longest))]


def _batch(
    shape: tuple[int, int], inputs: tuple[str, ...], vocabulary: int, padding: int, generator: torch.Generator
) -> Rows:
    batch, seq = shape
    lengths = torch.tensor([max(1, seq - row * seq // batch) for row in range(batch)])
    seen = (torch.arange(seq) < lengths[:, None]).long()
    ids = torch.randint(vocabulary, shape, generator=generator)
    ids[ids == padding] = (padding + 1) % vocabulary  # RoBERTa counts its positions by what is no padding
    second = (torch.arange(seq) >= lengths[:, None] // 2).long() * seen
    made = {
        "input_ids": torch.where(seen.bool(), ids, padding),
        "attention_mask": seen,
        "token_type_ids": second,
    }
    return {name: made[name] for name in inputs}
