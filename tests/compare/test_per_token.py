"""A loss per token does not tell which tokenizer is better: the comparison and the end of a sweep say so."""

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from quatrain.__main__ import main
from quatrain.compare.per_token import per_token_notes
from quatrain.sweeps.ending import tell_end

CURVES = {"val/loss": [4.0, 3.0], "val/bits_per_character": [2.5, 2.4]}


def config(size: int = 500, task: str = "causal_lm", **tokenizer: Any) -> dict[str, Any]:
    return {"model": {"task": task}, "tokenizer": {"vocab_size": size, "engine": "auto", **tokenizer}}


@pytest.mark.parametrize("task", ["causal_lm", "masked_lm"])
@pytest.mark.parametrize("metric", ["val/loss", "val/perplexity", "val/accuracy", "loss"])
def test_what_counts_by_tokens_is_told_where_tokenizers_differ(metric: str, task: str) -> None:
    (note,) = per_token_notes(metric, [config(500, task), config(8000, task)], {"val/loss"})
    assert f"{metric} is a mean over tokens" in note
    assert note.endswith("Nothing that was logged compares them.")


@pytest.mark.parametrize(
    ("metric", "configs"),
    [
        ("val/loss", [config(), config()]),
        ("val/loss", [config(engine="tokenizers"), config()]),
        ("val/bits_per_character", [config(500), config(8000)]),
        ("seconds", [config(500), config(8000)]),
        ("val/accuracy", [config(500, "sequence_classification"), config(8000, "sequence_classification")]),
        ("val/loss", [{}, {"model": 3, "tokenizer": None}]),
        ("val/loss", []),
    ],
)
def test_nothing_is_told_where_the_metric_compares(metric: str, configs: list[Any]) -> None:
    assert per_token_notes(metric, configs, set()) == []


def test_the_comparison_names_the_metric_that_compares(
    write: Callable[..., Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for size in (500, 8000):
        write(f"vocab_size-{size}-{size:08x}", values=CURVES, config=config(size))
    assert main(["compare", str(tmp_path / "sweep")]) == 0
    assert "Runs differ in their tokenizer" in (said := capsys.readouterr().err)
    assert "--metric val/bits_per_character compares them." in said
    assert main(["compare", str(tmp_path / "sweep"), "--metric", "val/bits_per_character"]) == 0
    assert "Runs differ in their tokenizer" not in capsys.readouterr().err


@pytest.mark.parametrize(("sizes", "told"), [((500, 8000), True), ((500, 500), False)])
def test_the_end_of_a_sweep_says_it_below_the_best(
    sizes: tuple[int, int], told: bool, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def ended(number: int, size: int) -> Any:
        best = {"val/loss": 3.0 + number, "val/bits_per_character": 2.4}
        result = {"monitor": "val/loss", "mode": "min", "best": best, "config": config(size)}
        job = SimpleNamespace(number=number, apart=[f"tokenizer.vocab_size={size}"], overrides=[])
        return SimpleNamespace(job=job, status="done", run=SimpleNamespace(path=tmp_path), why=None, result=result)

    assert tell_end([ended(*one) for one in enumerate(sizes)], tmp_path, total=2) == 0
    lines = capsys.readouterr().err.splitlines()
    assert lines[1].startswith("best: val/loss 3 by vocab_size-500")
    assert lines[2].startswith("Runs differ in their tokenizer") == told
