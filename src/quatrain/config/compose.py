"""From overrides to one complete, plain config."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from quatrain.config.check import check
from quatrain.config.confidential import without_environment
from quatrain.config.folder import conf_folder
from quatrain.config.freeze import freeze
from quatrain.config.nodes import drop_foreign, fill_defaults
from quatrain.core.errors import UserError


def compose(overrides: Sequence[str] = (), config_dir: str | Path | None = None) -> dict[str, Any]:
    """Compose, complete, check and freeze an experiment, and start nothing.

    Args:
        overrides: as on the command line: ``["experiment=quick_windows", "trainer.max_steps=20"]``.
        config_dir: a folder of the user's own config files, searched beside the shipped ones.

    Returns:
        Plain dictionaries, lists and values: interpolations resolved, every default of every named class filled in,
        paths absolute, the hub's commits pinned. Two commands that mean the same give the same.

    Raises:
        UserError: with one sentence for each thing that is wrong.
    """
    folders = own_folders(config_dir)
    with hydra_at(conf_folder()):
        return compose_here(list(overrides), folders)


def compose_here(overrides: list[str], folders: list[str]) -> dict[str, Any]:
    """As `compose`, inside of `hydra_at`; ``folders`` are absolute."""
    from quatrain.config.overrides import examine

    examined = examine(overrides, folders)
    if examined.mistakes:
        raise UserError(examined.mistakes)
    if examined.swept:
        raise UserError(f"{examined.swept[0]} has several values; add --multirun (-m) to run one job for each.")
    return complete(resolve(compose_nodes(examined.accepted, folders)), examined.accepted)


def complete(config: dict[str, Any], overrides: list[str]) -> dict[str, Any]:
    """Fill in what a plain config, composed with ``overrides``, leaves to classes and tasks; check it, and freeze it.

    Raises:
        UserError: with every mistake.
    """
    drop_foreign(config, overrides)
    fill_defaults(config)
    check(config)
    return freeze(config)


def compose_nodes(overrides: list[str], folders: list[str]) -> Any:
    """Let Hydra compose; its errors become one sentence."""
    import hydra
    from hydra.errors import HydraException
    from omegaconf.errors import OmegaConfBaseException

    try:
        return hydra.compose("config", overrides=[*searched(folders), *overrides])
    except (HydraException, OmegaConfBaseException, ValueError, AttributeError, AssertionError) as error:
        raise UserError(_first_lines(error)) from error  # Hydra raises plain errors for parts of its own grammar


def resolve(composed: Any) -> dict[str, Any]:
    """Turn Hydra's config into plain values, interpolations resolved, without Hydra's own part."""
    from omegaconf import OmegaConf
    from omegaconf.errors import OmegaConfBaseException

    try:
        with without_environment():
            plain: dict[str, Any] = OmegaConf.to_container(composed, resolve=True, throw_on_missing=True)  # type: ignore[assignment]
    except OmegaConfBaseException as error:
        raise UserError(_first_lines(error)) from error
    plain.pop("hydra", None)
    return plain


def own_folders(config_dir: str | Path | None) -> list[str]:
    """The absolute path of a user's config folder in a list, or an empty list."""
    if config_dir is None:
        return []
    folder = Path(config_dir).resolve()
    if not folder.is_dir():
        raise UserError(f"--config-dir={config_dir} is not a folder; name the folder that holds your config groups.")
    return [str(folder)]


def searched(folders: list[str]) -> list[str]:
    """The override that adds ``folders`` to Hydra's search path."""
    quoted = ",".join(f"'file://{folder}'" for folder in folders)
    return [f"hydra.searchpath=[{quoted}]"] if folders else []


@contextmanager
def hydra_at(folder: Path) -> Iterator[None]:
    """Hydra's global state set up on ``folder``, and put back afterwards."""
    from hydra import initialize_config_dir

    with initialize_config_dir(str(folder), version_base="1.3", job_name="quatrain"):
        yield


def _first_lines(error: BaseException) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    cause = str(error.__cause__).splitlines()[0].strip() if error.__cause__ and str(error.__cause__) else ""
    first = lines[0] if lines else type(error).__name__
    return f"{first.rstrip('.')} ({cause})." if cause and cause not in first else f"{first.rstrip('.')}."
