"""Several examples in one row: how a model must be called so that each of them is read as if it were alone."""

from typing import Any

import torch
from torch import Tensor, nn

from quatrain.core.batches import PackedBatch
from quatrain.core.errors import UserError
from quatrain.models.attention import NAME

TOLERANCE = 1e-4
"""Most that a hidden state may differ, relative to the largest."""


def packed_inputs(batch: Any, offset: int) -> dict[str, Any]:
    """The arguments of a model for a `PackedBatch`; ``offset`` is the number of the first position."""
    ends, longest = batch["cu_seqlens"], batch["max_seqlen"]
    return {
        "input_ids": batch["input_ids"],
        "position_ids": batch["position_ids"] + offset,
        "cu_seq_lens_q": ends,
        "cu_seq_lens_k": ends,
        "max_length_q": longest,
        "max_length_k": longest,
    }


@torch.no_grad()
def position_offset(model: Any) -> int:
    """The number that ``model`` gives to the first position: 0, or for RoBERTa's kind the padding id and one.

    Found by trying, and with it that two examples in a row are read as they are alone. 0 on the meta device, where
    there are no numbers to compare.

    Raises:
        UserError: the model cannot take packed rows.
    """
    sentence = (
        "speed.packing=true does not fit model {}: {}; leave it false, speed.bucketing=true saves most of the padding."
    )
    name = type(model).__name__
    if getattr(model.config, "_attn_implementation", None) != NAME:
        raise UserError(sentence.format(name, "its attention takes no packed rows"))
    if model.device.type == "meta":
        return 0
    training = model.training
    model.eval()
    try:
        pad = getattr(model.config, "pad_token_id", None)
        offsets = {0, (pad or 0) + 1}
        for offset in sorted(offsets):
            if _reads_apart(model, offset):
                return offset
    except TypeError as error:
        raise UserError(sentence.format(name, "it takes no position_ids")) from error
    except ValueError as error:
        raise UserError(sentence.format(name, str(error))) from error
    finally:
        model.train(training)
    raise UserError(sentence.format(name, "it reads two examples of a row otherwise than alone"))


def _reads_apart(model: Any, offset: int) -> bool:
    body: nn.Module = model.base_model
    examples = [_ids(model, 3), _ids(model, 2)]
    alone = torch.cat([body(input_ids=ids)[0] for ids in examples], dim=1)
    lengths = torch.tensor([0, *(ids.shape[1] for ids in examples)], dtype=torch.int32, device=alone.device)
    packed = PackedBatch(
        input_ids=torch.cat(examples, dim=1),
        position_ids=torch.cat([torch.arange(ids.shape[1], device=alone.device) for ids in examples])[None],
        cu_seqlens=lengths.cumsum(0, dtype=torch.int32),
        max_seqlen=3,
        labels=None,
        example_ids=None,
    )
    together: Tensor = body(**packed_inputs(packed, offset))[0]
    return bool((together - alone).abs().max() <= TOLERANCE * alone.abs().max())


def _ids(model: Any, count: int) -> Tensor:
    """[1, count] ids that are no padding."""
    pad = getattr(model.config, "pad_token_id", None)
    found = [token for token in range(count + 1) if token != pad][:count]
    return torch.tensor([found], device=model.device)
