"""What quatrain explain says a number may be is what a run takes: at the bound it is accepted, beyond it refused."""

import pytest

from quatrain.config.allowed import TOLD
from quatrain.config.check import check
from quatrain.config.compose import hydra_at
from quatrain.config.composition import composition
from quatrain.config.folder import conf_folder
from quatrain.core.errors import UserError

BEYOND = {
    "data.batch_size": [0],
    "data.eval_batch_size": [0],
    "data.mask_probability": [0.0, 1.0],
    "data.max_length": [3],
    "data.test_share": [1.0, -0.1],
    "data.validation_share": [1.0, -0.1],
    "data.verse_size": [0],
    "model.frozen_layers": [-1, 3],
    "model.label_smoothing": [1.0, -0.1],
    "model.layer_lr_decay": [0.0, 1.1],
    "schedule.warmup": [-1, 1.1],
    "trainer.devices": [0, "[0,0]"],
    "trainer.max_time": ["12:00"],
    "trainer.limit_train_batches": [1.1],
    "trainer.overfit_batches": [1.1],
    "sweep.name": ["a/b"],
    "name": ["a/b"],
}
AT_THE_BOUND = {
    "data.batch_size": 1,
    "data.eval_batch_size": 1,
    "data.mask_probability": 0.001,
    "data.max_length": 4,
    "data.test_share": 0.0,
    "data.verse_size": 1,
    "model.frozen_layers": 2,
    "model.label_smoothing": 0.0,
    "model.layer_lr_decay": 1.0,
    "schedule.warmup": 1.0,
    "trainer.devices": "auto",
    "trainer.max_time": "00:12:00:00",
    "trainer.limit_train_batches": 1.0,
    "trainer.overfit_batches": 0.0,
}


def mistakes(*overrides: str) -> str:
    """What is wrong with an experiment."""
    with hydra_at(conf_folder()):
        config = composition(list(overrides), []).config
    try:
        check(config)
    except UserError as error:
        return "\n".join(error.sentences)
    return ""


@pytest.mark.parametrize("place", [0, 1])
def test_beyond_the_bound_is_refused(place: int) -> None:
    given = {key: values[min(place, len(values) - 1)] for key, values in BEYOND.items()}
    for group in dict.fromkeys(key.partition(".")[0] for key in given):  # what is wrong in one part may hide another
        keys = [key for key in given if key.partition(".")[0] == group]
        told = mistakes(*(f"{key}={given[key]}" for key in keys))
        assert [key for key in keys if key not in told] == []


def test_at_the_bound_is_accepted() -> None:
    assert mistakes(*(f"{key}={value}" for key, value in AT_THE_BOUND.items())) == ""


def test_every_bound_that_is_said_stands_here_or_is_checked_elsewhere() -> None:
    elsewhere = {
        "data.glue_task",
        "data.num_proc",
        "data.num_workers",
        "data.stride",
        "run.dir",
        "tokenizer.vocab_size",
    }
    elsewhere |= {key for key in TOLD if key.startswith("callbacks.")}
    elsewhere |= {"trainer.limit_val_batches", "trainer.limit_test_batches"}
    assert set(TOLD) - set(BEYOND) == elsewhere
