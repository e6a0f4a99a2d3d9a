"""A step follows the mean over all that it scores, whatever the micro-batches; checkpoints hold the model alone."""

import math
from typing import Any

import pytest
import torch
from torch import tensor
from torch.optim import SGD
from torch.optim.lr_scheduler import LambdaLR

from quatrain.core.batches import IGNORED
from quatrain.core.errors import UserError
from quatrain.tasks import CausalLanguageModel, MaskedLanguageModel, SequenceClassification

pytestmark = [
    pytest.mark.filterwarnings("ignore:.*LeafSpec.*:FutureWarning"),  # Lightning's own
    pytest.mark.filterwarnings("ignore:.*does not have many workers.*"),
    pytest.mark.filterwarnings("ignore:.*have no `val_dataloader`.*"),
]

RATE = 0.5


def _masked(lengths: list[int], seed: int) -> dict[str, Any]:
    """Texts of these lengths, padded to 8; about a third of their tokens is asked for."""
    random = torch.Generator().manual_seed(seed)
    ids = torch.randint(5, 40, (len(lengths), 8), generator=random)
    mask = (torch.arange(8) < tensor(lengths)[:, None]).long()
    asked = (torch.rand(ids.shape, generator=random) < 0.35) & mask.bool()
    labels = torch.where(asked, ids, IGNORED)
    return {
        "input_ids": torch.where(mask.bool(), ids, 1),
        "attention_mask": mask,
        "labels": labels,
        "example_ids": torch.arange(len(lengths)),
    }


def _sgd(model: Any) -> SGD:
    return SGD(model.parameters(), lr=RATE)


def _fit(trainer: Any, loader: Any, task: Any, batches: list[Any], **words: Any) -> Any:
    trainer(**words).fit(task, loader(batches))
    return task


def _joined(batches: list[Any]) -> dict[str, Any]:
    return {name: torch.cat([batch[name] for batch in batches]) for name in batches[0]}


def _same(left: Any, right: Any) -> None:
    for (name, one), (_, other) in zip(left.model.named_parameters(), right.model.named_parameters(), strict=True):
        torch.testing.assert_close(one, other, atol=1e-6, rtol=1e-5, msg=name)


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_accumulated_unequal_batches_equal_one_batch(trainer: Any, loader: Any, tiny: Any, smoothing: float) -> None:
    """Two micro-batches of 2 and 5 texts move the model as the 7 texts at once do, and as PyTorch's own mean says."""
    batches = [_masked([3, 8], 1), _masked([8, 7, 8, 2, 6], 2)]
    both = _joined(batches)

    def task() -> Any:
        return MaskedLanguageModel(tiny("roberta", "masked_lm"), optimizer=_sgd, label_smoothing=smoothing)

    accumulated = _fit(trainer, loader, task(), batches, accumulate_grad_batches=2)
    at_once = _fit(trainer, loader, task(), [both])
    _same(accumulated, at_once)
    plain = tiny("roberta", "masked_lm")
    logits = plain(input_ids=both["input_ids"], attention_mask=both["attention_mask"]).logits
    mean = torch.nn.functional.cross_entropy(logits.flatten(0, 1), both["labels"].flatten(), label_smoothing=smoothing)
    mean.backward()
    for one, other in zip(accumulated.model.parameters(), plain.parameters(), strict=True):
        torch.testing.assert_close(one, other - RATE * other.grad, atol=1e-6, rtol=1e-5)
    assert float(accumulated.last_step["train/loss"]) == pytest.approx(mean.item(), rel=1e-6)


def test_an_incomplete_last_accumulation_is_exact_too(trainer: Any, loader: Any, tiny: Any) -> None:
    """Three micro-batches at two a step: the second step holds one alone."""
    batches = [_masked([8], 1), _masked([8, 5], 2), _masked([7, 8, 3], 3)]
    left = MaskedLanguageModel(tiny("roberta", "masked_lm"), optimizer=_sgd)
    right = MaskedLanguageModel(tiny("roberta", "masked_lm"), optimizer=_sgd)
    _same(
        _fit(trainer, loader, left, batches, accumulate_grad_batches=2),
        _fit(trainer, loader, right, [_joined(batches[:2]), batches[2]]),
    )


def test_what_a_step_is_known_by(trainer: Any, loader: Any, tiny: Any) -> None:
    batch = _masked([3, 8], 1)
    model = tiny("roberta", "masked_lm")
    labels = batch["labels"].flatten()
    logits = model(input_ids=batch["input_ids"], attention_mask=batch["attention_mask"]).logits
    torch.nn.functional.cross_entropy(logits.flatten(0, 1), labels).backward()
    norm = torch.nn.utils.get_total_norm([parameter.grad for parameter in model.parameters()])
    task = MaskedLanguageModel(tiny("roberta", "masked_lm"), optimizer=_sgd)
    assert task.last_step == {}
    before = [parameter.detach().clone() for parameter in task.model.parameters()]
    step = _fit(trainer, loader, task, [batch], gradient_clip_val=0.01).last_step
    assert float(step["train/grad_norm"]) == pytest.approx(norm.item(), rel=1e-5)
    assert step["train/lr"] == RATE
    counts = {name: float(step[f"train/{name}"]) for name in ("scored", "examples", "tokens", "padded_share")}
    assert counts == {"scored": (labels != IGNORED).sum(), "examples": 2, "tokens": 11, "padded_share": 5 / 16}
    moved = torch.cat([(new - old).flatten() for new, old in zip(task.model.parameters(), before, strict=True)])
    assert moved.norm().item() == pytest.approx(0.01 * RATE, rel=1e-3)


