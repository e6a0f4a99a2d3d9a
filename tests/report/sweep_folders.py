"""Folders of sweeps as runs leave them, with values that a test chooses; nothing is trained."""

import csv
import math
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from quatrain.runs.directory import RunDirectory, State

STEPS = 8


def one_run(
    sweep: Path,
    name: str,
    *,
    seed: int = 1,
    lr: float = 1e-3,
    loss: float = 2.0,
    status: State = "done",
    why: str | None = None,
    overrides: Sequence[str] = (),
    steps: int = STEPS,
    **config: Any,
) -> RunDirectory:
    """A run whose validation loss falls from 4 to ``loss``; one that is not done has its metrics and no result."""
    given = {"name": "tried", "seed": seed, "data": {"seed": seed}, "optimizer": {"lr": lr}, **config}
    run = RunDirectory.create(sweep / name, given, [f"seed={seed}", f"optimizer.lr={lr}", *overrides])
    where = list(range(10, 10 * steps + 1, 10))
    curve = [loss + (4 - loss) * math.exp(-3 * place / (steps - 1)) for place in range(steps)]
    curve[-1] = loss
    history = {
        "val/loss": {"step": where, "value": curve},
        "val/accuracy": {"step": where, "value": [1 - value / 5 for value in curve]},
        "train/loss": {"step": where, "value": [value - 0.1 for value in curve]},
    }
    with run.metrics_file.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["step", "epoch", "val/loss"])
        writer.writerows([step, 0, value] for step, value in zip(where, curve, strict=True))
    if status in ("done", "pruned"):
        result = {
            "metrics": {metric: values["value"][-1] for metric, values in history.items()},
            "best": {"step": where[-1], "monitor": "val/loss", "val/loss": loss},
            "seconds": 10.0 + seed,
            "tokens_per_second": 100.0,
            "name": "tried",
            "seed": seed,
            "identity": "0123abcd",
            "config": given,
            "monitor": "val/loss",
            "mode": "min",
            "history": history,
        }
        run.write_result(result | ({"pruned": {"step": where[-1]}} if status == "pruned" else {}))
    run.set_status(status, why)
    return run


def sweep_of(folder: Path, *, lrs: Sequence[float] = (1e-3, 3e-3, 1e-2), seeds: Sequence[int] = (1, 2)) -> Path:
    """A sweep of learning rates and seeds, all of it done; the middle rate and the first seed are best."""
    (folder / ".claims").mkdir(parents=True)
    for lr in lrs:
        for seed in seeds:
            loss = 1.5 + abs(math.log10(lr / 3e-3)) + 0.05 * seed
            one_run(folder, f"lr-{lr:g}_seed-{seed}", seed=seed, lr=lr, loss=loss)
    return folder


def search_of(folder: Path, trials: int = 6) -> Path:
    """A search with its study and runs: each third trial was pruned, the last failed, the one before it was refused."""
    import optuna

    from quatrain.compare.study_notes import FOLDER, NAME, REFUSED, STORAGES, WHY
    from quatrain.sweeps.journal import journal_storage

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    (folder / ".claims").mkdir(parents=True)
    study = optuna.create_study(
        study_name=NAME,
        storage=journal_storage(folder / STORAGES["journal"]),
        sampler=optuna.samplers.RandomSampler(seed=1),
    )
    study.set_user_attr("objective", ["val/loss", "min"])
    for number in range(trials):
        trial = study.ask()
        lr = trial.suggest_float("optimizer.lr", 1e-4, 1e-2, log=True)
        loss = 1.5 + abs(math.log10(lr / 1e-3))
        name = f"lr-{lr}"
        trial.set_user_attr(FOLDER, name)
        status: State = "failed" if number == trials - 1 else "pruned" if number % 3 == 2 else "done"
        state = {"failed": "FAIL", "pruned": "PRUNED", "done": "COMPLETE"}[status]
        if number == trials - 2:
            trial.set_user_attr(REFUSED, "These do not fit together.")
            study.tell(trial, state=optuna.trial.TrialState.FAIL)
            continue
        for step in (1, 2) if status == "pruned" else (1, 2, 3):
            trial.report(loss + 1 / step, step)
        why = "It broke." if status == "failed" else None
        if why:
            trial.set_user_attr(WHY, why)
        one_run(folder, name, lr=lr, loss=loss, status=status, why=why, overrides=[f"sweep.trial={number}"])
        study.tell(trial, loss if status == "done" else None, state=optuna.trial.TrialState[state])
    return folder


def hostile_sweep(folder: Path, text: str) -> Path:
    """A sweep whose every text is ``text``: overrides, values of configs, a sentence, and as far as may be folders."""
    (folder / ".claims").mkdir(parents=True)
    named = text.replace("/", "|").replace("\u2028", "")[:100]
    for number, loss in enumerate((1.5, 2.5)):
        own = [f"note={text}{number}", f"+{text}{number}={text}"]
        one_run(folder, f"{named}{number}", lr=0.1 * (number + 1), loss=loss, overrides=own, note=f"{text}{number}")
    bad = one_run(folder, f"{named}-bad", status="failed", why=f"It said {text}", overrides=[f"note={text}"])
    bad.log.write_text(text, encoding="utf-8")
    (folder / os.fsdecode(b"odd-\xff")).mkdir()
    one_run(folder, os.fsdecode(b"odd-\xff/run"), lr=0.3, loss=3.0)
    return folder
