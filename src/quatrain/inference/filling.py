"""Filling the masks of texts, as they come: batches of like length, and logits at the masks alone."""

from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from quatrain.core.errors import UserError
from quatrain.inference.masked_texts import MaskedText, encode_masked
from quatrain.inference.own_thread import check_numbers, closed_at_exit, computing_in_own_thread

if TYPE_CHECKING:
    from torch import Tensor

    from quatrain.inference.loading import Loaded

MOST_TEXTS, MOST_TOKENS, MOST_MASKS = 32, 8192, 512
"""Texts that are read ahead; places of a batch, padding included; masks of a batch of several texts."""

Logits = Callable[[Mapping[str, "Tensor"], "Tensor"], "Tensor"]
"""Takes a model's inputs and places of the flattened [batch * seq]; returns their logits [places, vocab]."""


@dataclass(frozen=True)
class Filled:
    """One guess for one mask.

    ``mask``: which of the text's masks, from 1 on. ``token``: as it reads, with the space before it where it has one.
    ``text``: the whole text with this token in place of the mask; other masks stay.
    """

    mask: int
    token: str
    id: int
    probability: float
    text: str


def fill_texts(
    loaded: "Loaded", texts: Iterable[str], *, top_k: int = 5, named: str = "text"
) -> Iterator[list[Filled]]:
    """Yield for each of ``texts``, in order, the ``top_k`` likeliest tokens for each of its masks.

    A text's guesses stand by mask, and by falling probability. Each mask is filled on its own, the others staying
    masked. The mask is the tokenizer's own, or the other convention's (`own_convention`). At most `MOST_TEXTS` texts
    are read ahead, fewer at first.

    Raises:
        UserError: ``top_k`` is out of its range or the tokenizer has no mask token; or, once all before it is yielded,
            a text (``named`` so, with its number) has no mask or more tokens than the model has positions.
    """
    entries = loaded.model.get_output_embeddings().weight.shape[0]
    if not (isinstance(top_k, int) and 1 <= top_k <= entries):
        raise UserError(f"top_k={top_k} must be a whole number from 1 to {entries}, the entries of the vocabulary.")
    if loaded.tokenizer.mask_id is None:
        raise UserError(f"The tokenizer of {loaded.target.given} has no mask token; name another model.")
    rows = (encode_masked(loaded, text, f"{named} {number}") for number, text in enumerate(texts, start=1))
    return closed_at_exit(_filled(loaded, rows, top_k))


def _filled(loaded: "Loaded", rows: Iterable[MaskedText], top_k: int) -> Generator[list[Filled], None, None]:
    with _logits_at_places(loaded.model) as logits, computing_in_own_thread(loaded) as call:
        for chunk in _read_ahead(rows):
            found: dict[int, list[Filled]] = {}
            for batch in _batches(chunk):
                guesses = call(_guess, loaded, [chunk[place] for place in batch], logits, top_k)
                for place in batch:
                    row = chunk[place]
                    found[place] = [
                        _told(loaded, row, number, one, chance)
                        for number in range(len(row.masks))
                        for chance, one in next(guesses)
                    ]
            yield from (found[place] for place in range(len(chunk)))


def _read_ahead(rows: Iterable[MaskedText]) -> Iterator[list[MaskedText]]:
    """Rows in lists of 1, 2, 4, ... `MOST_TEXTS`, so that the first answer comes soon.

    What was read before an error is handed on before it is raised.
    """
    chunk: list[MaskedText] = []
    size = 1
    failed = None
    try:
        for row in rows:
            chunk.append(row)
            if len(chunk) == size:
                yield chunk
                chunk, size = [], min(2 * size, MOST_TEXTS)
    except UserError as error:
        failed = error
    if chunk:
        yield chunk
    if failed:
        raise failed


def _batches(chunk: Sequence[MaskedText]) -> Iterator[list[int]]:
    """Places of rows of like length, within `MOST_TOKENS` and `MOST_MASKS`."""
    batch: list[int] = []
    masks = 0
    for place in sorted(range(len(chunk)), key=lambda place: len(chunk[place].ids)):
        row = chunk[place]
        masks += len(row.masks)
        if batch and ((len(batch) + 1) * len(row.ids) > MOST_TOKENS or masks > MOST_MASKS):
            yield batch
            batch, masks = [], len(row.masks)
        batch.append(place)
    if batch:
        yield batch


@contextmanager
def _logits_at_places(model: Any) -> Iterator[Logits]:
    """The model's logits at some places, without those of all others where its head can be taken apart."""
    from quatrain.models.vocabulary_head import VocabularyHead

    try:
        head = VocabularyHead(model)
    except ValueError:
        yield lambda inputs, places: model(**inputs).logits.flatten(0, 1)[places]
        return
    try:
        yield head.logits
    finally:
        head.restore()


def _guess(
    loaded: "Loaded", rows: Sequence[MaskedText], logits: Logits, top_k: int
) -> Iterator[list[tuple[float, int]]]:
    """The likeliest ids of each mask with their probabilities, the masks of the first row first."""
    import torch

    width = max(len(row.ids) for row in rows)
    places = [number * width + place for number, row in enumerate(rows) for place in row.masks]
    found = logits(_padded(loaded, rows, width), torch.tensor(places, device=loaded.device))
    check_numbers(loaded, found)
    chances, ids = found.float().softmax(-1).topk(top_k)
    return iter([list(zip(*pair, strict=True)) for pair in zip(chances.tolist(), ids.tolist(), strict=True)])


def _padded(loaded: "Loaded", rows: Sequence[MaskedText], width: int) -> dict[str, "Tensor"]:
    """[batch, width] of each input that the model takes; padding is masked."""
    import inspect

    import torch

    takes = inspect.signature(loaded.model.forward).parameters
    pad = loaded.tokenizer.hf.pad_token_id
    fills = {"input_ids": 0 if pad is None else pad, "attention_mask": 0, "token_type_ids": 0}
    return {
        name: torch.tensor(
            [[*row.inputs[name], *[fill] * (width - len(row.ids))] for row in rows], device=loaded.device
        )
        for name, fill in fills.items()
        if name in takes and name in rows[0].inputs
    }


def _told(loaded: "Loaded", row: MaskedText, number: int, one: int, chance: float) -> Filled:
    tokenizer = loaded.tokenizer
    filled = list(row.ids)
    filled[row.masks[number]] = one
    others = set(row.masks) - {row.masks[number]}
    shown = [one for place, one in enumerate(filled) if one not in tokenizer.special_ids or place in others]
    return Filled(number + 1, tokenizer.decode([one]), one, chance, tokenizer.decode(shown))
