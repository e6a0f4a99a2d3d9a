"""What one rank wants, all ranks do, at the same step."""

import torch
from torch import distributed

from quatrain.tasks.reduction import ranks


class Agreement:
    """The largest of what the ranks say, over a group of its own on the CPU, so that no GPU is waited for.

    Alone, a process agrees with itself at once.
    """

    def __init__(self) -> None:
        self._group: distributed.ProcessGroup | None = None

    def largest(self, *numbers: int) -> list[int]:
        """Return the largest of each of ``numbers`` over all ranks; every rank must call this at the same place."""
        if ranks() == 1:
            return list(numbers)
        if self._group is None:
            self._group = distributed.new_group(backend="gloo")
        told = torch.tensor(numbers, dtype=torch.int64)
        distributed.all_reduce(told, op=distributed.ReduceOp.MAX, group=self._group)
        return [int(number) for number in told.tolist()]

    def close(self) -> None:
        """Give the group back; its threads must not outlive the training."""
        if self._group is not None and distributed.is_initialized():
            distributed.destroy_process_group(self._group)
        self._group = None
