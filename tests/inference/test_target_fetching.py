"""Of a hub name the config comes first: a model of another task costs no download of its weights."""

import json
from pathlib import Path
from typing import Any

import pytest

from quatrain.core.errors import UserError
from quatrain.inference.target import find_target


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[list[str]]:
    """The patterns of each download from a hub that has a masked language model."""
    (tmp_path / "config.json").write_text(json.dumps({"architectures": ["BertForMaskedLM"]}))
    patterns: list[list[str]] = []

    def snapshot(name: str, *, revision: str, allow_patterns: list[str]) -> str:
        patterns.append(allow_patterns)
        return str(tmp_path)

    monkeypatch.setattr("quatrain.corpora.hub.resolve_commit", lambda *_: "a" * 40)
    monkeypatch.setattr("huggingface_hub.snapshot_download", snapshot)
    return patterns


def test_a_model_that_does_not_fit_is_not_fetched(asked: list[Any]) -> None:
    with pytest.raises(UserError, match="quatrain generate needs a causal language model"):
        find_target("someone/bert", "generate")
    assert asked == [["config.json"]]


def test_one_that_fits_is(asked: list[Any]) -> None:
    assert find_target("someone/bert", "fill").task == "masked_lm"
    assert asked[0] == ["config.json"]
    assert {"model.safetensors", "tokenizer.json"} <= set(asked[1])
