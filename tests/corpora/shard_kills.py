"""Kills the last shard at each of its steps on the disk, and goes on: python shard_kills.py SOURCE EXPECTED FOLDER.

A step is whatever Python tells its auditors of a path below the target's folder. Prints how many there were.
"""

import importlib.util
import itertools
import os
import shutil
import signal
import sys
from pathlib import Path
from typing import Any

from quatrain.corpora.text import TextCorpus, load_text

SHARDS = 3


def load(name: str) -> Any:
    """A module that lies beside this one."""
    spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name(f"{name}.py"))
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


runs = load("shard_runs")


def corpus(source: str) -> TextCorpus:
    """The corpus of all attempts."""
    return load_text(source, documents="lines", validation_share=0.2)


def killed(source: str, folder: Path, step: int) -> bool:
    """Make the last shard in a forked process that dies at ``step``; whether it did."""
    child = os.fork()
    if child:
        return os.WIFSIGNALED(os.waitpid(child, 0)[1])
    left = itertools.count(step, -1)

    def audit(_: str, arguments: tuple[Any, ...]) -> None:
        if any(str(folder) in str(argument) for argument in arguments) and next(left) == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(audit)
    runs.text_shard(corpus(source), folder / "made", SHARDS - 1, SHARDS)
    os._exit(0)


def main(source: str, expected: Path, folder: Path) -> int:
    """Kill at each step; return how many there were."""
    wanted = runs.contents(expected)
    (prepared := folder / "prepared").mkdir()
    for shard in range(SHARDS - 1):
        runs.text_shard(corpus(source), prepared / "made", shard, SHARDS)
    for step in itertools.count():
        place = Path(shutil.copytree(prepared, folder / str(step)))
        died = killed(source, place, step)
        if (place / "made").exists():
            assert runs.contents(place / "made") == wanted, f"after step {step}"
        for shard in (SHARDS - 1, 0):
            outcome = runs.text_shard(corpus(source), place / "made", shard, SHARDS)
        assert outcome.published == place / "made", f"after step {step}: {outcome}"
        assert runs.contents(place / "made") == wanted, f"after step {step}"
        assert [path.name for path in place.iterdir()] == ["made"], f"after step {step}"
        shutil.rmtree(place)
        if not died:
            return step
    return 0


if __name__ == "__main__":
    print(main(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])))
