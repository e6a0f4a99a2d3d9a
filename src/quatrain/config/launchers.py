"""Launchers of others that have a ready config under conf/hydra/launcher: what each needs, takes, and may be told."""

from importlib.util import find_spec
from shutil import which
from typing import Any, NamedTuple

from quatrain.config.spelling import nearest


class Plugin(NamedTuple):
    """Where a launcher lies, which extra installs it, and the command without which it cannot do anything."""

    package: str
    extra: str
    command: str | None = None


PLUGINS = {
    "joblib": Plugin("hydra_joblib_launcher", "joblib"),
    "ray": Plugin("hydra_ray_launcher", "ray"),
    "submitit_local": Plugin("hydra_submitit_launcher", "slurm"),
    "submitit_slurm": Plugin("hydra_submitit_launcher", "slurm", "sbatch"),
}
RUN_CODE = ("setup", "additional_parameters", "runtime_env")
"""Settings that a launcher runs as commands: a config file, which may be of others, cannot give them."""

_shapes: dict[str, Any] = {}
"""What each plugin says of its own settings and their types."""


def prefer_ours() -> None:
    """Have Hydra take our config of a launcher alone.

    A plugin stores one of the same name, and Hydra 1.3 would check ours against it while printing that this is no
    longer done. `setting_mistake` checks in its place.
    """
    from hydra.core.config_store import ConfigStore

    stored: Any = ConfigStore.instance().repo.get("hydra", {}).get("launcher", {})
    for name in PLUGINS:
        if found := stored.pop(f"{name}.yaml", None):
            _shapes[name] = found.node


def missing(launcher: str) -> str | None:
    """Say what has to be installed for ``launcher``; None where nothing has."""
    plugin = PLUGINS.get(launcher)
    if plugin is None:
        return None
    if _is_missing(f"hydra_plugins.{plugin.package}"):
        return f"{plugin.package.replace('_', '-')} is not installed; pip install 'quatrain[{plugin.extra}]'"
    if plugin.command and not which(plugin.command):
        return f"this machine has no {plugin.command}; start the sweep where your cluster takes jobs"
    return None


def setting_mistake(text: str, key: str, value: Any, settings: dict[str, Any]) -> str | None:
    """Say what is wrong with ``hydra.launcher.<key>=value``, for the launcher whose composed ``settings`` these are."""
    from omegaconf import OmegaConf
    from omegaconf.errors import OmegaConfBaseException

    shape = next((one for one in _shapes.values() if one.get("_target_") == settings.get("_target_")), None)
    if shape is None:
        return None
    try:
        OmegaConf.update(OmegaConf.structured(shape).copy(), key, value, force_add=_is_open(key))
    except (OmegaConfBaseException, ValueError, TypeError, AttributeError) as error:
        first = key.split(".")[0]
        known = [str(name) for name in settings if name != "_target_"]
        if first not in known:
            return (
                f"{text}: there is no key hydra.launcher.{first}{nearest(first, known) or '; it takes ' + _list(known)}"
            )
        return f"{text} does not fit; {str(error).splitlines()[0].rstrip('.')}."
    return None


def code_from_files(settings: dict[str, Any]) -> list[str]:
    """Say which of a launcher's settings a config file gives although they run commands."""
    found = []
    for place, node in {"": settings, **_ray_parts(settings)}.items():
        for name in RUN_CODE:
            if node.get(name):
                found.append(
                    f"hydra.launcher.{place}{name} runs commands, so no config file may give it; give it on the"
                    f" command line."
                )
    return found


def _ray_parts(settings: dict[str, Any]) -> dict[str, dict[str, Any]]:
    ray = settings.get("ray") or {}
    return {f"ray.{part}.": ray[part] for part in ("init", "remote") if isinstance(ray.get(part), dict)}


def _is_open(key: str) -> bool:
    """Whether a plugin takes any name there: what it hands on to Ray or sbatch as it is."""
    return key.startswith(("ray.init.", "ray.remote.", "additional_parameters."))


def _is_missing(module: str) -> bool:
    try:
        return find_spec(module) is None
    except ModuleNotFoundError:
        return True


def _list(names: list[str]) -> str:
    return f"{', '.join(names)}."
