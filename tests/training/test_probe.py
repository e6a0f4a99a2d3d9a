"""Proves the probe: shapes of an epoch by hand, times through a line, and a real one that prints and writes nothing."""

import os
from pathlib import Path

import pytest

from quatrain.config.compose import compose
from quatrain.data.masked_text import MaskedText
from quatrain.tokenizers.trained import ByteLevelBPE
from quatrain.training.epoch_batches import look, look_at_all
from quatrain.training.estimate import estimate, gather
from quatrain.training.probe import Times, at


@pytest.fixture(scope="module", params=[False, True], ids=["in order", "by length"])
def data(request: pytest.FixtureRequest) -> MaskedText:
    texts = {"train": ["a " * length for length in range(1, 41)], "validation": ["a a a", "a"]}
    tokenizer = ByteLevelBPE(vocab_size=270, min_frequency=1)
    data = MaskedText(tokenizer=tokenizer, texts=texts, max_length=64, batch_size=4, bucketing=request.param)
    data.setup()
    return data


def test_shapes_of_an_epoch(data: MaskedText) -> None:
    """All ten batches: their places and tokens are those that the loader itself gives."""
    shapes = look(data.train_dataloader())
    batches = [(batch["input_ids"].numel(), int(batch["attention_mask"].sum())) for batch in data.train_dataloader()]
    assert sorted((shape.positions, shape.tokens) for shape in shapes.sample) == sorted(batches)
    places, tokens = (sum(column) for column in zip(*batches, strict=True))
    assert tokens == data.summary["tokens/train"]
    assert shapes.padding_share == pytest.approx(1 - tokens / places)
    assert shapes.largest.positions == max(batches)[0]
    assert shapes.batch(shapes.largest)["input_ids"].numel() == max(batches)[0]
    assert [len(one.sample) for one in look_at_all(data.val_dataloader())] == [1]


def test_of_a_long_epoch_some_batches_from_beginning_to_end(data: MaskedText) -> None:
    found = look(data.train_dataloader(), looked_at=3).sample
    order = list(data.train_dataloader().sampler)
    assert sorted(order.index(shape.keys) for shape in found) == [1, 5, 8]


def test_every_beginning_of_the_chosen_batches_covers_small_and_large(data: MaskedText) -> None:
    shapes = look(data.train_dataloader())
    chosen = [shapes.sample.index(shape) for shape in shapes.spread(10)]
    assert sorted(chosen) == list(range(10))
    assert max(chosen[:2]) >= 5 > min(chosen[:2])
    assert len(shapes.spread(60)) == 60


def test_times_lie_on_a_line_that_one_slow_batch_does_not_move() -> None:
    timed = [(places, 0.1 + 0.01 * places) for places in (10, 20, 30, 40, 50)]
    assert at([*timed, (25, 9.0)], 35) == pytest.approx(0.45)
    assert at([(16, 1.0), (16, 2.0), (16, 9.0)], 16) == 2.0
    times = Times(plain=[(10, 1.0)], stepping=[(10, 3.0)], held_out=[(10, 0.5)], around_validation=2.0)
    assert times.training(7, 2, 10) == 5 * 1.0 + 2 * 3.0
    assert times.validation(4, 10) == 4.0
    assert Times().validation(4, 10) == 0.0


@pytest.mark.parametrize("accumulated", [1, 3])
def test_a_probe_prices_the_whole_run(accumulated: int, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    config = compose(
        [
            "experiment=quick_windows",
            "data.verse_size=60",
            "data.max_length=16",
            "data.stride=16",
            "trainer.accelerator=cpu",
            f"trainer.accumulate_grad_batches={accumulated}",
            "trainer.max_steps=100000",
            "trainer.max_epochs=null",
        ]
    )
    rows: list[object] = []
    planned = estimate(config, gather(config, probe=True), tmp_path, rows.append, started=0.0)
    assert planned["optimizer steps"] == 100000
    assert planned["effective batch"] == 16 * accumulated
    assert planned["padding share"] == 0
    trained = planned["seconds/training"]
    assert isinstance(trained, float)
    assert 0.0005 < trained / 100000 < 5
    assert planned["seconds/validation"] > 0  # type: ignore[operator]
    assert 3 <= int(planned["batches timed"]) <= 61
    assert capfd.readouterr().err == ""
    assert os.listdir(tmp_path) == []  # noqa: PTH208 - hidden files count
