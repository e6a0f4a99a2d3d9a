"""Result files as runs leave them, with values that a test chooses."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

Write = Callable[..., Path]


def content(seed: int = 1, lr: float = 1e-3, values: Mapping[str, list[float]] | None = None, **words: Any) -> Any:
    """What a run of ``seed`` and ``lr`` with the curves ``values`` writes, a validation each ten steps.

    Other words replace what stands in the file; of a config, whole groups.
    """
    curves = values or {"val/loss": [3.0, 2.0], "train/loss": [4.0, 3.0, 2.0, 1.5]}
    config = {"name": "tried", "seed": seed, "data": {"seed": seed}, "optimizer": {"lr": lr}} | words.pop("config", {})
    return {
        "metrics": {name: numbers[-1] for name, numbers in curves.items()},
        "best": {"step": 20, "monitor": "val/loss"},
        "seconds": 10.0,
        "tokens_per_second": 100.0,
        "name": config["name"],
        "seed": seed,
        "identity": "0123abcd",
        "config": config,
        "monitor": "val/loss",
        "mode": "min",
        "history": {
            name: {"step": [10 * place for place in range(1, len(numbers) + 1)], "value": numbers}
            for name, numbers in curves.items()
        },
        **words,
    }


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write the result of a run below the folder ``sweep``; return the run's folder."""

    def written(name: str, *, sweep: str = "sweep", **words: Any) -> Path:
        folder = tmp_path / sweep / name
        folder.mkdir(parents=True)
        (folder / "result.json").write_text(json.dumps(content(**words)), encoding="utf-8")
        return folder

    return written
