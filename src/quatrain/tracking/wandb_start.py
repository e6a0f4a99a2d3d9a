"""Starting W&B's own run, so that it writes into the run directory alone, nothing that may be secret, and no word."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

INIT_SECONDS = 20.0
OF_AN_AGENT = ("WANDB_RUN_ID", "WANDB_SWEEP_ID", "WANDB_SWEEP_PARAM_PATH")
"""What W&B's sweep agent tells the one run that it starts."""

QUIET: dict[str, Any] = {
    "console": "off",  # run.log has it, without secrets
    "silent": True,
    "symlink": False,
    "save_code": False,
    "disable_code": True,
    "disable_git": True,
    "disable_job_creation": True,
    "program": "quatrain",
    "host": "",
    "x_disable_meta": True,  # command line, user, host; provenance.json has what matters
    "x_disable_machine_info": True,
    "x_save_requirements": False,
    "finish_timeout_raises": True,
    "init_timeout": INIT_SECONDS,
}


def init(arguments: Mapping[str, Any], mode: str, settings: Mapping[str, Any]) -> Any:
    """Begin W&B's run of the id in ``arguments``, or go on with it; ``settings`` are added to `QUIET`.

    Raises:
        Exception: W&B could not.
    """
    import wandb

    own: dict[str, Any] = {
        **arguments,
        "mode": mode,
        "resume": "allow",
        "reinit": "finish_previous",
        "allow_val_change": True,
        "settings": wandb.Settings(**{**QUIET, **settings}),
    }
    return wandb.init(**own)


@contextmanager
def own_surroundings(folder: Path, *, of_sweep: bool) -> Iterator[None]:
    """Within the block W&B keeps its copies in ``folder``, and a sweep of ours is none of an agent's."""
    own = {"WANDB_DATA_DIR": str(folder / "staging"), "WANDB_CACHE_DIR": str(folder / "cache")}
    taken = OF_AN_AGENT if of_sweep else ()
    before = {name: os.environ.get(name) for name in (*own, *taken)}
    os.environ.update(own)
    for name in taken:
        os.environ.pop(name, None)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
