"""Evaluating a run says what its training logged for the same split and weights; its data is cut and masked alike."""

import math
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from quatrain.core.errors import UserError
from quatrain.inference.bootstrap import Resampling
from quatrain.inference.data_options import DataOptions
from quatrain.inference.evaluation import Evaluation, evaluate
from quatrain.inference.held_out import find_held_out
from quatrain.inference.loading import Loaded, load
from quatrain.inference.model_data import data_for
from quatrain.inference.scoring import score_tokens
from quatrain.inference.target import find_target
from quatrain.runs.directory import RunDirectory

from .evaluation_runs import PLAIN, SHORT, SMALL, maker

FEW = Resampling(resamples=20)
TESTED = ("test=true", "data.test_share=0.2")
CASES = {
    "pairs": ("experiment=quick_mrpc", *TESTED, *PLAIN),
    "masked lines": ("experiment=quick_sonnets", *TESTED, *PLAIN),
    "masked blocks": ("experiment=quick_sonnets", "data.example=block", *TESTED, *PLAIN),
    "packed lines": ("experiment=quick_sonnets", "speed.precision=32-true", *TESTED, *SMALL, *SHORT),
    "windows": ("experiment=quick_windows", "data.max_length=32", "data.stride=12", *TESTED, *PLAIN),
}
HELD = {"validation": "val", "test": "test"}


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., RunDirectory]:
    return maker(tmp_path_factory.mktemp("evaluated"))


def loaded(run: RunDirectory, precision: Any = "32-true") -> Loaded:
    return load(find_target(str(run.path), "evaluate"), precision=precision, device="cpu")


def logged(run: RunDirectory, name: str) -> dict[str, float]:
    """The scores of the best checkpoint, which is what is exported."""
    result = run.read_result()
    assert result is not None
    scores = result["best"] if name == "val" else result["metrics"]
    return {key.removeprefix(f"{name}/"): value for key, value in scores.items() if key.startswith(f"{name}/")}


def values(found: Evaluation) -> dict[str, float]:
    return {name: measured.value for name, measured in found.metrics.items()}


@pytest.mark.parametrize("split", HELD)
@pytest.mark.parametrize("case", CASES)
def test_metrics_are_those_that_training_logged(case: str, split: str, finished: Any) -> None:
    run = finished(*CASES[case])
    expected = logged(run, HELD[split])
    found = evaluate(loaded(run), split=split, resampling=FEW)
    assert len(expected) >= 3
    assert values(found) == pytest.approx(expected, rel=1e-5, abs=1e-5)
    assert all(measured.low <= measured.high for measured in found.metrics.values())


def test_at_half_precision_they_are_close(finished: Any) -> None:
    """bfloat16 keeps eight bits: a loss agrees to a hundredth."""
    run = finished(*CASES["masked lines"])
    found = evaluate(loaded(run, "bf16-mixed"), split="validation", resampling=FEW)
    assert found.metrics["loss"].value == pytest.approx(logged(run, "val")["loss"], rel=1e-2)
    assert found.precision == "bf16-mixed"


def test_the_test_split_is_the_default_where_it_has_labels(finished: Any) -> None:
    found = evaluate(loaded(finished(*CASES["pairs"])), resampling=FEW)
    assert (found.split, found.own, found.source) == ("test", True, "verse")
    assert found.notes == ("split: test; --split takes validation, test",)


def test_the_validation_split_where_there_is_no_other(finished: Any) -> None:
    run = finished("experiment=quick_sonnets", *PLAIN)
    found = evaluate(loaded(run), resampling=FEW)
    assert found.split == "validation"
    with pytest.raises(UserError, match="has no held-out split test: it has validation; name one of them"):
        evaluate(loaded(run), split="test")
    with pytest.raises(UserError, match="has no held-out split train: it has validation"):
        evaluate(loaded(run), split="train")