def test_a_step_without_a_target_does_no_harm(trainer: Any, loader: Any, tiny: Any) -> None:
    empty = _masked([8, 8], 1)
    empty["labels"] = torch.full_like(empty["labels"], IGNORED)
    task = MaskedLanguageModel(tiny("roberta", "masked_lm"), optimizer=_sgd)
    _fit(trainer, loader, task, [empty], gradient_clip_val=1.0)
    for one, other in zip(task.model.parameters(), tiny("roberta", "masked_lm").parameters(), strict=True):
        assert torch.equal(one, other)
    assert math.isnan(task.last_step["train/loss"])
    assert task.last_step["train/scored"] == 0


def test_loss_is_float32_under_bfloat16(trainer: Any, loader: Any, tiny: Any) -> None:
    """The loss of bfloat16 logits is that of the same logits in float32."""
    batch = _masked([8, 8], 1)
    task = MaskedLanguageModel(tiny("roberta", "masked_lm"))
    with torch.autocast("cpu", torch.bfloat16):
        logits = task.logits(batch)
        loss, count = task.loss(logits, batch, 0.0)
    assert logits.dtype == torch.bfloat16
    assert loss.dtype == torch.float32
    exact = torch.nn.functional.cross_entropy(logits.float().flatten(0, 1), batch["labels"].flatten())
    assert (loss / count).item() == pytest.approx(exact.item(), rel=1e-6)
    trained = _fit(
        trainer,
        loader,
        MaskedLanguageModel(tiny("roberta", "masked_lm"), optimizer=_sgd),
        [batch],
        precision="bf16-mixed",
    )
    assert float(trained.last_step["train/loss"]) == pytest.approx((loss / count).item(), rel=1e-3)


def test_causal_targets_are_shifted_by_the_data_alone(tiny: Any) -> None:
    """The loss equals Hugging Face's own, which shifts labels itself, on one window with one token more."""
    model = tiny("gpt2", "causal_lm").eval()
    stream = torch.randint(0, 40, (1, 9), generator=torch.Generator().manual_seed(0))
    batch = {"input_ids": stream[:, :-1], "target": stream[:, 1:], "example_ids": tensor([0])}
    task = CausalLanguageModel(model)
    loss, count = task.loss(task.logits(batch), batch, 0.0)
    labels = torch.cat([stream[:, :1], stream[:, 1:-1]], dim=1)
    theirs = model(input_ids=stream[:, :-1], labels=labels).loss * 7
    last = torch.nn.functional.cross_entropy(model(input_ids=stream[:, :-1]).logits[:, -1], stream[:, -1])
    assert count == 8
    assert loss.item() == pytest.approx((theirs + last).item(), rel=1e-5)


def test_regression_without_a_score_has_finite_gradients(tiny: Any) -> None:
    model = tiny("roberta", "sequence_classification", num_labels=1, regression=True)
    batch = {**_masked([8, 8], 1), "labels": tensor([math.nan, 2.0])}
    task = SequenceClassification(model, num_labels=1, regression=True, metrics=("pearson",))
    loss, count = task.loss(task.logits(batch), batch, 0.0)
    loss.backward()
    assert count == 1
    assert all(parameter.grad.isfinite().all() for parameter in model.parameters() if parameter.grad is not None)


def test_the_schedule_moves_at_each_step(trainer: Any, loader: Any, tiny: Any) -> None:
    """Four batches at two a step over two epochs are four steps, and the schedule is told so."""
    told = []

    def schedule(optimizer: Any, steps: int) -> LambdaLR:
        told.append(steps)
        return LambdaLR(optimizer, lambda step: 1 - step / steps)

    batches = [_masked([8], seed) for seed in range(4)]
    task = MaskedLanguageModel(tiny("roberta", "masked_lm"), optimizer=_sgd, schedule=schedule)
    _fit(trainer, loader, task, batches, accumulate_grad_batches=2, max_epochs=2)
    assert told == [4]
    assert task.last_step["train/lr"] == pytest.approx(RATE / 4)


def test_a_schedule_needs_an_end(trainer: Any, loader: Any, tiny: Any) -> None:
    task = MaskedLanguageModel(
        tiny("roberta", "masked_lm"), schedule=lambda optimizer, steps: LambdaLR(optimizer, float)
    )
    with pytest.raises(UserError, match=r"trainer.max_steps or trainer.max_epochs"):
        trainer(max_epochs=-1).fit(task, loader([_masked([8], 1)]))


def test_a_checkpoint_holds_the_model_and_loads_safely(trainer: Any, loader: Any, tiny: Any, tmp_path: Any) -> None:
    """No metric, no class and no hyper-parameter in it: tensors under ``model.``, read with weights_only."""
    task = SequenceClassification(tiny("roberta", "sequence_classification", num_labels=2))
    batch = {**_masked([8, 8], 1), "labels": tensor([0, 1])}
    chosen = trainer()
    chosen.fit(task, loader([batch]), loader([batch]))
    chosen.save_checkpoint(tmp_path / "last.ckpt")
    read = torch.load(tmp_path / "last.ckpt", weights_only=True)
    assert set(read["state_dict"]) == {f"model.{name}" for name in task.model.state_dict()}
    assert "hyper_parameters" not in read
    assert math.isfinite(chosen.callback_metrics["train/loss"])
