"""The time and the real tokens of each optimizer step of transformers' Trainer."""

import time
from collections.abc import Callable, Mapping
from typing import Any

import torch
import transformers


class StepClock(transformers.TrainerCallback):  # type: ignore[misc]
    """Notes when each optimizer step ended; a GPU is waited for only where the timed steps begin and end.

    Args:
        untimed: steps at the beginning that are not timed.
        last: the number of the last step.
    """

    def __init__(self, untimed: int, last: int) -> None:
        self.untimed, self.last = untimed, last
        self.ends: list[float] = []

    def on_step_end(self, args: Any, state: Any, control: Any, **others: Any) -> None:
        """Note the moment."""
        if torch.cuda.is_available() and state.global_step in (self.untimed, self.last):
            torch.cuda.synchronize()
        self.ends.append(time.perf_counter())

    @property
    def seconds(self) -> float:
        """From the end of the last untimed step to the end of the last one."""
        return self.ends[-1] - self.ends[self.untimed - 1]


class TokenCount:
    """Collates as ``collate`` does, and notes how many tokens of each batch are no padding."""

    def __init__(self, collate: Callable[[list[Any]], Mapping[str, Any]]) -> None:
        self.collate = collate
        self.tokens: list[int] = []

    def __call__(self, examples: list[Any]) -> Mapping[str, Any]:
        """Return the batch of ``examples``."""
        batch = self.collate(examples)
        self.tokens.append(int(batch["attention_mask"].sum()))
        return batch
