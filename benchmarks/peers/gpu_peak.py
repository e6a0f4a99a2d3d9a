"""Runs a command in this process and prints, last of all, the most GPU memory that it had allocated, as JSON.

python benchmarks/peers/gpu_peak.py train.py --device=cuda        a script of the working folder
python benchmarks/peers/gpu_peak.py -m quatrain train KEY=VALUE   ours: frozen as the command does, trained here
"""

import json
import runpy
import sys
from pathlib import Path

import torch


def main() -> None:
    """Run it, and report."""
    words = sys.argv[1:]
    if words[:3] == ["-m", "quatrain", "train"]:
        train(words[3:])
    else:
        sys.path.insert(0, str(Path.cwd()))  # as python has it for a script
        sys.argv = words
        runpy.run_path(words[0], run_name="__main__")
    seen = torch.cuda.is_available()
    print(json.dumps({"gpu_peak_mb": torch.cuda.max_memory_allocated() / 2**20} if seen else {}))


def train(overrides: list[str]) -> None:
    """Train as ``quatrain train`` does, but without a process of its own."""
    from quatrain.config.compose import compose
    from quatrain.runs.directory import RunDirectory
    from quatrain.worker import main as work

    config = compose(overrides)
    run = RunDirectory.create(Path(config["run"]["dir"]), config, overrides)
    if code := work([str(run.path)]):
        sys.exit(code)


if __name__ == "__main__":
    main()
