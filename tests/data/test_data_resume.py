"""A real Trainer that goes on from a checkpoint reads what the whole run would have read, wherever it stopped."""

from itertools import chain
from pathlib import Path
from typing import Any

import pytest
import pytorch_lightning as pl
import torch
from pytorch_lightning.callbacks import Callback

from quatrain.data.masked_text import MaskedText
from quatrain.data.module import LanguageData
from quatrain.data.windows import Windows
from quatrain.tokenizers.tokenizer import Tokenizer

pytestmark = [
    pytest.mark.filterwarnings("ignore:.*LeafSpec.*:FutureWarning"),  # Lightning's own
    pytest.mark.filterwarnings("ignore:.*does not have many workers.*"),
]

TEXT = " ".join(f"mill {number}" for number in range(60))


class Reader(pl.LightningModule):
    """Learns next to nothing and notes what it is given."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = torch.nn.Parameter(torch.zeros(()))
        self.seen: list[tuple[int, list[int]]] = []

    def training_step(self, batch: Any, batch_idx: int) -> Any:
        self.seen.append((self.trainer.current_epoch, batch["example_ids"].tolist()))
        return self.weight**2

    def validation_step(self, batch: Any, batch_idx: int) -> None:
        pass

    def configure_optimizers(self) -> Any:
        return torch.optim.SGD(self.parameters(), lr=0.1)


class Save(Callback):
    """Saves once, after ``steps`` steps, in the hook ``when``."""

    def __init__(self, when: str, steps: int, path: Path) -> None:
        self.steps, self.path = steps, path
        setattr(self, when, self.save)

    def save(self, trainer: pl.Trainer, *_: Any) -> None:
        if trainer.global_step == self.steps and not self.path.exists():
            trainer.save_checkpoint(self.path)


def read(data: LanguageData, folder: Path, callbacks: list[Callback], start: Path | None, **words: Any) -> Any:
    reader = Reader()
    trainer = pl.Trainer(
        accelerator="cpu",
        max_epochs=3,
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        num_sanity_val_steps=0,
        default_root_dir=folder,
        callbacks=callbacks,
        **words,
    )
    trainer.fit(reader, datamodule=data, ckpt_path=start)
    return reader.seen


@pytest.mark.parametrize(
    ("when", "epochs", "batches", "workers", "limits"),
    [
        ("on_train_epoch_end", 1, 0, (0, 0), {}),
        ("on_train_epoch_end", 2, 0, (0, 0), {}),
        ("on_validation_end", 1, 0, (0, 0), {}),
        ("on_train_batch_end", 1, 0, (0, 0), {}),
        ("on_train_batch_end", 1, 2, (0, 0), {}),
        ("on_train_epoch_end", 1, 0, (0, 0), {"limit_train_batches": 3}),
        ("on_train_batch_end", 1, 1, (0, 0), {"limit_train_batches": 3}),
        ("on_train_epoch_end", 1, 0, (2, 2), {}),
        ("on_train_batch_end", 1, 2, (2, 1), {}),  # the number of workers may change
    ],
)
@pytest.mark.parametrize("drop_last", [False, True])
def test_a_resumed_run_reads_what_the_whole_run_reads(
    gpt2: Tokenizer,
    tmp_path: Path,
    when: str,
    epochs: int,
    batches: int,
    workers: tuple[int, int],
    limits: Any,
    drop_last: bool,
):
    """40 windows, so 4 batches of 9 and one of 4; saved after whole epochs and some batches."""

    def data(num_workers: int) -> Windows:
        numbers: Any = {"max_length": 8, "stride": 5, "batch_size": 9, "num_workers": num_workers}
        return Windows(tokenizer=gpt2, texts=TEXT, drop_last=drop_last, **numbers)

    path = tmp_path / "saved.ckpt"
    each = 3 if limits else 4 if drop_last else 5
    steps = epochs * each + batches
    whole = read(data(workers[0]), tmp_path, [Save(when, steps, path)], None, **limits)
    assert [epoch for epoch, _ in whole] == [epoch for epoch in range(3) for _ in range(each)]
    assert len({str(ids) for _, ids in whole}) == len(whole)  # another order in each epoch
    assert read(data(workers[1]), tmp_path, [], path, **limits) == whole[steps:]


LINES = [" ".join(["mill"] * (1 + number * 5 % 13)) for number in range(280)]
TEXTS = {"train": LINES, "validation": LINES[:5]}


@pytest.mark.parametrize(
    ("epochs", "batches", "workers", "packing"),
    [(0, 1, (0, 0), False), (1, 63, (2, 1), False), (1, 65, (0, 2), True), (2, 0, (0, 0), True)],
)
def test_batches_by_length_are_resumed_too(
    roberta: Tokenizer, tmp_path: Path, epochs: int, batches: int, workers: tuple[int, int], packing: bool
):
    """280 lines in 70 batches: a pool of 64 and one of 6."""

    def data(num_workers: int) -> MaskedText:
        numbers: Any = {"texts": TEXTS, "batch_size": 4, "num_workers": num_workers}
        return MaskedText(tokenizer=roberta, bucketing=True, packing=packing, **numbers)

    path, steps = tmp_path / "saved.ckpt", 70 * epochs + batches
    whole = read(data(workers[0]), tmp_path, [Save("on_train_batch_end", steps, path)], None)
    assert len(whole) == 210
    assert sorted(number for _, ids in whole[:70] for number in ids) == list(range(280))
    assert len({len(ids) for _, ids in whole}) > 3
    assert read(data(workers[1]), tmp_path, [], path) == whole[steps:]


def test_smaller_batches_go_on_with_the_same_examples(roberta: Tokenizer):
    """Batches of six in three parts of two, also when that run is itself gone on with; 47 batches of one pool."""

    def loader(batch_size: int, state: dict[str, Any] | None = None) -> tuple[MaskedText, Any]:
        data = MaskedText(tokenizer=roberta, texts=TEXTS, batch_size=batch_size, bucketing=True)
        data.setup()
        if state:
            data.load_state_dict(state)
        return data, iter(data.train_dataloader())

    def taken(batches: Any, count: int) -> list[list[int]]:
        return [next(batches)["example_ids"].tolist() for _ in range(count)]

    data, whole = loader(6)
    taken(whole, 10)
    state = data.state_dict()
    rest = taken(whole, 37)
    data, small = loader(2, state)
    first = taken(small, 4)
    _, again = loader(2, data.state_dict())
    parts = first + taken(again, 3 * 36 + 2 - 4)
    for number, ids in enumerate(rest):
        assert sorted(chain(*parts[3 * number : 3 * number + 3])) == sorted(ids)
    assert next(again, None) is None
    _, large = loader(6, data.state_dict())
    assert taken(large, 36) == rest[1:]


def test_another_batch_size_goes_on_at_the_same_share_of_the_epoch(roberta: Tokenizer):
    data = MaskedText(tokenizer=roberta, texts=TEXTS, batch_size=5, bucketing=True)
    data.setup()
    data.load_state_dict({"epoch": 1, "batches": 10, "batch_size": 8, "parts": 1})
    assert len(list(data.train_dataloader())) == 280 // 5 - 16
