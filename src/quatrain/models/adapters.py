"""LoRA (Hu et al. 2021): small trained matrices beside frozen weights, through peft, which the extra ``lora`` installs.

The adapters are put into the model itself, which stays the Hugging Face class that it was.
"""

import copy
import warnings
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from torch import nn

from quatrain.core.errors import UserError
from quatrain.models.checks import check_lora, check_peft
from quatrain.models.layers import body_name

if TYPE_CHECKING:
    from transformers import PreTrainedModel

RANK, ALPHA, DROPOUT = 8, 16, 0.0
"""What holds for words that ``model.lora`` leaves out."""


def add_adapters(model: "PreTrainedModel", lora: dict[str, Any], fresh: Iterable[str] = ()) -> list[str]:
    """Put adapters into ``model`` and train these, the head and the parameters named in ``fresh``; nothing else.

    ``lora`` has r, alpha, dropout and target_modules (endings of the names of linear layers; None = peft's choice for
    the family). ``fresh``: parameters that no weights were found for, and that would stay random if frozen. An output
    table that is tied to the embeddings is no head. Returns the names of what is trained.

    Raises:
        UserError: peft is missing, a word or number of ``lora`` is wrong, or its target_modules are not in the model.
    """
    wrong = check_lora(lora) or check_peft()
    if wrong:
        raise UserError(wrong)
    from peft import LoraConfig, inject_adapter_in_model

    fresh_parameters = {id(model.get_parameter(name)) for name in fresh}
    body = body_name(model)
    head = {id(parameter) for name, parameter in model.named_parameters() if body and not name.startswith(body)}
    config = LoraConfig(
        r=lora.get("r", RANK),
        lora_alpha=lora.get("alpha", ALPHA),
        lora_dropout=lora.get("dropout", DROPOUT),
        target_modules=lora.get("target_modules"),
        fan_in_fan_out=_is_transposed(model),
    )
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message=".*fan_in_fan_out.*")
            inject_adapter_in_model(config, model)
    except ValueError as error:
        linear = sorted(
            {name.rpartition(".")[2] for name, module in model.named_modules() if isinstance(module, nn.Linear)}
        )
        raise UserError(
            f"model.lora.target_modules={lora.get('target_modules')!r} does not fit {type(model).__name__} ({error}); "
            f"choose among {', '.join(linear)}, or leave it null where peft knows the family."
        ) from error
    for name, parameter in model.named_parameters():
        adapter = "lora_" in name
        parameter.requires_grad_(adapter or id(parameter) in head or id(parameter) in fresh_parameters)
    return [name for name, parameter in model.named_parameters() if parameter.requires_grad]


def has_adapters(model: nn.Module) -> bool:
    """Whether `add_adapters` has changed ``model``."""
    return any("lora_" in name for name, _ in model.named_parameters())


def merge_adapters(model: "PreTrainedModel") -> "PreTrainedModel":
    """A copy of ``model`` with each adapter added into the weight beside it: the plain architecture, equal logits.

    ``model`` itself stays as it is. Without adapters it is returned unchanged.
    """
    if not has_adapters(model):
        return model
    from peft.tuners.tuners_utils import BaseTunerLayer

    merged = copy.deepcopy(model)
    layers = [(name, module) for name, module in merged.named_modules() if isinstance(module, BaseTunerLayer)]
    for name, module in layers:
        module.merge()
        parent, _, child = name.rpartition(".")
        setattr(merged.get_submodule(parent), child, module.get_base_layer())
    if hasattr(merged, "peft_config"):
        del merged.peft_config
    return merged


def _is_transposed(model: nn.Module) -> bool:
    """GPT-2 keeps its linear layers as Conv1D, whose weight is [in, out]."""
    from transformers.pytorch_utils import Conv1D

    return any(isinstance(module, Conv1D) for module in model.modules())
