"""Attention as transformers' interface calls it: quick on a CPU, and within the examples of a packed row.

Importing this module makes `NAME` known to transformers.
"""

from functools import lru_cache
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from transformers import AttentionInterface, AttentionMaskInterface
from transformers.integrations.sdpa_attention import repeat_kv, sdpa_attention_forward
from transformers.masking_utils import sdpa_mask

from quatrain.models import dropout as dropouts
from quatrain.models.packed_table import laid_out

NAME = "quatrain_sdpa"
"""What this attention is called in ``attn_implementation``. With ``sdpa`` in it, transformers asks of a model what it
asks for PyTorch's own."""

KNOWN = frozenset(
    {"cu_seq_lens_q", "cu_seq_lens_k", "max_length_q", "max_length_k"}
    | {
        "is_causal",
        "position_ids",
        "cache_position",
        "use_cache",
        "output_attentions",
        "output_hidden_states",
        "deterministic",
    }
)
"""Further arguments that are read here, or change nothing here; with any other one the call is handed on."""

LONG = 512
"""Tokens beyond which PyTorch's attention, which keeps no table of scores, is the faster one on a CPU."""


def attend(
    module: nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    dropout: float = 0.0,
    scaling: float | None = None,
    **more: Any,
) -> tuple[Tensor, None]:
    """Softmax attention (Vaswani et al. 2017) of ``query`` [batch, heads, seq, width] over ``key`` and ``value``.

    ``attention_mask`` [batch or 1, heads or 1, seq, seq], bool with True where a token is seen, or to be added; None
    with a ``module.is_causal`` means all tokens up to one's own. Returns [batch, seq, heads, width], and None for the
    weights. ``cu_seq_lens_q`` [examples + 1] and ``max_length_q`` in ``more`` mean that a row holds several examples,
    each of which sees itself alone and all of itself; the row is then the only one and there is no mask.

    Raises:
        ValueError: packed rows with an argument that is not known here, or with a mask.

    Written out as products on a CPU, where PyTorch's fused kernel is slower for short texts and far slower with
    dropout; otherwise PyTorch's ``scaled_dot_product_attention``, or ``varlen_attn`` for packed rows on a GPU.
    """
    unusual = [name for name, given in more.items() if given is not None and name not in KNOWN]
    if more.get("cu_seq_lens_q") is not None:
        if unusual or attention_mask is not None:
            raise ValueError(f"packed rows are read without {', '.join(unusual) or 'a mask'}")
        return _attend_packed(module, query, key, value, dropout, scaling, more), None
    if unusual or not _written_out(query, key, dropout):
        result, _ = sdpa_attention_forward(
            module, query, key, value, attention_mask, dropout=dropout, scaling=scaling, **more
        )
        return result, None
    mask = attention_mask
    causal = more.get("is_causal")
    if mask is None and query.shape[2] > 1 and (getattr(module, "is_causal", True) if causal is None else causal):
        mask = _triangle(query.shape[2])
    groups = getattr(module, "num_key_value_groups", 1)
    return _products(module, query, repeat_kv(key, groups), repeat_kv(value, groups), mask, dropout, scaling), None


AttentionInterface.register(NAME, attend)
AttentionMaskInterface.register(NAME, sdpa_mask)


def _written_out(query: Tensor, key: Tensor, dropout: float) -> bool:
    if query.device.type != "cpu" or query.shape[2] != key.shape[2]:
        return False
    return dropout > 0 or (query.dtype != torch.float32 and query.shape[2] <= LONG)


def _has_packed_kernel(query: Tensor, dropout: float) -> bool:
    """Whether PyTorch's attention over examples of any length takes this: on a GPU, in half precision, no dropout."""
    return query.is_cuda and not dropout and query.dtype in (torch.bfloat16, torch.float16)


def _products(
    module: nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    mask: Tensor | None,
    dropout: float,
    scaling: float | None,
) -> Tensor:
    """[batch, seq, heads, width]"""
    scores = torch.matmul(query * (query.shape[-1] ** -0.5 if scaling is None else scaling), key.transpose(2, 3))
    if mask is not None:
        lowest = torch.finfo(scores.dtype).min
        scores = scores.masked_fill(~mask, lowest) if mask.dtype == torch.bool else scores + mask.to(scores.dtype)
    weights = functional.softmax(scores, dim=-1)
    if dropout:
        cheap = dropouts.draws_cheaply(module)
        weights = dropouts.dropout(weights, dropout) if cheap else functional.dropout(weights, dropout)
    return torch.matmul(weights, value).transpose(1, 2).contiguous()


def _attend_packed(
    module: nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    dropout: float,
    scaling: float | None,
    more: dict[str, Any],
) -> Tensor:
    """[1, tokens, heads, width] of one row of examples laid end to end."""
    ends, longest = more["cu_seq_lens_q"], more["max_length_q"]
    queries, keys, values = (part[0].transpose(0, 1) for part in (query, key, value))  # [tokens, heads, width]
    if _has_packed_kernel(query, dropout):
        from torch.nn.attention.varlen import varlen_attn

        packed: Any = varlen_attn(queries, keys, values, ends, ends, longest, longest, scale=scaling)
        return torch.unsqueeze(packed, 0)
    table = laid_out(ends, longest, query.shape[2])
    rows = table.spread(queries), table.spread(keys), table.spread(values)
    mask = None if table.full else table.seen[:, None, None, :]
    if _written_out(rows[0], rows[1], dropout):
        result = _products(module, *rows, mask, dropout, scaling)
    else:
        result = functional.scaled_dot_product_attention(*rows, mask, dropout, scale=scaling).transpose(1, 2)
    return table.collect(result)[None]


@lru_cache(maxsize=4)
def _triangle(length: int) -> Tensor:
    """[seq, seq], True where the column's token is the row's or an earlier one."""
    return torch.ones(length, length, dtype=torch.bool).tril()
