"""Learning-rate schedules: the share of the full learning rate at each optimizer step."""

import math
from abc import ABC, abstractmethod

from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR

from quatrain.core.errors import UserError


class Schedule(ABC):
    """A warm-up in a straight line from zero, then what `after` says; ``schedule(optimizer, total_steps)`` attaches it.

    The first step is taken at factor 0 of a warm-up, as Hugging Face counts, so that published recipes mean the same.

    Args:
        warmup: an int counts optimizer steps, a float is the share of all steps (0.06 = 6 %), rounded up.
    """

    def __init__(self, *, warmup: int | float = 0.0) -> None:
        share = isinstance(warmup, float)
        if isinstance(warmup, bool) or warmup < 0 or (share and not warmup <= 1):
            raise UserError(
                f"schedule.warmup={warmup}: a whole number counts steps from 0 on, a number with a point is the share "
                "of all steps between 0.0 and 1.0; write for example 100 or 0.06."
            )
        self.warmup = warmup

    def warmup_steps(self, total_steps: int | float) -> int:
        """How many steps the warm-up takes of ``total_steps``."""
        if isinstance(self.warmup, int):
            return self.warmup
        if self.warmup and math.isinf(total_steps):
            raise UserError(_endless(f"schedule.warmup={self.warmup}"))
        return math.ceil(self.warmup * total_steps) if self.warmup else 0

    def factor(self, step: int, total_steps: int | float) -> float:
        """The share of the full learning rate when ``step`` optimizer steps have been taken, in [0, 1]."""
        warmup = self.warmup_steps(total_steps)
        if step < warmup:
            return step / warmup
        rest = total_steps - warmup
        return self.after(1.0 if rest <= 0 else min(1.0, (step - warmup) / rest))

    @abstractmethod
    def after(self, progress: float) -> float:
        """The factor at ``progress`` in [0, 1] of the steps that follow the warm-up."""

    def __call__(self, optimizer: Optimizer, total_steps: int | float) -> LambdaLR:
        """Attach the schedule to ``optimizer``; step it once after each optimizer step.

        Its state holds numbers only. ``total_steps`` is infinite for a training without an end.
        """
        self.factor(0, total_steps)
        return LambdaLR(optimizer, lambda step: self.factor(step, total_steps))


class Constant(Schedule):
    """The full learning rate after the warm-up."""

    def __init__(self, *, warmup: int | float = 0.0) -> None:
        super().__init__(warmup=warmup)

    def after(self, progress: float) -> float:
        """Always 1."""
        return 1.0


class Linear(Schedule):
    """A straight line down to zero at the last step (BERT's schedule, Devlin et al. 2019)."""

    def __init__(self, *, warmup: int | float = 0.0) -> None:
        super().__init__(warmup=warmup)

    def factor(self, step: int, total_steps: int | float) -> float:
        """As `Schedule.factor`; needs an end to fall to."""
        return super().factor(step, _finite(total_steps, "linear"))

    def after(self, progress: float) -> float:
        """From 1 to 0."""
        return 1.0 - progress


class Cosine(Schedule):
    """Half a cosine wave down to ``final_share`` of the learning rate at the last step (Loshchilov and Hutter 2017).

    Args:
        final_share: share of the full learning rate that is left at the last step.
    """

    def __init__(self, *, warmup: int | float = 0.0, final_share: float = 0.0) -> None:
        super().__init__(warmup=warmup)
        if not 0 <= final_share <= 1:
            raise UserError(f"schedule.final_share={final_share} must lie between 0 and 1; write for example 0.1.")
        self.final_share = final_share

    def factor(self, step: int, total_steps: int | float) -> float:
        """As `Schedule.factor`; needs an end to fall to."""
        return super().factor(step, _finite(total_steps, "cosine"))

    def after(self, progress: float) -> float:
        """From 1 to `final_share`."""
        return self.final_share + (1 - self.final_share) * 0.5 * (1 + math.cos(math.pi * progress))


def _finite(total_steps: int | float, name: str) -> int | float:
    if math.isinf(total_steps):
        raise UserError(_endless(f"schedule={name}"))
    return total_steps


def _endless(what: str) -> str:
    return f"{what} needs to know how long the training is: set trainer.max_steps or trainer.max_epochs."
