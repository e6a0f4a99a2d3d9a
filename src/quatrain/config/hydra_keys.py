"""Explaining what an experiment has of Hydra's own settings: the folder of a sweep, and what launches its jobs."""

from quatrain.config.composition import Composition
from quatrain.config.explaining import Explained, Stated, explain_group
from quatrain.config.hydra_settings import INSTEAD
from quatrain.config.option_files import HYDRAS, options
from quatrain.config.places import file_shown, of_file
from quatrain.config.yaml_comments import comment, value_text

SWEEP_DIR = "hydra.sweep.dir"
SAYS = {
    "hydra": "Hydra's own settings. An experiment has hydra.sweep.dir, hydra/launcher with hydra.launcher.*, and"
    " hydra.verbose; all others are set by quatrain.",
    SWEEP_DIR: "the folder of a sweep, wherever it shall lie; by default it is called as sweep.name says",
    "hydra.verbose": "whether libraries tell more in the log: true, or names of loggers",
}
DEFAULTS = {SWEEP_DIR: "${run.root}/sweeps/${sweep.name}", "hydra.verbose": "false"}
EXAMPLES = {
    SWEEP_DIR: "quatrain train -m seed=1,2 hydra.sweep.dir=runs/seeds",
    "hydra.verbose": "quatrain train hydra.verbose=true",
}


def explain_hydra(key: str, composed: Composition) -> list[Explained]:
    """Explain ``key``, one of Hydra's; nothing where an experiment has no such key."""
    if (group := key.replace(".", "/")) in HYDRAS and (found := explain_group(group, composed)):
        return [found]
    if key in SAYS:
        stated = (
            [Stated(given.partition("=")[2], f"the command line: {given}")] if (given := composed.given(key)) else []
        )
        default = DEFAULTS.get(key)
        value = stated[-1].value if stated else default or ""
        return [
            Explained(key, SAYS[key], "conf/config.yaml", "", default, stated, value, example=EXAMPLES.get(key, ""))
        ]
    instead = next((instead for start, instead in INSTEAD.items() if key == start or key.startswith(f"{start}.")), None)
    if instead is not None:
        return [Explained(key, f"not yours to set: {instead}", "Hydra", "", None, [], "", instead=instead)]
    return _of_launcher(key, composed)


def _of_launcher(key: str, composed: Composition) -> list[Explained]:
    """A setting of the chosen launcher, or of the first that has it."""
    found = options("hydra/launcher", composed.folders)
    found.sort(key=lambda option: option.name != composed.choices.get("hydra/launcher"))
    for option in found:
        for name, place in of_file(option.file, "hydra.launcher") if option.file else ():
            if name != key or option.file is None:
                continue
            value = value_text(place.file, place.line)
            says = comment(place.file, place.line) or f"a setting of {option.name}, as its own documentation has it"
            where = f"{file_shown(place.file, composed.folders)}:{place.line}"
            chosen = f"hydra/launcher={option.name}"
            command = f"quatrain train -m seed=1,2 {chosen} {key}={'VALUE' if value in ('null', '') else value}"
            return [Explained(key, says, where, "", None, [Stated(value, where)], value, None, command, chosen)]
    return []
