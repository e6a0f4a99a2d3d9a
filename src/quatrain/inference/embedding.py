"""What a model's body makes of texts: vectors."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from itertools import chain
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from quatrain.core.errors import UserError
from quatrain.corpora.records import Refuse, stop
from quatrain.inference.forward import called, named_rows
from quatrain.inference.loading import Loaded
from quatrain.inference.rows import Row
from quatrain.inference.streaming import POOL_CHARACTERS, POOL_ROWS, Answers, Arrays, Tally, encoder_of, fill_of

Pool = Literal["mean", "first", "none"]
"""How the vectors of a text's tokens become one: their mean, that of the first token; or they stay as they are."""

Vectors = NDArray[np.float32]
"""[hidden] of a pooled text, [seq, hidden] of one that is not."""

_UNPOOLED = 16
"""Times less is read ahead where each token keeps its vector."""


def embed_texts(
    loaded: Loaded,
    texts: Iterable[str],
    *,
    pool: Pool = "mean",
    normalize: bool = False,
    batch_size: int = 32,
    max_length: int | None = None,
) -> Iterator[Vectors]:
    """Yield the vector of each text in order, or with ``pool="none"`` those of its tokens; special tokens count.

    ``loaded``: the body alone, by ``load(target, task="encoder")``, of an encoder-decoder its encoder.
    ``normalize``: every vector gets length 1. ``max_length``: as for `predict_texts`.

    Raises:
        UserError: something else than text, a model whose vectors are no numbers, or a ``max_length`` that does not
            fit.
    """
    rows = embed_rows(
        loaded, named_rows(texts), pool=pool, normalize=normalize, batch_size=batch_size, max_length=max_length
    )
    return (vectors for _, vectors in rows)


def embed_rows(
    loaded: Loaded,
    rows: Iterable[Row],
    *,
    pool: Pool = "mean",
    normalize: bool = False,
    batch_size: int = 32,
    max_length: int | None = None,
    tally: Tally | None = None,
    refuse: Refuse = stop,
) -> Iterator[tuple[Row, Vectors]]:
    """Yield each row with what `embed_texts` makes of its one text, in order.

    ``tally`` is counted up on the way; ``refuse`` gets the error of a row without a token.

    Raises:
        UserError: as `embed_texts`, with the row's place.
    """
    source = iter(rows)
    first = next(source, None)
    if first is None:
        return
    if loaded.model.config.is_encoder_decoder:
        loaded = replace(loaded, model=loaded.model.get_encoder())
    less = _UNPOOLED if pool == "none" else 1
    answers = Answers(
        encoder_of(loaded, pairs=len(first.texts) == 2, max_length=max_length),
        partial(_embeddings, loaded, pool, normalize),
        fill=fill_of(loaded),
        batch_size=batch_size,
        pool_rows=POOL_ROWS // less,
        pool_characters=POOL_CHARACTERS // less,
        tally=tally,
        refuse=refuse,
    )
    for row, vectors in answers(chain([first], source)):
        if not np.isfinite(vectors).all():
            raise UserError(
                f"{row.place}: the model's vectors hold infinite numbers or none at all (NaN); {loaded.target.given}"
                " may have diverged in training, or try --precision 32-true."
            )
        yield row, vectors


def pooled(hidden: Tensor, mask: Tensor, pool: Pool) -> Tensor:
    """Return [batch, hidden] of [batch, seq, hidden] where ``mask`` [batch, seq] has 1 on tokens; ``none``: as it is.

    Rows begin with their first token, padding stands behind.
    """
    if pool == "first":
        return hidden[:, 0]
    if pool == "mean":
        weights = mask.to(hidden.dtype)
        return (hidden * weights[:, :, None]).sum(dim=1) / weights.sum(dim=1, keepdim=True)
    return hidden


def _embeddings(loaded: Loaded, pool: Pool, normalize: bool, batches: Iterable[Arrays]) -> Iterator[Sequence[Vectors]]:
    with loaded.computing():
        for batch in batches:
            said, given = called(loaded, batch)
            hidden = said.last_hidden_state.float()
            with torch.autocast(loaded.device.type, enabled=False):
                vectors = pooled(hidden, given["attention_mask"], pool)
                vectors = functional.normalize(vectors, dim=-1) if normalize else vectors
            table: Vectors = vectors.cpu().numpy()
            if pool == "none":
                yield [row[:length] for row, length in zip(table, batch["attention_mask"].sum(axis=1), strict=True)]
            else:
                yield list(table)
