"""The export of a run: a folder that Hugging Face's classes load without quatrain, proved before it counts."""

import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from quatrain.core.atomic_files import cannot_write, temporary_sibling, write_whole
from quatrain.core.errors import NotNow
from quatrain.runs.model_card import model_card
from quatrain.tokenizers.generative import generative
from quatrain.tokenizers.tokenizer import Tokenizer

if TYPE_CHECKING:
    from torch import Tensor

INPUTS = ("input_ids", "attention_mask", "token_type_ids")
"""What of a batch the model reads."""

TOLERANCE = 1e-5
"""The largest difference of a logit that the same operations in float32 have, if not the logits are large."""

MOST_LOGITS = 1 << 23
"""Of a sample batch as many rows are compared as have so many logits, and at least one: a table over a large
vocabulary would be the fullest moment of the whole run."""


class ExportMismatch(RuntimeError):  # noqa: N818 - it is an error by its base
    """The exported model does not compute what the trained one does."""


def export(
    model: Any,
    tokenizer_save: Callable[[Path], Any],
    folder: Path,
    card: Mapping[str, Any],
    samples: Sequence[Mapping[str, Any]],
    *,
    merge_adapters: Callable[[Any], Any] | None = None,
    replacing: bool = True,
) -> float:
    """Write ``model`` as ``model.safetensors`` with config, tokenizer and model card to ``folder``.

    It is written beside ``folder``, loaded again through an Auto class, and its logits on ``samples`` (of each the
    first rows, see `MOST_LOGITS`) compared with the model's own (evaluation, float32, within `TOLERANCE`);
    then it takes its place, as `appearing_whole` has it. Returns the largest difference.

    Args:
        model: a transformers model; its mode and weights are as before afterwards.
        tokenizer_save: writes the tokenizer's files into a folder.
        folder: the export.
        card: arguments of `model_card`.
        samples: batches; labels and the like are not read.
        merge_adapters: returns a plain model with the adapters merged into its weights.
        replacing: see `appearing_whole`.

    Raises:
        ExportMismatch: the logits differ.
        NotNow: the folder cannot be written.
    """
    plain = merge_adapters(model) if merge_adapters else model
    with appearing_whole(folder, replacing=replacing) as temporary:
        # one file, whatever the size: the contract names it
        plain.save_pretrained(temporary, max_shard_size="1000GB")
        for file in temporary.glob("*.safetensors"):  # which is written for its owner alone
            shutil.copymode(temporary / "config.json", file)
        tokenizer_save(temporary)
        write_whole(temporary / "README.md", model_card(**card))
        loaded = load(temporary, plain)
        return max(_compare(plain, loaded, batch) for batch in samples)


def exported(tokenizer: Tokenizer, task: str) -> Tokenizer:
    """``tokenizer`` as the export of a model of ``task`` has it: a prompt for a causal LM is not closed."""
    return generative(tokenizer) if task == "causal_lm" else tokenizer


def save_configs(model: Any, folder: Path) -> None:
    """Write the config of ``model``, and how it generates where it does, into ``folder``."""
    model.config.save_pretrained(folder)
    if model.can_generate():
        model.generation_config.save_pretrained(folder)


@contextmanager
def appearing_whole(folder: Path, *, replacing: bool) -> Iterator[Path]:
    """Yield a new folder to write to; when the block ends it takes the place of ``folder``.

    Until then what was in ``folder`` stays, and so it does where the block fails; then nothing is left behind.
    ``replacing`` false leaves what is there, unless it is an empty folder, and fails.

    Raises:
        NotNow: the folder cannot be written.
    """
    from safetensors import SafetensorError

    temporary = temporary_sibling(folder)
    try:
        temporary.mkdir(parents=True)
        yield temporary
        if replacing:
            _take_place(temporary, folder)
        else:
            temporary.replace(folder)  # the system refuses a folder that holds anything
    except (OSError, SafetensorError, NotNow) as error:
        raise cannot_write(folder, error) from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def load(folder: Path, like: Any) -> Any:
    """Load ``folder`` as a stranger would, by the Auto class of its architecture, in float32 on ``like``'s device."""
    import torch
    import transformers

    architecture = type(like).__name__
    loader = getattr(transformers, auto_class(architecture), None) or getattr(transformers, architecture)
    attention = getattr(like.config, "_attn_implementation", None)
    extra = {"attn_implementation": attention} if attention else {}
    loaded = loader.from_pretrained(folder, dtype=torch.float32, use_safetensors=True, local_files_only=True, **extra)
    if type(loaded).__name__ != architecture:
        raise ExportMismatch(f"{folder} was written by {architecture} and loads as {type(loaded).__name__}")
    return loaded.to(like.device)


def auto_class(architecture: str) -> str:
    """The Auto class that loads an architecture: ``RobertaForMaskedLM`` gives ``AutoModelForMaskedLM``."""
    if architecture.endswith("LMHeadModel"):
        return "AutoModelForCausalLM"
    head = architecture.rpartition("For")[2]
    return f"AutoModelFor{head}" if head != architecture else "AutoModel"


def _compare(model: Any, loaded: Any, batch: Mapping[str, Any]) -> float:
    from quatrain.runs.logits import logits_of, prove

    rows = _rows(model, batch["input_ids"])
    inputs = {name: batch[name][:rows] for name in INPUTS if name in batch}
    return prove(model, inputs, logits_of(model, inputs), logits_of(loaded, inputs), TOLERANCE)


def _rows(model: Any, ids: "Tensor") -> int:
    table = model.get_output_embeddings()
    return max(1, MOST_LOGITS // (ids.shape[1] * table.weight.shape[0])) if table is not None else len(ids)


def _take_place(new: Path, folder: Path) -> None:
    """Put ``new`` where ``folder`` is; what was there goes only after."""
    if not folder.exists():
        new.replace(folder)
        return
    old = temporary_sibling(folder)
    folder.replace(old)
    try:
        new.replace(folder)
    except OSError:
        old.replace(folder)
        raise
    shutil.rmtree(old)
