"""Memory: what this process holds and held at most, and what a training step would hold, from shapes alone."""

import resource
import sys
import weakref
from collections.abc import Callable, Iterable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import Tensor

STATUS = Path("/proc/self/status")
FORGET = Path("/proc/self/clear_refs")
SIDE = 512
"""Rows and columns of the matrix that tells what an optimizer keeps."""


def resident() -> int:
    """Bytes of this process in memory now; its peak where the system tells only that."""
    return _status("VmRSS") or peak_resident()


def peak_resident() -> int:
    """The most bytes that this process had in memory since it began, or since `forget_peak`."""
    # ru_maxrss would begin with what the parent held, and outlives what a fork replaced
    return _status("VmHWM") or resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (
        1 if sys.platform == "darwin" else 1024
    )


def forget_peak() -> None:
    """Count the peak from now on, where the system can (Linux)."""
    try:
        FORGET.write_text("5")
    except OSError:
        return


def _status(name: str) -> int:
    try:
        lines = STATUS.read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith(f"{name}:")), 0)


def optimizer_states(optimizer_class: type, arguments: Mapping[str, Any]) -> float | None:
    """How many numbers the optimizer keeps for each trained one, from one step on a matrix: Adam 2, plain SGD 0.

    None where the class steps only in a way of its own (L-BFGS asks for a closure).
    """
    import torch

    from quatrain.training.optimizers import make_optimizer

    layer = torch.nn.Linear(SIDE, SIDE, bias=False)
    optimizer = make_optimizer(layer, optimizer_class, **arguments)
    layer.weight.grad = torch.ones_like(layer.weight)
    try:
        optimizer.step()
    except (TypeError, RuntimeError):
        return None
    kept = [value for state in optimizer.state.values() for value in state.values() if isinstance(value, torch.Tensor)]
    return sum(value.nbytes for value in kept if value.numel() > 1) / layer.weight.nbytes


@dataclass(frozen=True)
class StepMemory:
    """Bytes at the fullest moment of a training step, beside weights and optimizer."""

    peak: int
    """All that the step makes: activations, logits with their copies and gradients, gradients of weights."""
    logits: int
    """Of these, tables over the vocabulary or the labels, one entry for each."""


def step_memory(
    make_task: Callable[[], Any], batch: Mapping[str, Any], precision: str, *, accumulates: bool
) -> StepMemory:
    """Run two training steps on tensors without content, and follow what would be in memory.

    PyTorch computes shapes only, so a model of any size takes seconds and no memory. Every tensor that its operations
    make is counted from its birth to its end, also the bfloat16 copies of weights that autocast keeps and what the
    backward pass was left with. What kernels need for themselves and what the allocator wastes is not.

    Args:
        make_task: builds the task; its model's weights are made, not read.
        batch: a batch of arrays of the shape to judge.
        precision: Lightning's word.
        accumulates: whether gradients stay from batch to batch.
    """
    import torch
    from torch._subclasses import FakeTensorMode

    half = {"bf16-mixed": torch.bfloat16, "16-mixed": torch.float16}
    true = {"bf16-true": torch.bfloat16, "16-true": torch.float16, "64-true": torch.float64}
    alive = _alive()
    with torch.device("meta"):
        task = make_task()
    if precision in true:
        task.to(true[precision])
    task.train()
    alive.width, alive.table = _output_table(task.model)
    with FakeTensorMode():
        _leave_meta(task)
        fake = {
            name: torch.empty(value.shape, dtype=value.dtype) if isinstance(value, torch.Tensor) else value
            for name, value in batch.items()
        }
        tensors = [value for value in fake.values() if isinstance(value, torch.Tensor)]
        alive.knows([*task.parameters(), *task.buffers(), *tensors])
        with alive:
            for _ in range(2):
                autocast = torch.autocast("cpu", half[precision]) if precision in half else nullcontext()
                with autocast:
                    loss, _ = task.training_loss(fake)
                if not accumulates:  # as Lightning does it: after the forward pass
                    task.zero_grad(set_to_none=True)
                loss.backward()
                del loss
    return StepMemory(peak=alive.peak, logits=alive.logits_at_peak)


def _output_table(model: Any) -> tuple[int, int]:
    """The width of the logits, and how many numbers the table has that makes them."""
    table = model.get_output_embeddings()
    return (int(model.config.num_labels), 0) if table is None else (table.out_features, table.weight.numel())


def _leave_meta(module: Any) -> None:
    """Put tensors of the current mode in place of all that are on the meta device, where autocast does nothing.

    Tied ones stay tied. (``to_empty`` would swap tensors that the mode holds on to.)
    """
    import torch

    made: dict[int, Any] = {}
    for part in module.modules():
        for tensors in (part._parameters, part._buffers):
            for name, tensor in tensors.items():
                if tensor is None:
                    continue
                if id(tensor) not in made:
                    empty = torch.empty(tensor.shape, dtype=tensor.dtype, device="cpu")
                    learns = isinstance(tensor, torch.nn.Parameter)
                    made[id(tensor)] = torch.nn.Parameter(empty, tensor.requires_grad) if learns else empty
                tensors[name] = made[id(tensor)]


def _alive() -> Any:
    """A mode that counts the bytes of all storages that operations have made and that are still there."""
    import torch
    from torch.utils._python_dispatch import TorchDispatchMode
    from torch.utils._pytree import tree_leaves

    class Alive(TorchDispatchMode):
        def __init__(self) -> None:
            super().__init__()
            self.width = self.table = 0
            self.peak = self.logits_at_peak = self._now = self._logits = 0
            self._known: set[int] = set()

        def __torch_dispatch__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            made = function(*args, **(kwargs or {}))
            for tensor in tree_leaves(made):
                if isinstance(tensor, torch.Tensor):
                    self._add(tensor)
            return made

        def knows(self, tensors: "Iterable[Tensor]") -> None:
            """Leave out ``tensors``, which were there before, and views of them."""
            self._known.update(tensor.untyped_storage()._cdata for tensor in tensors)

        def _add(self, tensor: "Tensor") -> None:
            storage = tensor.untyped_storage()
            key = storage._cdata
            if key in self._known:
                return
            of_logits = tensor.dim() > 1 and tensor.shape[-1] == self.width and tensor.numel() != self.table
            bytes_, logits = storage.nbytes(), storage.nbytes() if of_logits else 0
            self._known.add(key)
            weakref.finalize(storage, self._remove, key, bytes_, logits)
            self._now += bytes_
            self._logits += logits
            if self._now > self.peak:
                self.peak, self.logits_at_peak = self._now, self._logits

        def _remove(self, key: int, bytes_: int, logits: int) -> None:
            self._known.discard(key)
            self._now -= bytes_
            self._logits -= logits

    return Alive()
