"""A batch as the model gets it: the name, shape and type of each tensor, and its first row place by place.

Reads the batches of `quatrain.core.batches`, and those of a data module of the user's own as far as they are alike.
"""

from collections.abc import Mapping
from typing import Any

from quatrain.core.batches import IGNORED
from quatrain.runs.tokenizer_facts import text_of, token_strings

PADDED: Mapping[str, tuple[str, ...]] = {
    "input_ids": ("batch", "seq"),
    "attention_mask": ("batch", "seq"),
    "token_type_ids": ("batch", "seq"),
    "labels": ("batch", "seq"),
    "target": ("batch", "seq"),
    "scored_places": ("scored",),
    "example_ids": ("batch",),
}
PACKED: Mapping[str, tuple[str, ...]] = {
    "input_ids": ("1", "tokens"),
    "position_ids": ("1", "tokens"),
    "labels": ("1", "tokens"),
    "cu_seqlens": ("batch + 1",),
    "scored_places": ("scored",),
    "example_ids": ("batch",),
}
"""The names of the dimensions of each tensor, in batches with and without padding."""

OF_NO_ROW = ("cu_seqlens", "scored_places")
"""Tensors of one dimension that hold no value for each example."""


def tensors(batch: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return of each entry its ``name``, ``shape``, ``dimensions`` (None for one without a name) and ``dtype``.

    An entry that is no tensor has its type as ``dtype``, no shape, and a plain number also its ``value``.
    """
    sizes = _sizes(batch)
    return [_entry(name, value, batch, sizes) for name, value in batch.items()]


def first_row(batch: Mapping[str, Any], tokenizer: Any, *, labels_are_tokens: bool) -> dict[str, Any] | None:
    """Return the first example of ``batch``; None where there are no ``input_ids`` in rows.

    ``tokens``: as the vocabulary writes them, ``columns``: of each tensor that is laid out as the ids are, its values
    at the places of this example, ``values``: of each tensor with one value for an example, that value.
    ``columns_as_tokens``: what ``target`` asks for, and ``labels`` where they ``labels_are_tokens``; None where nothing
    is asked. ``text``: the ids decoded, special tokens written out.
    """
    ids = batch.get("input_ids")
    if ids is None or getattr(ids, "ndim", 0) != 2 or not ids.numel():
        return None
    ends = batch.get("cu_seqlens")
    stop = ids.shape[1] if ends is None else int(ends[1])
    columns = {
        name: value[0, :stop].tolist()
        for name, value in batch.items()
        if getattr(value, "ndim", 0) == 2 and value.shape == ids.shape
    }
    asked = [name for name in ("labels", "target") if name in columns and (labels_are_tokens or name == "target")]
    return {
        "tokens": token_strings(tokenizer, columns["input_ids"]),
        "columns": columns,
        "columns_as_tokens": {name: _asked(tokenizer, columns[name]) for name in asked},
        "values": {name: value[0].item() for name, value in batch.items() if _one_for_each(name, value, batch)},
        "text": text_of(tokenizer, columns["input_ids"]),
    }


def packing(batch: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return of a packed batch the number of its ``examples``, its ``tokens`` and where each example ``ends``."""
    ends = batch.get("cu_seqlens")
    if ends is None:
        return None
    places = ends.tolist()
    return {"examples": len(places) - 1, "tokens": places[-1], "ends": places[1:]}


def named_entries(batch: Any) -> Mapping[str, Any]:
    """Return a batch of any kind by names; parts without one are numbered."""
    if isinstance(batch, Mapping):
        return {str(name): value for name, value in batch.items()}
    parts = batch if isinstance(batch, list | tuple) else [batch]
    return {str(number): value for number, value in enumerate(parts)}


def _entry(name: str, value: Any, batch: Mapping[str, Any], sizes: Mapping[str, int]) -> dict[str, Any]:
    if not hasattr(value, "shape"):
        told = {"value": value} if isinstance(value, bool | int | float | str) else {}
        return {"name": name, "shape": [], "dimensions": [], "dtype": type(value).__name__, **told}
    shape = [int(size) for size in value.shape]
    dtype = str(value.dtype).removeprefix("torch.")
    return {"name": name, "shape": shape, "dimensions": _dimensions(name, shape, batch, sizes), "dtype": dtype}


def _dimensions(name: str, shape: list[int], batch: Mapping[str, Any], sizes: Mapping[str, int]) -> list[str | None]:
    """The names for ``shape``: those of our batches where the sizes are theirs, else those that it shares with the ids.

    ``labels`` are one for each example or one for each token.
    """
    known = (PACKED if "cu_seqlens" in batch else PADDED).get(name, ())[: len(shape)]
    if len(known) == len(shape) and all(sizes.get(one, size) == size for one, size in zip(known, shape, strict=True)):
        return list(known)
    like_ids = [*sizes][:2] if "cu_seqlens" not in batch else []
    shared = [*like_ids, *[None] * len(shape)][: len(shape)]
    return [one if one and sizes[one] == size else None for one, size in zip(shared, shape, strict=True)]


def _sizes(batch: Mapping[str, Any]) -> dict[str, int]:
    """The size of each dimension that ``input_ids`` tell."""
    ids = batch.get("input_ids")
    if ids is None or getattr(ids, "ndim", 0) != 2:
        return {}
    if "cu_seqlens" in batch:
        ends = len(batch["cu_seqlens"])
        return {"1": 1, "tokens": int(ids.shape[1]), "batch": ends - 1, "batch + 1": ends}
    return {"batch": int(ids.shape[0]), "seq": int(ids.shape[1])}


def _one_for_each(name: str, value: Any, batch: Mapping[str, Any]) -> bool:
    examples = _sizes(batch)["batch"]
    return getattr(value, "ndim", 0) == 1 and len(value) == examples and name not in OF_NO_ROW


def _asked(tokenizer: Any, ids: list[int]) -> list[str | None] | None:
    tokens = token_strings(tokenizer, [max(one, 0) for one in ids])
    return (
        None if tokens is None else [None if one == IGNORED else token for one, token in zip(ids, tokens, strict=True)]
    )
