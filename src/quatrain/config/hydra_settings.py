"""Which of Hydra's own settings an experiment may touch: where a sweep lies and what launches it, and no code."""

from collections.abc import Iterator, Mapping
from typing import Any

from hydra.core.override_parser.types import Override

from quatrain.config.launchers import code_from_files, missing, setting_mistake

OWN = ("hydra.sweep.dir", "hydra.launcher", "hydra.sweeper", "hydra/launcher", "hydra/sweeper", "hydra.verbose")
"""What a command line may set."""

INSTEAD = {
    "hydra.launcher._target_": "choose hydra/launcher=OPTION",
    "hydra.sweeper._target_": "choose hydra/sweeper=OPTION",
    "hydra.sweeper.params": "write the values themselves, as in seed=1,2,3",
    "hydra.run": "name the run directory with run.dir=DIR",
    "hydra.output_subdir": "the run directory holds config.yaml; name it with run.dir=DIR",
    "hydra.job.chdir": "runs never change the folder; name the run directory with run.dir=DIR",
    "hydra.searchpath": "add a folder of your own with --config-dir DIR",
    "hydra.mode": "add --multirun (-m) for a sweep",
    "hydra/job_logging": "a run logs to run.log in its directory",
    "hydra/hydra_logging": "a run logs to run.log in its directory",
}
PLUGINS = ("hydra_plugins.", "hydra._internal.core_plugins.")


def hydra_refusal(text: str, override: Override) -> str | None:
    """Say why an override of Hydra's own settings is refused; None where it is not, or is no such override."""
    key = override.key_or_group
    if key != "hydra" and not key.startswith(("hydra.", "hydra/")):
        return None
    why = next((why for start, why in INSTEAD.items() if _within(key, start)), None)
    if why is None and not any(_within(key, start) for start in OWN):
        why = f"of Hydra's settings an experiment has {', '.join(OWN[:3])}"
    if why is None and key == "hydra.sweep.dir" and not (isinstance(override.value(), str) and override.value()):
        return f"{text}: hydra.sweep.dir names one folder; give hydra.sweep.dir=DIR."
    if why is None and key == "hydra/sweeper" and not _checks_first(str(override.value())):
        why = "quatrain's own checks every job before the first starts; leave it out"
    if why is None and key in ("hydra.launcher", "hydra.sweeper"):
        why = f"set its keys one by one, as in {key}.KEY=VALUE"
    if why is None and key == "hydra/launcher" and (needed := missing(str(override.value()))):
        return f"{text}: {needed}."
    return None if why is None else f"{text}: {key} is not yours to set; {why}."


def launcher_refusal(text: str, override: Override, config: Mapping[str, Any]) -> str | None:
    """Say why a launcher does not take a setting, with ``config`` composed; None where it does, or it is none."""
    key = override.key_or_group
    if not key.startswith("hydra.launcher.") or override.is_delete() or override.is_sweep_override():
        return None
    return setting_mistake(text, key.removeprefix("hydra.launcher."), override.value(), config["hydra"]["launcher"])


def unsafe_settings(config: Mapping[str, Any]) -> Iterator[str]:
    """Say which of Hydra's settings in a composed config would run code of their own choice."""
    settings = config["hydra"]
    if settings.get("callbacks"):
        yield "hydra.callbacks would run code beside the experiment; take it out, and add a callback under callbacks."
    for name in ("job_logging", "hydra_logging"):
        if set(settings.get(name) or {}) - {"version", "root", "disable_existing_loggers"}:
            yield f"hydra.{name} is not yours to set; take it out: a run logs to run.log in its directory."
    for name in ("launcher", "sweeper"):
        target = (settings.get(name) or {}).get("_target_")
        if not str(target).startswith(PLUGINS):
            yield f"hydra.{name}._target_={target} is no plugin of Hydra; choose hydra/{name}=OPTION."
        elif _names_a_class_inside(settings.get(name)):
            yield f"hydra.{name} names a class inside, which would be built; take that _target_ out."
    yield from code_from_files(settings.get("launcher") or {})


def _names_a_class_inside(node: Any, depth: int = 0) -> bool:
    if isinstance(node, list):
        return any(_names_a_class_inside(item, depth + 1) for item in node)
    if not isinstance(node, Mapping):
        return False
    return (depth > 0 and "_target_" in node) or any(_names_a_class_inside(item, depth + 1) for item in node.values())


def _within(key: str, start: str) -> bool:
    return key == start or key.startswith((f"{start}.", f"{start}/", f"{start}@"))


def _checks_first(sweeper: str) -> bool:
    """Whether a sweeper is ours: it composes and checks all jobs before it starts one."""
    from hydra.core.config_store import ConfigStore

    options: Any = ConfigStore.instance().repo["hydra"]["sweeper"]
    return f"{sweeper}.yaml" in options and options[f"{sweeper}.yaml"].provider == "quatrain"
