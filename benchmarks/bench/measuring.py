"""Runs the contenders of a row in turn, round after round, and scores what they trained."""

import re
import shutil
import time
from collections.abc import Callable
from pathlib import Path

from bench import outputs
from bench.contenders import Contender
from bench.measures import MEASURES, Run, spread
from bench.place import Place
from bench.processes import run
from bench.row import Row

Tell = Callable[[str], None]


def measure(row: Row, place: Place, tell: Tell) -> tuple[list[Run], dict[str, str]]:
    """Measure ``row``; return its runs, and the first round's commands by contender.

    In a round the contenders run one after the other, each in a process of its own; so what slows the machine for a
    while slows all of them.

    Raises:
        Failed: a command did not end well, or left no numbers.
    """
    contenders = row.contenders(place)
    turns = [(number, one) for number in range(1, row.rounds + 1) for one in contenders if number == 1 or not one.once]
    runs: list[Run] = []
    models: list[tuple[Run, str]] = []
    commands: dict[str, str] = {}
    began = time.perf_counter()
    for turn, (number, contender) in enumerate(turns, start=1):
        folder = place.work / "runs" / re.sub(r"\W+", "-", f"{row.key} {contender.name} {number}")
        command, found, seconds = _once(row, contender, number, folder, place)
        commands.setdefault(contender.name, place.shown(command))
        runs += found
        if contender.model:
            models.append((found[0], str(folder / contender.model)))
        else:
            shutil.rmtree(folder)
        told = f"{row.key} [{turn}/{len(turns)}] {contender.name}, round {number}"
        left = (time.perf_counter() - began) / turn * (len(turns) - turn) / 60
        tell(f"{told}: {_numbers(found)}; {seconds:.0f} s in all; about {left:.1f} minutes left")
    if models:
        _score(row, place, models, tell)
    return runs, commands


def _once(
    row: Row, contender: Contender, number: int, folder: Path, place: Place
) -> tuple[list[str], list[Run], float]:
    """The command of one turn, the numbers that it gave, and its seconds; ``folder`` is new."""
    folder.mkdir(parents=True)
    variables = place.environment(cache=folder / "cache" if contender.cold else None, gpu=row.gpu)
    command = contender.command(number, folder)
    began = time.perf_counter()
    done = run(command, log=folder / "log", environment=variables, cwd=contender.cwd)
    place_of_it = {"contender": contender.name, "round": number, "peak_mb": done.peak_mb}
    return command, [place_of_it | numbers for numbers in contender.read(done, folder)], time.perf_counter() - began


def _score(row: Row, place: Place, models: list[tuple[Run, str]], tell: Tell) -> None:
    """Add the held-out losses to the runs, and remove the models."""
    command = row.score(place, [model for _, model in models])
    if command is None:
        return
    done = run(command, log=place.work / "runs" / f"score-{row.key}", environment=place.environment(gpu=row.gpu))
    losses = outputs.last_json(done.output)
    for (found, model), loss in zip(models, losses, strict=True):
        found["loss"] = loss
        shutil.rmtree(place.work / "runs" / Path(model).relative_to(place.work / "runs").parts[0])
    names = dict.fromkeys(found["contender"] for found, _ in models)
    middle = {name: spread([found["loss"] for found, _ in models if found["contender"] == name]) for name in names}
    tell(f"{row.key} held-out loss: " + ", ".join(f"{name} {one.median:.4f}" for name, one in middle.items() if one))


def _numbers(found: list[Run]) -> str:
    """What a run gave, on one line."""
    told = []
    for numbers in found:
        parts = [
            f"{one.show(numbers[name])} {one.label}" for name, one in MEASURES.items() if numbers.get(name) is not None
        ]
        told.append((f"{numbers['contender']} " if len(found) > 1 else "") + ", ".join(parts))
    return "; ".join(told)
