"""The batches that data modules hand to tasks, and the names of their dimensions.

``batch``: examples in the batch. ``seq``: tokens of the longest example. ``tokens``: those of all examples together.
``vocab``: entries of the tokenizer. ``hidden``: width of the model. ``classes``: labels of a classification.
"""

from typing import Any, NotRequired, TypedDict

IGNORED = -100
"""The label of a position or an example that is not scored, as PyTorch's cross-entropy has it."""


class PairBatch(TypedDict):
    """Encoded sentences or sentence pairs."""

    input_ids: Any  # [batch, seq] int64
    attention_mask: Any  # [batch, seq] int64, 1 on tokens and 0 on padding
    token_type_ids: NotRequired[Any]  # [batch, seq] int64, only where the model takes them
    labels: Any  # [batch] int64 class, or float32 score; IGNORED (NaN for scores) where not scored
    example_ids: Any  # [batch] int64, the row's place in its split


class MaskedBatch(TypedDict):
    """Text with hidden tokens."""

    input_ids: Any  # [batch, seq] int64, after masking
    attention_mask: Any  # [batch, seq] int64
    labels: Any  # [batch, seq] int64, the hidden token, IGNORED where nothing is asked
    scored_places: NotRequired[Any]  # [scored] int64, where the flattened labels are not IGNORED
    example_ids: Any  # [batch] int64


class PackedBatch(TypedDict):
    """Text with hidden tokens, the examples of a batch laid end to end in one row without padding."""

    input_ids: Any  # [1, tokens] int64, after masking
    position_ids: Any  # [1, tokens] int64, the place within the example, from 0
    cu_seqlens: Any  # [batch + 1] int32, where each example begins, and the end
    max_seqlen: int  # tokens of the longest example
    labels: Any  # [1, tokens] int64, the hidden token, IGNORED where nothing is asked
    scored_places: NotRequired[Any]  # [scored] int64, where the labels are not IGNORED
    example_ids: Any  # [batch] int64


class WindowBatch(TypedDict):
    """Windows of a token stream."""

    input_ids: Any  # [batch, seq] int64, tokens i .. i+seq-1
    target: Any  # [batch, seq] int64, tokens i+1 .. i+seq: already shifted; IGNORED where not scored
    example_ids: Any  # [batch] int64, the window's number


Batch = PairBatch | MaskedBatch | PackedBatch | WindowBatch
