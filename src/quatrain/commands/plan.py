"""quatrain plan: compose and check an experiment, prepare its data, print choices and sizes, train nothing.

    quatrain plan experiment=quick_windows data.max_length=256

Takes the overrides of quatrain train; quatrain train --help lists them.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any


def main(arguments: list[str]) -> int:
    """Run ``quatrain plan``; return its exit code."""
    from quatrain.config.command_line import Job, read

    if {"--help", "-h"} & set(arguments):
        print(__doc__)
        return 0
    asked = read("plan", arguments)
    if isinstance(asked, Job):
        _print(measure(asked.config))
    return 0


def plan(overrides: Sequence[str] = (), config_dir: str | Path | None = None) -> dict[str, str | int | float]:
    """Return what ``quatrain plan`` prints: choices with reasons, and sizes.

    Raises:
        UserError: with one sentence for each thing that is wrong.
    """
    from quatrain.config.compose import compose

    return measure(compose(overrides, config_dir))


def measure(config: Mapping[str, Any]) -> dict[str, str | int | float]:
    """Build the parts of a composed config and measure them; nothing is trained and no run directory made."""
    from quatrain.core.build import build
    from quatrain.models import sizes
    from quatrain.training.experiment import build_data, choose, sizes_for_model
    from quatrain.training.length import training_length
    from quatrain.training.trainer import ranks

    choices = choose(config)
    recipe = build(config["model"], "model")
    data = build_data(config, choices, recipe)
    size = sizes.measure(recipe, **sizes_for_model(recipe, data))
    length = training_length(
        config["trainer"],
        examples=data.summary["examples/train"],
        batch_size=data.batch_size,
        ranks=int(ranks(choices["devices"].value, config["trainer"].get("num_nodes", 1))),
        drop_last=data.drop_last,
    )
    schedule = build(config["schedule"], "schedule")
    return {
        "experiment": config["name"],
        "task": recipe.task,
        **{name: f"{choice.value} ({choice.reason})" for name, choice in choices.items()},
        **data.summary,
        "vocabulary": data.tokenizer.vocab_size,
        "parameters": size.parameters,
        "parameters trained": size.trained,
        "MB of weights, gradients and optimizer": round(size.bytes / 1e6),
        "FLOPs per token": size.flops_per_token or "unknown",
        **length,
        "warm-up steps": schedule.warmup_steps(length["optimizer steps"]),
    }


def _print(lines: Mapping[str, str | int | float]) -> None:
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    table = Table.grid(padding=(0, 2))
    for name, value in lines.items():
        shown = f"{value:,}" if isinstance(value, int) else f"{value:.4g}" if isinstance(value, float) else value
        table.add_row(f"[bold]{escape(name)}", escape(shown))
    Console(highlight=False).print(table)