def test_confusion_counts_every_example_and_gives_the_accuracy(finished: Any) -> None:
    found = evaluate(loaded(finished(*CASES["pairs"])), split="validation", resampling=FEW)
    assert found.confusion is not None
    assert found.confusion.labels == ("not_equivalent", "equivalent")
    counts = np.array(found.confusion.counts)
    assert counts.sum() == found.examples
    assert counts.trace() / found.examples == pytest.approx(found.metrics["accuracy"].value)


def test_nothing_depends_on_the_batches(finished: Any) -> None:
    """Scores lie in the order of the split, so that one seed draws the same examples whatever the batches were."""
    model = loaded(finished(*CASES["masked lines"]))
    once, again = (
        evaluate(model, split="validation", options=DataOptions(batch_size=size), resampling=FEW) for size in (3, 64)
    )
    for name, measured in once.metrics.items():
        assert vars(measured) == pytest.approx(vars(again.metrics[name]), rel=1e-5)
    other = evaluate(model, split="validation", resampling=Resampling(resamples=20, seed=1))
    assert other.metrics["loss"].low != once.metrics["loss"].low


def test_windows_are_scored_in_order_and_once(finished: Any) -> None:
    """Every token of the stream but the first, and the nats of each window are those of a plain forward pass."""
    import torch

    model = loaded(finished(*CASES["windows"]))
    held_out = find_held_out(model, "validation", None, DataOptions(batch_size=5))
    scores = score_tokens(model, held_out)
    rows: Any = held_out.rows
    assert scores.tokens.sum() == len(rows.tokens) - 1
    batch = rows.__getitems__([(-1, 2)])
    logs = model.model(torch.tensor(batch["input_ids"])).logits.log_softmax(-1)[0]
    wanted = batch["target"][0]
    places = np.flatnonzero(wanted >= 0)
    nats = -sum(float(logs[place, wanted[place]].detach()) for place in places)
    assert (scores.nats[2], scores.tokens[2]) == (pytest.approx(nats, rel=1e-5), len(places))


def test_bits_per_character_follow_from_the_loss(finished: Any) -> None:
    model = loaded(finished(*CASES["windows"]))
    held_out = find_held_out(model, "validation", None, DataOptions())
    found = evaluate(model, split="validation", resampling=FEW)
    tokens = len(held_out.rows.tokens) - 1  # type: ignore[attr-defined]
    assert held_out.characters is not None
    for end in ("value", "low", "high"):
        bits = getattr(found.metrics["loss"], end) / math.log(2) * tokens / held_out.characters
        assert getattr(found.metrics["bits_per_character"], end) == pytest.approx(bits)
        assert getattr(found.metrics["perplexity"], end) == pytest.approx(
            math.exp(getattr(found.metrics["loss"], end)), rel=1e-2
        )


def test_special_strings_are_read_as_in_the_training(finished: Any, tmp_path: Path) -> None:
    """Every command has the tokenizer with what its run allows, which its files do not hold."""
    run = RunDirectory(shutil.copytree(finished("experiment=quick_mrpc", *PLAIN).path, tmp_path / "run"))
    config = run.read_config()
    (plain,) = loaded(run).tokenizer.encode(["a [MASK] b"])
    for allowed in (["[MASK]"], []):
        run.config.write_text(
            yaml.safe_dump({**config, "tokenizer": {**config["tokenizer"], "allowed_special": allowed}})
        )
        model = loaded(run)
        (ids,) = model.tokenizer.encode(["a [MASK] b"])
        assert (model.tokenizer.mask_id in ids) == bool(allowed)
        data = data_for(model, DataOptions())
        data.load()
        assert data.tokenizer is model.tokenizer
    assert ids.tolist() == plain.tolist()
    for wrong in (3, [["a"]], ["[NONE]"]):
        run.config.write_text(
            yaml.safe_dump({**config, "tokenizer": {**config["tokenizer"], "allowed_special": wrong}})
        )
        with pytest.raises(UserError, match="tokenizer"):
            loaded(run)
