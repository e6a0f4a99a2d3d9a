"""Rows through a model in batches by length, and out again in the order in which they came."""

import inspect
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from quatrain.core.errors import UserError
from quatrain.corpora.records import Refuse, stop
from quatrain.data.collate import Layout
from quatrain.data.pair_encoding import PairEncoder
from quatrain.inference.loading import Loaded
from quatrain.inference.rows import OR_SKIP, Row
from quatrain.inference.text_columns import data_of

POOL_ROWS = 2048
POOL_CHARACTERS = 1 << 20
"""How much is read before it is sorted: more rows make batches evener, and come out later."""

PLACES = 1 << 14
"""Rows times longest row that a batch has at most, unless it is one row."""

UNBOUNDED = 512
"""Tokens of a row where neither the user nor the model sets a bound."""

Arrays = dict[str, NDArray[np.int64]]
"""A batch: ``input_ids``, ``attention_mask`` and, where the model takes them, ``token_type_ids``, each [batch, seq]."""

Answer = TypeVar("Answer")
Compute = Callable[[Iterable[Arrays]], Iterable[Sequence[Answer]]]
"""From batches to an answer for each of their rows."""


@dataclass
class Tally:
    """What is counted on the way: rows that were ``cut``, for they had more than ``length`` tokens."""

    cut: int = 0
    length: int = 0


class Answers(Generic[Answer]):
    """What a model says to rows, one after another, in flat memory.

    Rows are read in pools, the first of them small so that answers come soon; the rows of a pool are encoded together,
    sorted by length and shared out among batches of at most ``batch_size`` rows and `PLACES` places, filled up with
    ``fill``; and their answers are put back in order.
    """

    def __init__(
        self,
        encoder: PairEncoder,
        compute: Compute[Answer],
        *,
        fill: int,
        batch_size: int,
        pool_rows: int = POOL_ROWS,
        pool_characters: int = POOL_CHARACTERS,
        tally: Tally | None = None,
        refuse: Refuse = stop,
    ) -> None:
        self.encoder, self.compute, self.fill, self.batch_size = encoder, compute, fill, batch_size
        self.pool_rows, self.pool_characters = pool_rows, pool_characters
        self.tally, self.refuse = tally or Tally(), refuse

    def __call__(self, rows: Iterable[Row]) -> Iterator[tuple[Row, Answer]]:
        """Yield each row with its answer, in order.

        Raises:
            UserError: a row has no token, unless ``refuse`` goes on; the rows before it have come.
        """
        for pool in pools(rows, self.batch_size, self.pool_rows, self.pool_characters):
            yield from self._answered(pool)

    def _answered(self, pool: list[Row]) -> Iterator[tuple[Row, Answer]]:
        texts = zip(*(row.texts for row in pool), strict=True)
        encoded = self.encoder(dict(zip(("text_a", "text_b"), map(list, texts), strict=False)))
        self.tally.cut += sum(encoded.pop("truncated"))
        self.tally.length = self.encoder.max_length
        lengths = np.asarray([len(ids) for ids in encoded["input_ids"]], dtype=np.int64)
        some = np.flatnonzero(lengths)
        shares = [some[share] for share in by_length(lengths[some], self.batch_size)]
        answers: list[Any] = [None] * len(pool)
        batches = (_batch(encoded, lengths, share, self.fill) for share in shares)
        for share, found in zip(shares, self.compute(batches), strict=True):
            for place, answer in zip(share.tolist(), found, strict=True):
                answers[place] = answer
        for row, length, answer in zip(pool, lengths.tolist(), answers, strict=True):
            if length:
                yield row, answer
            else:
                self.refuse(
                    UserError(f"{row.place}: the tokenizer makes no token of the text; leave the row out, {OR_SKIP}.")
                )


def pools(rows: Iterable[Row], first: int, most: int, characters: int) -> Iterator[list[Row]]:
    """Yield the rows in lists: ``first`` rows, then twice as many each time, up to ``most`` rows or ``characters``.

    Where the rows end in a UserError, those before it come, then the error.
    """
    pool: list[Row] = []
    wanted, size = min(first, most), 0
    try:
        for row in rows:
            pool.append(row)
            size += row.characters
            if len(pool) >= wanted or size >= characters:
                yield pool
                pool, size, wanted = [], 0, min(2 * wanted, most)
    except UserError:
        if pool:
            yield pool
        raise
    if pool:
        yield pool


def by_length(lengths: NDArray[np.int64], batch_size: int) -> list[NDArray[np.int64]]:
    """Return the places of rows of these ``lengths`` in batches, the longest first; see `Answers`."""
    order = np.argsort(-lengths, kind="stable")
    shares = []
    start = 0
    while start < len(order):
        rows = max(1, min(batch_size, PLACES // max(1, int(lengths[order[start]]))))
        shares.append(order[start : start + rows])
        start += rows
    return shares


def encoder_of(loaded: Loaded, *, pairs: bool, max_length: int | None) -> PairEncoder:
    """Return what encodes single texts or pairs for a model, to at most ``max_length`` tokens, or its positions.

    Raises:
        UserError: the model has fewer positions, or the special tokens leave no room for text.
    """
    if max_length and loaded.longest and max_length > loaded.longest:
        raise UserError(
            f"{loaded.target.given} has positions for {loaded.longest} tokens, and a length of {max_length} was asked"
            f" for; ask for at most {loaded.longest}."
        )
    length = max_length or loaded.longest or UNBOUNDED
    encoder = PairEncoder(loaded.tokenizer, pairs=pairs, max_length=length, token_types=_takes_token_types(loaded))
    texts = 2 if pairs else 1
    if encoder.room < texts:
        special = length - encoder.room
        raise UserError(
            f"A length of {length} leaves no room for text beside the {special} special tokens of a row; ask for at"
            f" least {special + texts}."
        )
    return encoder


def fill_of(loaded: Loaded) -> int:
    """Return the id to pad with: what the model takes for padding, else the tokenizer's."""
    own = loaded.model.config.pad_token_id
    return int(own) if own is not None and own >= 0 else loaded.tokenizer.pad_id


def _takes_token_types(loaded: Loaded) -> bool:
    """Whether the run had them; else whether the tokenizer makes them for its model, which has a table of them."""
    said = data_of(loaded.target)
    if "use_token_types" in said and said["use_token_types"] is not None:
        return bool(said["use_token_types"])
    kinds = getattr(loaded.model.config, "type_vocab_size", 2)
    taken = "token_type_ids" in inspect.signature(loaded.model.forward).parameters
    return taken and kinds > 1 and "token_type_ids" in loaded.tokenizer.hf.model_input_names


def _batch(encoded: dict[str, list[Any]], lengths: NDArray[np.int64], share: NDArray[np.int64], fill: int) -> Arrays:
    layout = Layout(lengths[share])
    places = share.tolist()

    def padded(name: str, value: int) -> NDArray[np.int64]:
        return layout.padded(np.concatenate([encoded[name][place] for place in places]), value)

    batch = {"input_ids": padded("input_ids", fill), "attention_mask": layout.attention_mask()}
    if "token_type_ids" in encoded:
        batch["token_type_ids"] = padded("token_type_ids", 0)
    return batch
