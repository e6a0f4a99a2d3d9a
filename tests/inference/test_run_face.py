"""A run in Python: model, tokenizer, what they say, what was logged, and what they score."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import quatrain
from quatrain.core.errors import UserError
from quatrain.inference.run import Run

from .evaluation_runs import PLAIN, maker


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Any]:
    return maker(tmp_path_factory.mktemp("faces"))


def test_a_classifier(finished: Any) -> None:
    run = quatrain.load_run(finished("experiment=quick_mrpc", *PLAIN).path, precision="32-true", device="cpu")
    assert isinstance(run, Run)
    assert repr(run) == f"Run({str(run.path)!r})"
    assert not run.model.training
    assert run.model is run.model
    assert run.tokenizer.mask_token == "[MASK]"
    pairs = [("the moon is bright", "bright is the moon"), ("a river", "the mill")]
    said, piped = run.predict(pairs), run.pipeline()([{"text": one, "text_pair": two} for one, two in pairs])
    assert [one.label for one in said] == [one["label"] for one in piped]
    assert [one.probability for one in said] == pytest.approx([one["score"] for one in piped], abs=1e-5)
    found = run.evaluate("validation", resamples=20)
    result = run.read_result()
    assert result is not None
    assert found.metrics["accuracy"].value == pytest.approx(result["best"]["val/accuracy"])
    assert "validation" in run.evaluation.read_text()
    with pytest.raises(UserError, match=r"write run.predict\(\[text\]\)"):
        run.predict("the moon")
    with pytest.raises(
        UserError, match=r"trained on a pair of texts a row, and row 1 is one text; give \(text, text\)"
    ):
        run.predict(["the moon"])


def test_a_masked_language_model(finished: Any) -> None:
    run = quatrain.load_run(finished("experiment=quick_sonnets", *PLAIN).path, precision="32-true", device="cpu")
    (guesses,) = run.predict(["the <mask> is bright"], top_k=3)
    piped = run.pipeline()("the <mask> is bright", top_k=3)
    assert len(guesses) == len(piped) == 3
    assert [guess.probability for guess in guesses] == pytest.approx([guess["score"] for guess in piped], abs=1e-5)


def test_a_causal_language_model(finished: Any) -> None:
    run = quatrain.load_run(finished("experiment=quick_windows", *PLAIN).path, precision="32-true", device="cpu")
    (text,) = run.predict(["the moon"], max_new_tokens=5, temperature=0)
    piped = run.pipeline()("the moon", max_new_tokens=5, do_sample=False)
    assert piped[0]["generated_text"] == "the moon" + text


def test_metrics_are_a_table_by_step(finished: Any) -> None:
    """Each step once, training and validation side by side, NaN where nothing was logged."""
    run = quatrain.load_run(finished("experiment=quick_mrpc", *PLAIN).path)
    table = run.metrics()
    assert table.index.name == "step"
    assert table.index.tolist() == [1, 2, 3]
    assert np.isnan(table.loc[1, "val/loss"])
    result = run.read_result()
    assert result is not None
    assert table["val/accuracy"].dropna().tolist() == [result["best"]["val/accuracy"]]


def test_a_run_that_is_not_done(tmp_path: Path) -> None:
    """Its files can be read; it has no model yet."""
    Run.create(tmp_path / "run", {"name": "mine"}, [])
    run = quatrain.load_run(tmp_path / "run")
    assert run.read_config() == {"name": "mine"}
    assert run.metrics().empty
    with pytest.raises(UserError, match="is not done but queued"):
        run.predict(["a"])
    with pytest.raises(UserError, match="is no run directory"):
        quatrain.load_run(tmp_path)
