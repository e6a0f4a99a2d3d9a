"""Proves that how rows are put in batches changes no loss, score or gradient of the same rows, but the padding."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import pytorch_lightning as pl
import torch

from quatrain.core.batches import IGNORED
from quatrain.data.collate import as_tensors
from quatrain.data.masked_text import MaskedText
from quatrain.data.module import LanguageData
from quatrain.data.pairs import SentencePairs
from quatrain.models.recipe import LanguageModel
from quatrain.tasks import TASKS
from quatrain.tasks.base import LanguageTask
from quatrain.tokenizers.trained import ByteLevelBPE, WordPiece
from quatrain.training.experiment import labels_for_model, sizes_for_model

pytestmark = [
    pytest.mark.filterwarnings("ignore:.*LeafSpec.*:FutureWarning"),  # Lightning's own
    pytest.mark.filterwarnings("ignore:.*does not have many workers.*"),
]

SMALL = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 32}
NO_DROPOUT = {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}


def masked_text(**words: Any) -> LanguageData:
    tokenizer = ByteLevelBPE(vocab_size=300, min_frequency=1)
    return MaskedText(tokenizer=tokenizer, verse_size=40, example="line", max_length=64, **words)


def pairs(**words: Any) -> LanguageData:
    return SentencePairs(tokenizer=WordPiece(vocab_size=300), verse_size=160, max_length=48, **words)


MAKERS = {"masked_lm": (masked_text, "roberta"), "sequence_classification": (pairs, "bert")}


class Sums(pl.Callback):
    """Counts places and tokens by hand, and keeps what the last step was known by."""

    def __init__(self) -> None:
        self.step: dict[str, float] = {}
        self.places = self.tokens = 0

    def on_train_batch_end(self, trainer: Any, pl_module: Any, outputs: Any, batch: Any, batch_idx: int) -> None:
        self.places += batch["input_ids"].numel()
        self.tokens += int(batch["attention_mask"].sum()) if "attention_mask" in batch else batch["input_ids"].numel()
        self.step = {name: float(value) for name, value in pl_module.last_step.items()}


def task_of(name: str, data: LanguageData, kind: str) -> Any:
    recipe = LanguageModel(task=name, config={"model_type": kind, **SMALL, **NO_DROPOUT})  # type: ignore[arg-type]
    torch.manual_seed(1)
    model = recipe.build(**sizes_for_model(recipe, data), **labels_for_model(recipe, data))
    return TASKS[name](model, **({"packing": True} if data.packing else {}))


def trainer_of(folder: Path, **words: Any) -> pl.Trainer:
    return pl.Trainer(
        accelerator="cpu",
        precision="32-true",
        max_epochs=1,
        num_sanity_val_steps=0,
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        use_distributed_sampler=False,
        default_root_dir=folder,
        **words,
    )


def one_step(name: str, folder: Path, **words: Any) -> tuple[Sums, dict[str, float], int]:
    """One optimizer step over all of the training rows, and the scores of the held-out ones before it."""
    make, kind = MAKERS[name]
    data = make(**words)
    data.setup()
    task = task_of(name, data, kind)
    sums, count = Sums(), len(data.train_dataloader())
    trainer = trainer_of(folder, accumulate_grad_batches=count, callbacks=[sums])
    (scores,) = trainer.validate(task, datamodule=data, verbose=False)
    trainer.fit(task, datamodule=data)
    return sums, dict(scores), count


@pytest.mark.parametrize("name", MAKERS)
def test_the_same_rows_give_the_same_loss_gradient_and_scores(name: str, tmp_path: Path) -> None:
    plain, scores, count = one_step(name, tmp_path, batch_size=16)
    assert plain.step["train/padded_share"] == pytest.approx(1 - plain.tokens / plain.places)
    assert plain.step["train/padded_share"] > 0.05
    ways: list[dict[str, Any]] = [{"batch_size": 16}, {"batch_size": 7}]
    if name == "masked_lm":
        ways.append({"batch_size": 16, "packing": True})
    for words in ways:
        by_length, other, batches = one_step(name, tmp_path, bucketing=True, **words)
        assert batches == count or words["batch_size"] != 16
        assert other == pytest.approx(scores, rel=1e-5)
        for metric in ("train/loss", "train/grad_norm"):
            assert by_length.step[metric] == pytest.approx(plain.step[metric], rel=1e-5)
        for metric in ("train/scored", "train/examples", "train/tokens"):
            assert by_length.step[metric] == plain.step[metric]
        assert by_length.tokens == plain.tokens == plain.step["train/tokens"]
        assert by_length.step["train/padded_share"] == pytest.approx(1 - by_length.tokens / by_length.places)
        assert by_length.step["train/padded_share"] < 0.4 * plain.step["train/padded_share"]


def test_predictions_come_in_the_order_of_the_rows(tmp_path: Path) -> None:
    """Through a Trainer's own prediction loop, which warns of nothing."""
    data = pairs(batch_size=4, bucketing=True)
    data.setup()
    task = task_of("sequence_classification", data, "bert")
    predicted: Any = trainer_of(tmp_path).predict(task, datamodule=data)
    batches = [data.rows["test"].__getitems__([(0, row)]) for row in range(len(data.rows["test"]))]
    with torch.no_grad():
        wanted = [task.eval().logits(as_tensors(batch)) for batch in batches]
    assert torch.allclose(torch.cat(predicted), torch.cat(wanted), atol=1e-5)


class Scored(LanguageTask):
    """Scores every place that is asked for with a loss of 1."""

    def training_loss(self, batch: Any) -> tuple[torch.Tensor, torch.Tensor]:
        scored = (batch["labels"] != IGNORED).sum()
        return scored.float(), scored


def test_packed_batches_are_counted_as_their_padded_ones_but_for_the_padding(tmp_path: Path) -> None:
    sums = []
    for packing in (False, True):
        data = masked_text(batch_size=16, packing=packing)
        data.setup()
        task = Scored(torch.nn.Linear(1, 1))
        task._trainer = SimpleNamespace(accumulate_grad_batches=1)  # type: ignore[assignment]
        for number, batch in enumerate(data.train_dataloader()):
            task.training_step(batch, number)
        sums.append(task._step.finish([]))
    padded, packed = sums
    assert padded[:4] == packed[:4]
    assert int(packed.examples) == data.summary["examples/train"]
    assert int(packed.tokens) == int(packed.positions) == data.summary["tokens/train"] < int(padded.positions)
