"""The forms in which a trained model is written, each held against the logits of the checkpoint."""

from pathlib import Path
from typing import Any, Literal, NamedTuple

from torch import Tensor

from quatrain.core.atomic_files import write_whole
from quatrain.models.adapters import merge_adapters
from quatrain.models.config_words import positions
from quatrain.runs.directory import RunDirectory
from quatrain.runs.export import appearing_whole, export, exported, save_configs
from quatrain.runs.logits import logits_of, prove
from quatrain.runs.model_card import model_card
from quatrain.runs.run_card import run_card
from quatrain.runs.sample_rows import Rows, inputs_of, sample_rows
from quatrain.runs.trained_model import TrainedModel

Form = Literal["safetensors", "onnx"]

TOLERANCE = 1e-4
"""The largest difference of a logit, if not the logits are large (see `prove`).

Merged adapters and another runtime sum the same products in another order: in twelve layers some 5e-6 apart. A wrong
mask, position, activation or weight shows at 1e-2 and more.
"""


class Proof(NamedTuple):
    """``rows`` of up to ``longest`` tokens, on which no logit was further ``apart``."""

    rows: int
    longest: int
    apart: float


def write(run: RunDirectory, trained: TrainedModel, folder: Path, form: Form, *, replacing: bool) -> Proof:
    """Write the model with its tokenizer, config and card to ``folder``, and prove that it computes the same.

    ``folder`` appears whole or not at all; ``replacing`` as `appearing_whole` has it.

    Raises:
        ExportMismatch: what was written, or a merged adapter, computes something else.
        UserError: the architecture cannot be written so, or what the run recorded cannot be read.
        NotNow: the folder cannot be written.
    """
    model = trained.model
    inputs = inputs_of(model, trained.tokenizer.hf)
    samples = sample_rows(model, inputs, positions(model.config.to_dict()))
    own = [logits_of(model, rows) for rows in samples]
    plain = merge_adapters(model)
    tokenizer = exported(trained.tokenizer, trained.recipe.task)
    card = run_card(run, trained, plain)
    if form == "safetensors":
        merged = [logits_of(plain, rows) for rows in samples] if plain is not model else own
        apart = _furthest(model, samples, own, merged)
        again = export(plain, tokenizer.save, folder, card, samples, replacing=replacing)
        return _proof(samples, max(apart, again))
    from quatrain.runs.onnx_export import onnx_logits, write_onnx

    with appearing_whole(folder, replacing=replacing) as temporary:
        write_onnx(plain, temporary, samples)
        save_configs(plain, temporary)
        tokenizer.save(temporary)
        write_whole(temporary / "README.md", model_card(**card, onnx_inputs=inputs))
        apart = _furthest(model, samples, own, onnx_logits(temporary, samples))
    return _proof(samples, apart)


def _furthest(model: Any, samples: list[Rows], own: list[Tensor], found: list[Tensor]) -> float:
    each = zip(samples, own, found, strict=True)
    return max(prove(model, rows, one, other, TOLERANCE) for rows, one, other in each)


def _proof(samples: list[Rows], apart: float) -> Proof:
    return Proof(sum(len(rows["input_ids"]) for rows in samples), samples[-1]["input_ids"].shape[1], apart)
