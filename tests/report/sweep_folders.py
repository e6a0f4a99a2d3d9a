"""Folders of runs as sweeps and searches leave them, without training: statuses, results, overrides and a study."""

import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from quatrain.compare.study_notes import FOLDER, NAME, REFUSED, STORAGES, WHY
from quatrain.runs.directory import RunDirectory, State

HOSTILE = "</script><script>window.hurt=1</script><img src=x onerror=window.hurt=1>\u202e"
STEPS = tuple(range(10, 110, 10))


def swept_run(
    folder: Path,
    name: str,
    *,
    seed: int = 1,
    lr: float = 1e-3,
    layers: int = 1,
    loss: float = 2.0,
    status: State = "done",
    why: str | None = None,
    report: bool = False,
    extra: Sequence[str] = (),
) -> RunDirectory:
    """A run of a grid. One that is done ends at ``loss`` as its lowest; others have but the metrics of their way."""
    config = {
        "name": "tried",
        "seed": seed,
        "data": {"seed": seed},
        "optimizer": {"lr": lr},
        "model": {"config": {"n_layer": layers}},
    }
    overrides = [f"seed={seed}", f"optimizer.lr={lr}", f"model.config.n_layer={layers}", "trainer.max_steps=100"]
    run = RunDirectory.create(folder / name, config, [*overrides, *extra])
    values = [loss + math.exp(-step / 30) for step in STEPS[:-1]] + [loss]
    if status == "done":
        run.write_result(_result(config, values))
    else:
        rows = "".join(f"{step},0,{value!r}\n" for step, value in zip(STEPS[:3], values, strict=False))
        run.metrics_file.write_text(f"step,epoch,val/loss\n{rows}", encoding="utf-8")
        run.log.write_text("the last words\n", encoding="utf-8")
    if report:
        run.report.write_text("<!doctype html>", encoding="utf-8")
    run.set_status(status, why)
    return run


def copied_run(first: RunDirectory, path: Path, *, seed: int, lr: float) -> None:
    """A run like ``first`` of another seed and rate, written at once."""
    path.mkdir(parents=True)
    result = json.loads(first.result.read_text(encoding="utf-8"))
    result["seed"] = result["config"]["seed"] = result["config"]["data"]["seed"] = seed
    result["config"]["optimizer"]["lr"] = lr
    (path / "result.json").write_text(json.dumps(result), encoding="utf-8")
    (path / "overrides.yaml").write_text(f"- seed={seed}\n- optimizer.lr={lr}\n", encoding="utf-8")
    (path / "status.json").write_bytes(first.status_file.read_bytes())


def grid(folder: Path) -> Path:
    """Two rates by two depths by three seeds: twelve runs that are done, one that failed and one under way."""
    for lr in (1e-3, 1e-1):
        for layers in (1, 2):
            for seed in (1, 2, 3):
                loss = 3.0 + math.log10(lr) / 2 - 0.2 * layers + 0.03 * seed
                name = f"seed-{seed}_lr-{lr}_layers-{layers}-{seed}{layers}{int(lr * 1000):06x}"
                swept_run(folder, name, seed=seed, lr=lr, layers=layers, loss=loss, report=seed == 1)
    swept_run(folder, "seed-1_lr-9-0badf00d", lr=9.0, status="failed", why="The loss of step 3 is nan.")
    swept_run(folder, "seed-2_lr-9-0badf00e", lr=9.0, seed=2, status="running")
    return folder


def study(folder: Path, trials: Sequence[dict[str, Any]]) -> Path:
    """A study of ``trials``, each of a state, and a value, scores by validation, and a reason where it has them."""
    import optuna
    from optuna.storages import JournalStorage
    from optuna.storages.journal import JournalFileBackend

    folder.mkdir(parents=True, exist_ok=True)
    path = folder / STORAGES["journal"]
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    made = optuna.create_study(study_name=NAME, storage=JournalStorage(JournalFileBackend(str(path))))
    made.set_user_attr("objective", ["val/loss", "min"])
    rates = optuna.distributions.FloatDistribution(1e-5, 1e-1, log=True)
    for number, one in enumerate(trials):
        notes = {FOLDER: one.get("folder"), WHY: one.get("why"), REFUSED: one.get("refused")}
        made.add_trial(
            optuna.trial.create_trial(
                state=optuna.trial.TrialState[one["state"]],
                value=one.get("value"),
                params={"optimizer.lr": 10 ** -(1 + number % 4)},
                distributions={"optimizer.lr": rates},
                intermediate_values=dict(enumerate(one.get("scores", ()), start=1)),
                user_attrs={name: value for name, value in notes.items() if value is not None},
            )
        )
    return path


def figures_of(page: str) -> list[dict[str, Any]]:
    """The figures in a page, as plotly gets them."""
    begin = '<script type="application/json">'
    return [json.loads(part.split("</script>", 1)[0]) for part in page.split(begin)[1:]]


def _result(config: dict[str, Any], values: list[float]) -> dict[str, Any]:
    train = [value + 0.5 for value in values]
    return {
        "metrics": {"val/loss": values[-1], "train/loss": train[-1], "test/accuracy": 0.5},
        "best": {"step": STEPS[-1], "monitor": "val/loss", "val/loss": values[-1]},
        "seconds": 12.5,
        "tokens_per_second": 4321.0,
        "name": config["name"],
        "seed": config["seed"],
        "identity": "0123abcd",
        "config": config,
        "monitor": "val/loss",
        "mode": "min",
        "history": {
            name: {"step": list(STEPS), "value": list(numbers)}
            for name, numbers in (("val/loss", values), ("train/loss", train))
        },
    }
