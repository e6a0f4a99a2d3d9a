"""Reading a command line in Hydra's grammar, with Hydra's flags."""

import os
import sys
from dataclasses import dataclass
from typing import Any

from quatrain.config import sweeping
from quatrain.config.compose import compose_here, hydra_at, own_folders
from quatrain.config.folder import conf_folder
from quatrain.core.errors import UserError


@dataclass(frozen=True)
class Job:
    """One composed and checked experiment, and the overrides that made it."""

    config: dict[str, Any]
    overrides: list[str]


def read(command: str, arguments: list[str]) -> Job | list[Any] | None:
    """Compose what ``arguments`` say for ``quatrain <command>``.

    Returns:
        a `Job` to run; or, after ``--multirun``, Hydra's account of each job that was run, and for ``plan`` a `Job` for
        each that would be; or None where a flag such as ``--help`` or ``--cfg job`` has printed all that was asked.

    Raises:
        UserError: with every mistake, before anything is written.
    """
    from hydra._internal.utils import get_args_parser

    flags = get_args_parser().parse_args(arguments)
    if flags.experimental_rerun:
        raise UserError(
            "--experimental-rerun is refused, because it unpickles a file; a run starts again from its directory."
        )
    if flags.config_path or flags.config_name:
        raise UserError("--config-path and --config-name are refused; add a folder of your own with --config-dir DIR.")
    if flags.multirun and command not in ("train", "plan"):
        raise UserError(f"quatrain {command} takes one experiment; leave out --multirun (-m) and the swept values.")
    folders = own_folders(flags.config_dir)
    if flags.help or flags.hydra_help or flags.shell_completion:
        _through_hydra(command, arguments)
        return None
    with hydra_at(conf_folder()):
        from quatrain.config.overrides import examine

        if not (flags.cfg or flags.info or flags.multirun):
            return Job(compose_here(flags.overrides, folders), list(flags.overrides))
        examined = examine(flags.overrides, folders)
        if examined.mistakes:
            raise UserError(examined.mistakes)
        if command == "plan" and flags.multirun and not (flags.cfg or flags.info):
            return [Job(*job) for job in sweeping.grid(examined.accepted, folders)]
    accepted = examined.accepted
    if flags.multirun and not any(text.lstrip("+").startswith("sweep.name=") for text in accepted):
        accepted = [*accepted, f"sweep.name='{_sweep_name(flags.overrides, examined.swept)}'"]
    _through_hydra(command, [*_without(arguments, flags.overrides), *accepted])
    return list(sweeping.finished) if flags.multirun else None


def _through_hydra(command: str, arguments: list[str]) -> None:
    """Let Hydra do what its flags say."""
    import hydra
    from hydra.errors import HydraException
    from omegaconf.errors import OmegaConfBaseException

    full_error = os.environ.get("HYDRA_FULL_ERROR")
    before = sys.argv
    sys.argv = [f"quatrain {command}", *arguments]
    os.environ["HYDRA_FULL_ERROR"] = "1"  # raise, so that we can tell errors our way
    try:
        through = hydra.main(version_base="1.3", config_path=str(conf_folder()), config_name="config")
        through(_run_here)()
    except (HydraException, OmegaConfBaseException) as error:
        raise UserError(str(error).splitlines()[0]) from error
    finally:
        sys.argv = before
        if full_error is None:
            del os.environ["HYDRA_FULL_ERROR"]
        else:
            os.environ["HYDRA_FULL_ERROR"] = full_error


def _run_here(config: Any) -> Any:
    """What launchers other than ours call for each job, wherever they run it."""
    from pathlib import Path

    from hydra.core.hydra_config import HydraConfig

    from quatrain.config.compose import complete, resolve
    from quatrain.config.launching import run_job

    settings = HydraConfig.get()
    overrides = [str(text).removeprefix("++") for text in settings.overrides.task]
    frozen = complete(resolve(config), overrides)
    run = run_job(frozen, overrides, Path(str(settings.sweep.dir)).absolute(), int(settings.job.num))
    if run.status().status != "done":
        raise UserError(f"{run.path}: {run.status().why or 'failed'}")
    return run.read_result()


def _without(arguments: list[str], overrides: list[str]) -> list[str]:
    return [text for text in arguments if text not in overrides]


def _sweep_name(overrides: list[str], swept: list[str]) -> str:
    """The experiment and the swept keys: never the time, so that the same command means the same sweep."""
    given = dict(text.split("=", 1) for text in overrides if "=" in text)
    experiment = given.get("experiment", "quick_sonnets") if "experiment" not in swept else "experiments"
    parts = [given["sweep"]] if "sweep" in given else []
    return "-".join([experiment, *parts, *(key.rpartition(".")[2].rpartition("/")[2] for key in swept)])
