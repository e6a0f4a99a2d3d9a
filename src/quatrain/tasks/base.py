"""What the three tasks share: exact averages, the optimizer, and what a step is known by."""

import math
from collections.abc import Callable, Mapping
from typing import Any

import torch
from pytorch_lightning import LightningModule
from pytorch_lightning.strategies import FSDPStrategy
from torch import Tensor, nn
from torch.optim import AdamW, Optimizer
from torch.optim.lr_scheduler import LambdaLR, LRScheduler

from quatrain.core.errors import UserError
from quatrain.tasks.averaging import DAMPING, StepSums
from quatrain.tasks.reduction import ranks, sum_over_ranks, wide

MakeOptimizer = Callable[[nn.Module], Optimizer]
MakeSchedule = Callable[[Optimizer, int], LRScheduler]

DEFAULT_LEARNING_RATE = 1e-4


class LanguageTask(LightningModule):
    """Trains ``model`` so that each optimizer step follows the mean loss over all that it scores.

    The mean is over tokens (examples in a classification) of all accumulated micro-batches and all ranks together, so
    neither the accumulation nor the number of devices changes what is computed. The tensor that `training_step` returns
    is therefore no mean, and of no use to callbacks: they read `last_step`.

    Args:
        model: a model of Hugging Face's with the task's head, in train mode.
        optimizer: from the model to its optimizer; None: AdamW with a learning rate of 1e-4.
        schedule: from the optimizer and the number of all steps to a schedule that moves at every step.
        label_smoothing: share of the training target that is given to all classes alike; held-out losses have none.
        schedule_steps: optimizer steps that the schedule is made for; None: those of the training. A run that trains on
            keeps the length that its schedule had.
    """

    def __init__(
        self,
        model: nn.Module,
        *,
        optimizer: MakeOptimizer | None = None,
        schedule: MakeSchedule | None = None,
        label_smoothing: float = 0.0,
        schedule_steps: int | None = None,
    ) -> None:
        super().__init__()
        self.model = model
        self.label_smoothing = label_smoothing
        self.schedule_steps = schedule_steps
        self._make_optimizer, self._make_schedule = optimizer, schedule
        self._step = StepSums()
        self._last_step: dict[str, Tensor | float] = {}
        self._gradient_norm: Tensor | None = None
        self._held_out: dict[str, Tensor] = {}

    def logits(self, batch: Any) -> Tensor:
        """What the model says to ``batch``, [batch, seq, vocab] or [batch, classes], in the precision of its layers."""
        raise NotImplementedError

    def loss(self, logits: Tensor, batch: Any, label_smoothing: float) -> tuple[Tensor, Tensor]:
        """The loss summed over all that is scored, float32, and the number of it, int64; 0 and 0 for nothing."""
        raise NotImplementedError

    def training_loss(self, batch: Any) -> tuple[Tensor, Tensor]:
        """As `loss`, of what the model says to ``batch``."""
        return self.loss(self.logits(batch), batch, self.label_smoothing)

    @property
    def last_step(self) -> dict[str, Tensor | float]:
        """The optimizer step that ended last, each a number or a tensor of one number; empty before the first.

        Nothing has waited for the device yet; ``float()`` does. ``train/loss``: the step's exact mean, NaN if nothing
        was scored; ``train/scored``: targets in that mean; ``train/examples``: rows; ``train/tokens``: without padding;
        ``train/padded_share``: of the places in the batches; ``train/lr``: the highest of the groups;
        ``train/grad_norm``: L2, before clipping. Counts are over all micro-batches and ranks.
        """
        return dict(self._last_step)

    def on_fit_start(self) -> None:
        """Begin with empty sums, also after a fit that was broken off between two steps."""
        self._step.reset()

    def training_step(self, batch: Any, batch_idx: int) -> Tensor:
        """The loss of one micro-batch to run backward from.

        Where it is the whole step its mean, whose gradients are right as they come; else its damped sum, times the
        number of micro-batches, by which Lightning divides.
        """
        loss, scored = self.training_loss(batch)
        mask, ids = batch.get("attention_mask"), batch["input_ids"]
        tokens = ids.numel() if mask is None else mask.sum()
        examples = len(batch.get("example_ids", ids))  # packed, they lie in one row
        self._step.add(loss=loss, scored=scored, examples=examples, tokens=tokens, positions=ids.numel())
        return loss / scored.clamp(min=1) if self._is_whole_step() else loss * (DAMPING * self._micro_batches)

    def on_before_optimizer_step(self, optimizer: Optimizer) -> None:
        """Turn gradients of sums into those of the step's mean, and note what the step was."""
        parameters = _parameters(optimizer)
        sums = self._step.finish([] if self._is_whole_step() else parameters)
        self._gradient_norm = self._measure_gradients(parameters, optimizer)
        self._last_step = {
            "train/loss": sums.loss / sums.scored,
            "train/scored": sums.scored,
            "train/examples": sums.examples,
            "train/tokens": sums.tokens,
            "train/padded_share": 1 - sums.tokens / sums.positions,
            "train/lr": float(max(group["lr"] for group in optimizer.param_groups)),
            "train/grad_norm": self._gradient_norm,
        }
        self.log("train/loss", self._last_step["train/loss"], prog_bar=True, logger=False)

    def configure_gradient_clipping(
        self,
        optimizer: Optimizer,
        gradient_clip_val: int | float | None = None,
        gradient_clip_algorithm: str | None = None,
    ) -> None:
        """Clip by the norm that is known already; so it works for sharded gradients and fused optimizers too."""
        if not gradient_clip_val:
            return
        if gradient_clip_algorithm == "value":
            nn.utils.clip_grad_value_(_parameters(optimizer), gradient_clip_val)
        else:
            assert self._gradient_norm is not None
            nn.utils.clip_grads_with_norm_(_parameters(optimizer), gradient_clip_val, self._gradient_norm)

    def configure_optimizers(self) -> Any:
        """The optimizer, and the schedule by optimizer steps.

        Raises:
            UserError: there is a schedule, and nothing tells when training ends.
        """
        make = self._make_optimizer or _default_optimizer
        optimizer = make(self.model)
        if self._make_schedule is None:
            return optimizer
        if self.schedule_steps is None:
            steps = self.trainer.estimated_stepping_batches
            if not 0 <= steps < math.inf:
                raise UserError(
                    "the schedule must know when training ends; set trainer.max_steps or trainer.max_epochs, "
                    "or choose schedule=constant."
                )
            self.schedule_steps = int(steps)
        schedule = self._make_schedule(optimizer, self.schedule_steps)
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}

    def on_train_start(self) -> None:
        """Have the next step's learning rate from the schedule as it is now: a resumed run may have another one."""
        for config in self.trainer.lr_scheduler_configs:
            schedule = config.scheduler
            if isinstance(schedule, LambdaLR):
                shares = zip(schedule.optimizer.param_groups, schedule.base_lrs, schedule.lr_lambdas, strict=True)
                for group, full, share in shares:
                    group["lr"] = full * share(schedule.last_epoch)

    def predict_step(self, batch: Any, batch_idx: int = 0, dataloader_idx: int = 0) -> Tensor:
        """The logits of ``batch`` in float32, without the rows that even out the ranks (negative example_ids)."""
        logits = self.logits(batch).float()
        return logits[batch["example_ids"] >= 0] if "example_ids" in batch else logits

    def on_validation_epoch_start(self) -> None:
        """Begin with nothing, also after a validation that was broken off."""
        self.forget_held_out()

    def on_test_epoch_start(self) -> None:
        """Begin with nothing."""
        self.forget_held_out()

    def forget_held_out(self) -> None:
        """Drop all sums of held-out sets."""
        self._held_out.clear()

    def add_held_out(self, name: str, values: Tensor) -> None:
        """Add ``values``, a vector of this batch's sums, to those of the held-out set ``name``."""
        values = values.detach().to(wide(values.device))
        self._held_out[name] = self._held_out[name] + values if name in self._held_out else values

    def take_held_out(self, name: str, size: int) -> list[float]:
        """The ``size`` sums of ``name`` over all ranks, which are then forgotten; every rank must call this."""
        zero = torch.zeros(size, dtype=wide(self.device), device=self.device)
        return sum_over_ranks(self._held_out.pop(name, zero)).tolist()

    def log_held_out(self, metrics: Mapping[str, float]) -> None:
        """Log what is the same on all ranks already. The maximum of equal values is that value; a mean could round."""
        for name, value in metrics.items():
            self.log(name, value, prog_bar=name.endswith("/loss"), sync_dist=True, reduce_fx="max")

    @property
    def _micro_batches(self) -> int:
        return int(self.trainer.accumulate_grad_batches)

    def _is_whole_step(self) -> bool:
        """Whether a micro-batch of this rank is all of an optimizer step."""
        return self._micro_batches == 1 and ranks() == 1

    def _measure_gradients(self, parameters: list[nn.Parameter], optimizer: Optimizer) -> Tensor:
        gradients = [parameter.grad for parameter in parameters if parameter.grad is not None]
        norm = nn.utils.get_total_norm(gradients) if gradients else torch.zeros((), device=self.device)
        if isinstance(self.trainer.strategy, FSDPStrategy):
            norm = sum_over_ranks(norm.square()).sqrt()
        scaler = getattr(self.trainer.precision_plugin, "scaler", None)
        if scaler is not None and getattr(optimizer, "_step_supports_amp_scaling", False):
            # A fused optimizer takes float16's scale out by itself, later.
            norm = norm / scaler.get_scale()
        return norm


def _parameters(optimizer: Optimizer) -> list[nn.Parameter]:
    return [parameter for group in optimizer.param_groups for parameter in group["params"]]


def _default_optimizer(model: nn.Module) -> Optimizer:
    return AdamW((one for one in model.parameters() if one.requires_grad), lr=DEFAULT_LEARNING_RATE)
