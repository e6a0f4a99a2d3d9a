"""From overrides to one complete, plain config."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from quatrain.config.check import check
from quatrain.config.confidential import without_environment
from quatrain.config.folder import conf_folder
from quatrain.config.freeze import freeze
from quatrain.config.nodes import fill_defaults, normalise
from quatrain.config.own_files import check_own_files, file_problem
from quatrain.core.errors import UserError

if TYPE_CHECKING:
    from quatrain.config.overrides import Examined

HYDRAS = (ValueError, AttributeError, AssertionError, TypeError, KeyError, IndexError, RecursionError, OSError)
"""Errors that Hydra and OmegaConf raise beside their own, for parts of their grammar and for broken files."""


def compose(overrides: Sequence[str] = (), config_dir: str | Path | None = None) -> dict[str, Any]:
    """Compose, complete, check and freeze an experiment, and start nothing.

    Args:
        overrides: as on the command line: ``["experiment=quick_windows", "trainer.max_steps=20"]``.
        config_dir: a folder of the user's own config files, searched beside the shipped ones.

    Returns:
        Plain dictionaries, lists and values: interpolations resolved, every default of every named class filled in,
        paths absolute, the hub's commits pinned. Two commands that mean the same give the same.

    Raises:
        UserError: with one sentence for each thing that is wrong; what a config file says, with its file and line.
    """
    folders = own_folders(config_dir)
    with hydra_at(conf_folder()):
        return compose_here(list(overrides), folders)


def compose_here(
    overrides: list[str], folders: list[str], refuse: Callable[[dict[str, Any]], None] | None = None
) -> dict[str, Any]:
    """As `compose`, inside of `hydra_at`; ``folders`` are absolute.

    ``refuse`` may raise a `UserError` for a resolved config, before it is checked and the hub is asked.
    """
    from quatrain.config.overrides import examine

    examined = examine(overrides, folders)
    if examined.mistakes:
        raise UserError([*examined.mistakes, *_wrong_values(examined, folders)])
    if examined.swept:
        raise UserError(f"{examined.swept[0]} has several values; add --multirun (-m) to run one job for each.")
    composed = compose_examined(examined, folders)
    config: dict[str, Any] = {}
    try:
        config = resolve(composed)
        if refuse:
            refuse(config)
        return complete(config)
    except UserError as error:
        from quatrain.config.places import with_places

        raise UserError(with_places(error.sentences, config, examined.accepted, folders)) from error


def _wrong_values(examined: "Examined", folders: list[str]) -> list[str]:
    """What is wrong with the values that overrides set, where others cannot even be read.

    What the groups say is left out: they are not the ones that were meant.
    """
    stated = {text.lstrip("+~").partition("=")[0]: text for text in examined.accepted}
    keys = stated.keys() - set(examined.swept)
    try:
        config = resolve(compose_nodes([text for key, text in stated.items() if key in keys], folders))
        fill_defaults(config)
        check(config)
    except UserError as error:
        return [sentence for sentence in error.sentences if sentence.partition("=")[0] in keys]
    return []


def complete(config: dict[str, Any]) -> dict[str, Any]:
    """Fill in what a plain config leaves to classes and tasks; check it, and freeze it.

    Raises:
        UserError: with every mistake.
    """
    fill_defaults(config)
    check(config)
    normalise(config)
    return freeze(config)


def compose_examined(examined: "Examined", folders: list[str]) -> Any:
    """As `compose_nodes`, of the accepted overrides; what was composed to examine them is not composed again."""
    from omegaconf import open_dict

    if examined.composed is None:
        return compose_nodes(examined.accepted, folders)
    with open_dict(examined.composed):
        examined.composed.pop("hydra")
    return _meant(examined.composed, examined.accepted, folders)


def compose_nodes(overrides: list[str], folders: list[str]) -> Any:
    """Let Hydra compose, with what the experiment says to other options than the chosen ones left out.

    Raises:
        UserError: Hydra's error as one sentence.
    """
    return _meant(hydra_composed([*searched(folders), *overrides]), overrides, folders)


def _meant(composed: Any, overrides: list[str], folders: list[str]) -> Any:
    from quatrain.config.replaced_options import without_foreign_leaves

    return without_foreign_leaves(composed, overrides, searched(folders))


def hydra_composed(overrides: list[str], return_hydra_config: bool = False) -> Any:
    """What Hydra composes.

    Raises:
        UserError: its error as one sentence, with the file and line where a file cannot be read.
    """
    import hydra
    import yaml
    from hydra.errors import HydraException
    from omegaconf.errors import OmegaConfBaseException

    try:
        return hydra.compose("config", overrides=overrides, return_hydra_config=return_hydra_config)
    except yaml.YAMLError as error:
        raise UserError(file_problem(error)) from error
    except (HydraException, OmegaConfBaseException, *HYDRAS) as error:
        if _covers_ctrl_c(error):
            raise KeyboardInterrupt from error
        raise UserError(f"The chosen options do not compose: {_first_lines(error)}") from error


def _covers_ctrl_c(error: BaseException | None) -> bool:
    """Whether an error came up as a Ctrl-C went through OmegaConf, whose clean-up trips over what it interrupted."""
    while error is not None and not isinstance(error, KeyboardInterrupt):
        error = error.__cause__ or error.__context__
    return error is not None


def resolve(composed: Any) -> dict[str, Any]:
    """Turn Hydra's config into plain values, interpolations resolved, without Hydra's own part.

    Raises:
        UserError: an interpolation leads nowhere, or a value is still to be given (``???``).
    """
    from omegaconf import OmegaConf
    from omegaconf.errors import MissingMandatoryValue, OmegaConfBaseException

    try:
        with without_environment():
            plain: dict[str, Any] = OmegaConf.to_container(composed, resolve=True, throw_on_missing=True)  # type: ignore[assignment]
    except MissingMandatoryValue as error:
        raise UserError(f"{error.full_key}=??? is still to be given; add {error.full_key}=VALUE.") from error
    except (OmegaConfBaseException, *HYDRAS) as error:
        key = getattr(error, "full_key", None)
        raise UserError(f"{f'{key}: ' if key else ''}{_first_lines(error)}") from error
    plain.pop("hydra", None)
    return plain


def own_folders(config_dir: str | Path | None) -> list[str]:
    """The absolute path of a user's config folder in a list, or an empty list.

    Raises:
        UserError: it is no folder, or holds a file that cannot be meant.
    """
    if config_dir is None:
        return []
    try:
        folder = Path(config_dir).resolve()
        found = folder.is_dir()
    except (OSError, ValueError, RuntimeError):
        found = False
    if not found:
        raise UserError(f"--config-dir={config_dir} is not a folder; name the folder that holds your config groups.")
    check_own_files(folder)
    return [str(folder)]


def searched(folders: list[str]) -> list[str]:
    """The override that adds ``folders`` to Hydra's search path."""
    quoted = ",".join("'file://{}'".format(folder.replace("'", "\\'")) for folder in folders)
    return [f"hydra.searchpath=[{quoted}]"] if folders else []


@contextmanager
def hydra_at(folder: Path) -> Iterator[None]:
    """Hydra's global state set up on ``folder``, and put back afterwards."""
    from hydra import initialize_config_dir

    from quatrain.config.launchers import prefer_ours

    with initialize_config_dir(str(folder), version_base="1.3", job_name="quatrain"):
        prefer_ours()
        yield


def _first_lines(error: BaseException) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    cause = str(error.__cause__).splitlines()[0].strip() if error.__cause__ and str(error.__cause__) else ""
    first = lines[0] if lines else type(error).__name__
    return f"{first.rstrip('.')} ({cause})." if cause and cause not in first else f"{first.rstrip('.')}."
