"""The tokens of a packed row as a table of one row for each example, and back, for attention that knows only tables."""

import weakref
from typing import Any

import torch
from torch import Tensor


class PackedTable:
    """Where each token of a packed row lies in a table [examples, longest].

    ``places`` [tokens]: of each token in the flattened table. ``seen`` [examples, longest]: which places hold a token.
    ``full``: whether all do. ``ends``: [examples + 1] int32, where each example begins, and the end.
    """

    def __init__(self, ends: Tensor, longest: int, tokens: int) -> None:
        starts, lengths = ends[:-1].long(), ends.diff().long()
        rows = torch.arange(len(lengths), device=ends.device).repeat_interleave(lengths, output_size=tokens)
        columns = torch.arange(tokens, device=ends.device) - starts[rows]
        self.places = rows * longest + columns
        self.seen = torch.arange(longest, device=ends.device) < lengths[:, None]
        self.full = tokens == len(lengths) * longest
        # a place without a token shows that of its row's first, which attention does not see and nobody collects
        self._slots = torch.where(
            self.seen, starts[:, None] + torch.arange(longest, device=ends.device), starts[:, None]
        )

    def spread(self, tokens: Tensor) -> Tensor:
        """[examples, heads, longest, width] of [tokens, heads, width]; what is where no token lies must not be seen."""
        spread: Tensor = _Spread.apply(tokens, self._slots.flatten(), self.places)
        return spread.unflatten(0, self.seen.shape).transpose(1, 2)

    def collect(self, table: Tensor) -> Tensor:
        """[tokens, heads, width] of [examples, longest, heads, width]."""
        collected: Tensor = _Collect.apply(table.flatten(0, 1), self.places)
        return collected


_last: list[tuple[Any, PackedTable]] = []


def laid_out(ends: Tensor, longest: int, tokens: int) -> PackedTable:
    """The table of a packed row; all layers of a pass ask for the same, which is made once."""
    if not _last or _last[0][0]() is not ends:
        _last[:] = [(weakref.ref(ends), PackedTable(ends, longest, tokens))]
    return _last[0][1]


class _Spread(torch.autograd.Function):
    """Rows chosen by number, whose gradient is that of the places of the tokens alone: elsewhere it is zero."""

    @staticmethod
    def forward(context: Any, tokens: Tensor, slots: Tensor, places: Tensor) -> Tensor:
        context.save_for_backward(places)
        return tokens.index_select(0, slots)

    @staticmethod
    def backward(context: Any, *gradients: Tensor) -> Any:
        (places,) = context.saved_tensors
        return gradients[0].index_select(0, places), None, None


class _Collect(torch.autograd.Function):
    """Rows chosen by number, none twice, so that their gradients are laid down and not added."""

    @staticmethod
    def forward(context: Any, rows: Tensor, places: Tensor) -> Tensor:
        context.save_for_backward(places)
        context.count = len(rows)
        return rows.index_select(0, places)

    @staticmethod
    def backward(context: Any, *gradients: Tensor) -> Any:
        (places,) = context.saved_tensors
        gradient = gradients[0]
        return gradient.new_zeros(context.count, *gradient.shape[1:]).index_copy_(0, places, gradient), None
