"""A model as one ONNX file, and what ONNX Runtime makes of it. The extra ``onnx`` installs what this needs."""

import inspect
import logging
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from quatrain.core.errors import UserError
from quatrain.runs.export import ExportMismatch
from quatrain.runs.sample_rows import Rows

FILE = "model.onnx"
OUTPUT = "logits"
ATTENTION = "eager"
"""Attention written out in products, which every runtime has."""

NOISY = ("torch.onnx", "torch.export", "onnxscript", "onnx_ir")


def write_onnx(model: Any, folder: Path, samples: Sequence[Rows]) -> None:
    """Write ``model``, a plain architecture on the CPU, as `FILE` into ``folder``.

    Batch and sequence may have any size. The inputs are those of ``samples``, int64; the output is ``logits``, float32.
    The weights of a model beyond 1.5 GB go into a second file, for one of the format's may have 2 GB.

    Raises:
        UserError: the architecture cannot be written so.
    """
    with _evaluated_plainly(model), _quiet():
        program = _traced(model, samples)
    _forget_places(program.model)
    program.save(folder / FILE)


def onnx_logits(folder: Path, samples: Sequence[Rows]) -> list[Tensor]:
    """What ONNX Runtime, on the CPU, makes of each batch by the file in ``folder``.

    Raises:
        ExportMismatch: it cannot run the file.
    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    options.log_severity_level = 3  # errors
    try:
        session = onnxruntime.InferenceSession(str(folder / FILE), options, providers=["CPUExecutionProvider"])
        found = [session.run([OUTPUT], {name: rows[name].numpy() for name in rows})[0] for rows in samples]
    except Exception as error:  # its errors have no class of their own in common
        what = " ".join(str(error).split())[:300].rstrip(".")
        raise ExportMismatch(f"ONNX Runtime cannot run the file ({what})") from error
    return [torch.from_numpy(one) for one in found]


class _Logits(nn.Module):
    """A model from ids to logits alone: no cache, no mapping."""

    def __init__(self, model: Any) -> None:
        super().__init__()
        self.model = model
        self.more = {"use_cache": False} if "use_cache" in inspect.signature(model.forward).parameters else {}

    def forward(self, input_ids: Tensor, attention_mask: Tensor, token_type_ids: Tensor | None = None) -> Tensor:
        types = {} if token_type_ids is None else {"token_type_ids": token_type_ids}
        logits: Tensor = self.model(input_ids=input_ids, attention_mask=attention_mask, **types, **self.more).logits
        return logits


def _traced(model: Any, samples: Sequence[Rows]) -> Any:
    # of unlike sizes above 1, so that none is taken for a constant or for another
    inputs = max(samples, key=lambda rows: rows["input_ids"].shape[0])
    try:
        return torch.onnx.export(
            _Logits(model),
            tuple(inputs.values()),
            input_names=list(inputs),
            output_names=[OUTPUT],
            dynamic_shapes=tuple({0: "batch", 1: "sequence"} for _ in inputs),
            dynamo=True,
            verbose=False,
        )
    except torch.onnx.OnnxExporterError as error:
        cause = error.__cause__ or error
        what = " ".join(str(cause).split())[:300].rstrip(".")
        raise UserError(
            f"{type(model).__name__} cannot be written as ONNX ({type(cause).__name__}: {what}); --format safetensors"
            " takes every model."
        ) from error


def _forget_places(graph_model: Any) -> None:
    """Take out the lines of source that made each operation, with the folders that they lie in on this machine."""
    for graph in graph_model.graphs():
        graph.metadata_props.clear()
        for value in (*graph.inputs, *graph.outputs, *graph.initializers.values()):
            value.metadata_props.clear()
        for node in graph:
            node.metadata_props.clear()
            for value in node.outputs:
                value.metadata_props.clear()


@contextmanager
def _evaluated_plainly(model: Any) -> Iterator[None]:
    """Within the block ``model`` evaluates, by attention that is written out."""
    training, attention = model.training, model.config._attn_implementation
    model.eval()
    model.set_attn_implementation(ATTENTION)
    try:
        with torch.no_grad():
            yield
    finally:
        model.set_attn_implementation(attention)
        model.train(training)


@contextmanager
def _quiet() -> Iterator[None]:
    """The exporter tells of its own affairs in warnings and log lines; what fails, it raises."""
    loggers = [logging.getLogger(name) for name in NOISY]
    levels = [one.level for one in loggers]
    for one in loggers:
        one.setLevel(logging.CRITICAL)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for one, level in zip(loggers, levels, strict=True):
            one.setLevel(level)
