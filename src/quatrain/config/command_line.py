"""Reading a command line in Hydra's grammar, with Hydra's flags."""

import os
import sys
from argparse import Namespace
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from quatrain.config import sweeping
from quatrain.config.compose import compose_examined, compose_here, hydra_at, own_folders
from quatrain.config.flags import hydra_arguments, parse_flags
from quatrain.config.folder import conf_folder
from quatrain.config.handed_over import run_here
from quatrain.config.project import config_dir_or_own
from quatrain.config.search_checks import SWEEPER
from quatrain.config.sweeping import Swept
from quatrain.core.errors import UserError
from quatrain.sweeps.job import Job
from quatrain.sweeps.search_settings import is_search

if TYPE_CHECKING:
    from quatrain.config.overrides import Examined
    from quatrain.config.preprocessing import Preprocessed


def read(
    command: str, arguments: list[str], refuse: Callable[[dict[str, Any]], None] | None = None
) -> "Job | list[Job] | Swept | Preprocessed | None":
    """Compose what ``arguments`` say for ``quatrain <command>``; ``refuse``: see `compose_here`.

    Returns:
        a `Job` to run; or, after ``--multirun``, how the sweep ended that was run, and for ``plan`` a `Job` for each
        that would be; or None where a flag such as ``--help`` or ``--cfg job`` has printed all that was asked.

    Raises:
        UserError: with every mistake, before anything is written.
    """
    if "--version" in arguments:
        from quatrain import __version__

        print(f"quatrain {__version__}")
        return None
    flags = parse_flags(arguments)
    if flags.multirun and command not in ("train", "plan", "preprocess"):
        raise UserError(f"quatrain {command} takes one experiment; leave out --multirun (-m) and the swept values.")
    if flags.shell_completion:
        raise UserError('-sc belongs to quatrain itself: eval "$(quatrain -sc install=bash)".')
    flags.config_dir = config_dir_or_own(flags.config_dir)
    folders = own_folders(flags.config_dir)
    if flags.help or flags.hydra_help:
        through_hydra(f"quatrain {command}", hydra_arguments(flags, flags.overrides))
        return None
    with hydra_at(conf_folder()):
        from quatrain.config.overrides import examine

        if not (flags.cfg or flags.info or flags.multirun):
            config = compose_here(flags.overrides, folders, refuse)
            if command == "train" and is_search(config["sweep"]):
                raise UserError("sweep.trials is of a search, which trains many times; add --multirun (-m).")
            if command == "train" and (chosen := _chosen_sweep(flags.overrides)):
                raise UserError(f"{chosen} is of many runs; add --multirun (-m): quatrain train -m {chosen}")
            return Job(0, config, list(flags.overrides))
        examined = examine(flags.overrides, folders)
        if examined.mistakes:
            raise UserError(examined.mistakes)
        if flags.cfg == "job":
            _print_job(flags, compose_examined(examined, folders))
            return None
        if command == "preprocess" and flags.multirun:
            from quatrain.config.preprocessing import sweep

            return sweep(examined.accepted, folders)
        accepted = _of_sweep(flags.overrides, examined) if flags.multirun else examined.accepted
        if command == "plan" and flags.multirun:
            return sweeping.grid(accepted, folders)
    through_hydra(f"quatrain {command}", hydra_arguments(flags, accepted))
    return sweeping.finished[0] if flags.multirun else None


def through_hydra(program: str, arguments: list[str]) -> None:
    """Let Hydra do what its flags say.

    Raises:
        UserError: what Hydra has against them.
    """
    import hydra
    from hydra.errors import HydraException
    from omegaconf.errors import OmegaConfBaseException

    through: Any = hydra.main(version_base="1.3", config_path=str(conf_folder()), config_name="config")(run_here)
    with _in_place_of(program, arguments):
        try:
            through()
        except (HydraException, OmegaConfBaseException, ValueError, AttributeError, AssertionError) as error:
            raise UserError((str(error).splitlines() or [type(error).__name__])[0]) from error


@contextmanager
def _in_place_of(program: str, arguments: list[str]) -> Iterator[None]:
    """Hydra reads the command line from ``sys.argv``, and prints errors itself unless told to raise them."""
    full_error, before = os.environ.get("HYDRA_FULL_ERROR"), sys.argv
    sys.argv = [program, *arguments]
    os.environ["HYDRA_FULL_ERROR"] = "1"
    try:
        yield
    finally:
        sys.argv = before
        if full_error is None:
            del os.environ["HYDRA_FULL_ERROR"]
        else:
            os.environ["HYDRA_FULL_ERROR"] = full_error


def _print_job(flags: Namespace, composed: Any) -> None:
    """Print what was composed, as Hydra's ``--cfg job`` does."""
    from omegaconf import OmegaConf
    from omegaconf.errors import OmegaConfBaseException

    try:
        if flags.resolve:
            OmegaConf.resolve(composed)
        part = composed if flags.package in (None, "_global_") else OmegaConf.select(composed, flags.package)
    except OmegaConfBaseException as error:
        raise UserError(str(error).splitlines()[0]) from error
    if part is None:
        raise UserError(f"--package={flags.package}: there is no such key; one of {', '.join(map(str, composed))}.")
    if flags.package not in (None, "_global_"):
        print(f"# @package {flags.package}")
    print(OmegaConf.to_yaml(part) if OmegaConf.is_config(part) else part, end="")


def _chosen_sweep(overrides: list[str]) -> str | None:
    """The override that chooses a ready sweep, which one run would pass over; None where there is none."""
    given = [text.lstrip("+") for text in overrides]
    return next((text for text in given if text.startswith("sweep=") and text != "sweep=null"), None)


def _of_sweep(overrides: list[str], examined: "Examined") -> list[str]:
    """The overrides of a sweep, with a name for it where none is given."""
    given = {text.lstrip("+").split("=")[0]: text for text in examined.accepted}
    if text := given.get("run.dir"):
        raise UserError(
            f"{text}: run.dir names the folder of one run, and a sweep has several; name the sweep's with"
            " sweep.name=NAME or hydra.sweep.dir=DIR."
        )
    accepted = [text for text in examined.accepted if text.lstrip("+") != "sweep.name=null"]
    if len(accepted) < len(examined.accepted) or not ("sweep.name" in given or examined.config["sweep"]["name"]):
        accepted.append(f"sweep.name='{_sweep_name(overrides, examined.swept)}'")
    searches = is_search(examined.config["sweep"]) and "hydra/sweeper" not in given
    return [*accepted, f"hydra/sweeper={SWEEPER}"] if searches else accepted


def _sweep_name(overrides: list[str], swept: list[str]) -> str:
    """The experiment and the swept keys: never the time, so that the same command means the same sweep."""
    given = dict(text.split("=", 1) for text in overrides if "=" in text)
    experiment = given.get("experiment", "quick_sonnets") if "experiment" not in swept else "experiments"
    parts = [given["sweep"]] if "sweep" in given else []
    keys = [key.rpartition(".")[2].rpartition("/")[2] for key in swept]
    return "-".join([experiment.replace("/", "_"), *parts, *keys])
