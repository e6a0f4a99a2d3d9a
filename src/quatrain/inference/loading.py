"""A TARGET's model and tokenizer, ready to compute: in evaluation mode, on the best device, in its quick ways."""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any, Literal

import torch

from quatrain.core.build import locate
from quatrain.core.errors import UserError
from quatrain.inference.target import NAMES, Target, Task, in_its_own_words
from quatrain.models.auto import CLASSES
from quatrain.models.config_words import positions
from quatrain.models.loading import load_config, load_weights
from quatrain.models.precise_blocks import lower_blocks_in_float32
from quatrain.models.quick_parts import quicken
from quatrain.tokenizers.pretrained import Pretrained
from quatrain.tokenizers.tokenizer import Tokenizer
from quatrain.training.hardware import Choice, choose_accelerator, choose_precision, choose_threads

Precision = Literal["auto", "32-true", "bf16-mixed"]
Device = Literal["auto", "cpu", "gpu", "mps"]

DEVICES = {"cpu": "cpu", "gpu": "cuda", "mps": "mps"}


@dataclass(frozen=True)
class Loaded:
    """A model that answers.

    ``model``: of transformers, in evaluation mode on ``device``, its weights in float32. ``tokenizer``: ours, whose
    ``hf`` is transformers'. ``longest``: the tokens, special ones included, that the model has positions for; None
    where nothing bounds them. ``choices``: device and precision, each with its reason.
    """

    target: Target
    model: Any
    tokenizer: Tokenizer
    device: torch.device
    precision: str
    longest: int | None
    choices: dict[str, Choice]

    @contextmanager
    def computing(self, *, nearer: bool = False) -> Iterator[None]:
        """The context in which the model is called: without gradients, in the chosen precision.

        ``nearer``: in bfloat16 on a CPU the lower half of the blocks computes in float32, for an answer that is nearer
        to that of float32. Enter it once for many calls: the bfloat16 copies of the weights are kept until it ends.
        """
        half = self.precision == "bf16-mixed"
        lower = half and nearer and self.device.type == "cpu"
        blocks = lower_blocks_in_float32(self.model) if lower else nullcontext()
        with torch.no_grad(), torch.autocast(self.device.type, dtype=torch.bfloat16, enabled=half), blocks:
            yield


@in_its_own_words
def load(target: Target, *, task: Task | None = None, precision: Precision = "auto", device: Device = "auto") -> Loaded:
    """Load ``target`` for ``task``, its own where that is None; ``encoder`` gives the body without a head.

    Raises:
        UserError: the device is absent, or weights and tokenizer cannot be used or do not fit one another.
        NotNow: the hub does not give them.
    """
    task = task or target.task
    if device == "gpu" and not torch.cuda.is_available():
        raise UserError("--device gpu: no GPU is visible on this machine; without --device the best one is taken.")
    accelerator, _ = choose_accelerator(device)
    chosen = choose_precision(precision, accelerator.value)
    torch.set_num_threads(choose_threads().value)
    _import_own(target)
    tokenizer = _tokenizer(target)
    config = load_config(str(target.folder), None)
    model = _model(target, task, config)
    _check_vocabulary(target, tokenizer, model)
    place = torch.device(DEVICES[accelerator.value])
    return Loaded(
        target=target,
        model=model.to(place).eval(),
        tokenizer=tokenizer,
        device=place,
        precision=chosen.value,
        longest=positions(config.to_dict()),
        choices={"device": accelerator, "precision": chosen},
    )


def _import_own(target: Target) -> None:
    """Import the recipe of the run where it is the user's own: its module tells transformers of its model.

    Raises:
        UserError: the user has not allowed that, or it cannot be found.
    """
    node = target.run.read_config().get("model") if target.run else None
    named = node.get("_target_") if isinstance(node, dict) else None
    if isinstance(named, str) and not named.startswith("quatrain."):
        locate(named, "model._target_")


def _tokenizer(target: Target) -> Tokenizer:
    """The tokenizer of the folder, with those settings of its run that the files do not hold."""
    source = str(target.folder)
    if target.run is None:
        return Pretrained(source=source).fit()
    settings = target.run.read_config().get("tokenizer")
    if not isinstance(settings, dict):
        raise UserError(f"{target.run.config} has no group tokenizer; it was not written by quatrain.")
    said = {name: settings[name] for name in ("allowed_special", "engine") if name in settings}
    try:
        return Pretrained(source=source, **said).fit()
    except (TypeError, ValueError) as error:  # a value of another type than these have
        raise UserError(
            f"{target.run.config}: its tokenizer cannot be built ({' '.join(str(error).split())})."
        ) from error


def _model(target: Target, task: Task, config: Any) -> Any:
    import transformers

    found = getattr(transformers, CLASSES.get(task, "AutoModel"))
    model, missing = load_weights(found, str(target.folder), None, config, None)
    if lost := [name for name in missing if task != "encoder" or "pooler" not in name]:
        raise UserError(
            f"{target.given} has no weights for {len(lost)} parameters of {NAMES[task]} (such as {lost[0]}); name a"
            " model that was trained for this."
        )
    quicken(model, fused_activations=True, low_precision_layernorm=True)
    return model


def _check_vocabulary(target: Target, tokenizer: Tokenizer, model: Any) -> None:
    try:
        rows = model.get_input_embeddings().weight.shape[0]
    except (AttributeError, NotImplementedError) as error:
        raise UserError(
            f"{target.given} is a {type(model).__name__}, which has no table of tokens of its own; name a model of"
            " texts, such as BERT."
        ) from error
    if tokenizer.vocab_size > rows:
        raise UserError(
            f"{target.given}: the tokenizer has {tokenizer.vocab_size:,} entries and the model {rows:,} only; name a"
            " folder whose tokenizer belongs to its model."
        )
