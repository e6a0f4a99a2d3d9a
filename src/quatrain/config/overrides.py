"""Reading the overrides of a command line: all mistakes at once, and the arguments that no YAML lists.

Hydra tells the first mistake only, and refuses a key that the YAML does not hold. Here every override is judged against
the composed groups and the classes that they name; an argument that only a signature holds is marked ``++`` for Hydra.
"""

from dataclasses import dataclass, field
from typing import Any

from hydra.core.override_parser.types import Override

from quatrain.config.nodes import DERIVED, is_model_config, nodes, signature_of, takes
from quatrain.config.spelling import nearest

REFUSED = {
    "hydra.run": "name the run directory with run.dir=DIR",
    "hydra.output_subdir": "the run directory holds config.yaml; name it with run.dir=DIR",
    "hydra.job.chdir": "runs never change the folder; name the run directory with run.dir=DIR",
    "hydra/job_logging": "a run logs to run.log in its directory",
    "hydra/hydra_logging": "a run logs to run.log in its directory",
}


@dataclass
class Examined:
    """What a command line says: overrides as Hydra takes them, and what is wrong with the others."""

    accepted: list[str] = field(default_factory=list)
    mistakes: list[str] = field(default_factory=list)
    swept: list[str] = field(default_factory=list)


def examine(texts: list[str], search_path: list[str]) -> Examined:
    """Judge every override of ``texts``; ``search_path`` holds the users' own config folders (absolute).

    Must run inside `quatrain.config.compose.hydra_at`.
    """
    from hydra.core.global_hydra import GlobalHydra

    from quatrain.config.compose import searched

    loader = GlobalHydra.instance().config_loader()
    first = searched(search_path)
    examined = Examined()
    chosen: list[str] = []
    leaves: list[tuple[str, Override]] = []
    groups = set(loader.list_groups("")) | _groups_of(search_path)
    for text in texts:
        override = _parse(text, examined)
        if override is None:
            continue
        key = override.key_or_group
        if refusal := next(
            (why for start, why in REFUSED.items() if key == start or key.startswith(f"{start}.")), None
        ):
            examined.mistakes.append(f"{text}: {key} is not yours to set; {refusal}.")
        elif key in groups or "/" in key:
            if choice := _group_choice(text, override, loader, first, examined):
                chosen.append(choice)
                examined.accepted.append(text)
        else:
            leaves.append((text, override))
        if override.is_sweep_override():
            examined.swept.append(key)
    _judge_leaves(leaves, [*first, *chosen], examined)
    order = {text: place for place, text in enumerate(texts)}
    examined.accepted.sort(key=lambda text: order.get(text, order.get(text.removeprefix("++"), 0)))
    return examined


def _parse(text: str, examined: Examined) -> Override | None:
    from hydra.core.override_parser.overrides_parser import OverridesParser
    from hydra.errors import OverrideParseException

    try:
        return OverridesParser.create().parse_overrides([text])[0]
    except OverrideParseException:
        key = text.split("=")[0]
        hint = f"quote the value, as in \"{key}='...'\"" if "=" in text else f"write KEY=VALUE{_meant(text)}"
        examined.mistakes.append(f"{text}: cannot be read as an override; {hint}.")
        return None


def _meant(word: str) -> str:
    """A bare word is mostly an option whose group was left out."""
    from quatrain.config.folder import conf_folder

    found = sorted(conf_folder().glob(f"*/{word}.yaml")) if word.isidentifier() else []
    return f", as in {found[0].parent.name}={word}" if found else ""


def _groups_of(search_path: list[str]) -> set[str]:
    from pathlib import Path

    return {folder.name for path in search_path for folder in Path(path).iterdir() if folder.is_dir()}


def _group_choice(text: str, override: Override, loader: Any, first: list[str], examined: Examined) -> str | None:
    """Return the group choice to compose with (the first of a sweep), or None after noting what is wrong."""
    group = override.key_or_group
    options = loader.get_group_options(group, config_name="config", overrides=first)
    if not options:
        examined.mistakes.append(f"{text}: there is no group {group}{nearest(group, loader.list_groups(''))}.")
        return None
    if override.is_delete():
        return text
    values = (
        [str(value) for value in override.sweep_string_iterator()]
        if override.is_sweep_override()
        else [str(override.value())]
    )
    wrong = [value for value in values if value not in options and value not in ("None", "null")]
    for value in wrong:
        examined.mistakes.append(
            f"{group}={value}: there is no such {group}; one of {', '.join(options)}{nearest(value, options)}"
        )
    return None if wrong else f"{group}={values[0].replace('None', 'null')}"


def _judge_leaves(leaves: list[tuple[str, Override]], chosen: list[str], examined: Examined) -> None:
    if not leaves:
        return
    from hydra import compose
    from hydra.errors import HydraException
    from omegaconf import OmegaConf
    from omegaconf.errors import OmegaConfBaseException

    try:
        composed = compose("config", overrides=chosen, return_hydra_config=True)
    except (HydraException, OmegaConfBaseException, ValueError, AttributeError, AssertionError) as error:
        examined.mistakes.append(f"The chosen groups do not compose: {str(error).splitlines()[0]}.")
        return
    config: dict[str, Any] = OmegaConf.to_container(composed, resolve=False)  # type: ignore[assignment]
    for _, override in leaves:  # a class that is named on the command line brings its own arguments
        if override.key_or_group.endswith(("._target_", ".model_type")) and not override.is_sweep_override():
            _put(config, override.key_or_group.split("."), override.value())
    unknown = {sentence.split("=")[0] for sentence in examined.mistakes}
    for text, override in leaves:
        if override.key_or_group.split(".")[0] not in unknown:  # what a misspelled option takes cannot be told
            _judge(text, override, config, examined)


def _judge(text: str, override: Override, config: dict[str, Any], examined: Examined) -> None:
    key = override.key_or_group
    added = override.is_add() or override.is_force_add()
    if added and key.split(".")[0] not in config:
        takes_all = ", ".join(str(name) for name in config if name != "hydra")
        examined.mistakes.append(f"{text}: there is no {key.split('.')[0]} in an experiment; it takes {takes_all}.")
        return
    if added or override.is_delete() or key.startswith("hydra.sweeper.params"):
        examined.accepted.append(text)
        return
    parts = key.split(".")
    node, depth = _deepest(config, parts)
    if depth == len(parts):
        examined.accepted.append(text)
        return
    place = ".".join(parts[:depth])
    found = signature_of(node) if "_target_" in node or is_model_config(place, node) else None
    arguments = takes(place, node, found) if found else {}
    inside_null = depth > 0 and depth < len(parts) and _is_null(config, parts[: depth + 1])
    if parts[depth] in arguments or parts[depth] in (DERIVED if is_model_config(place, node) else ()) or inside_null:
        examined.accepted.append(f"++{text}")
        return
    known = sorted({*map(str, node), *arguments} - {"_target_"})
    near = nearest(key, _keys(config)) if not place and len(parts) > 1 else nearest(parts[depth], known)
    if near and place:
        near = near.replace("mean ", f"mean {place}.")
    elif not near and not place:
        near = nearest(key, _keys(config))
    hint = near or f"; {place or 'an experiment'} takes {', '.join(known)}."
    examined.mistakes.append(f"{text}: there is no key {key}{hint}")


def _deepest(config: dict[str, Any], parts: list[str]) -> tuple[dict[str, Any], int]:
    """The innermost mapping on the way to a key, and how many parts of the key lie above what it holds."""
    node: Any = config
    for depth, part in enumerate(parts):
        if not isinstance(node, dict) or part not in node:
            return (node, depth) if isinstance(node, dict) else (_parent(config, parts[:depth]), depth - 1)
        if depth + 1 < len(parts) and not isinstance(node[part], dict):
            return node, depth
        node = node[part]
    return config, len(parts)


def _parent(config: dict[str, Any], parts: list[str]) -> dict[str, Any]:
    node = config
    for part in parts[:-1]:
        node = node[part]
    return node


def _is_null(config: dict[str, Any], parts: list[str]) -> bool:
    node: Any = config
    for part in parts:
        if not isinstance(node, dict) or part not in node:
            return False
        node = node[part]
    return node is None


def _put(config: dict[str, Any], parts: list[str], value: Any) -> None:
    node = config
    for part in parts[:-1]:
        node = node.setdefault(part, {})
        if not isinstance(node, dict):
            return
    node[parts[-1]] = value


def _keys(config: dict[str, Any]) -> list[str]:
    keys = [str(name) for name in config if name != "hydra"]
    for key, node, found in nodes({name: value for name, value in config.items() if name != "hydra"}):
        keys += [f"{key}.{name}" for name in (takes(key, node, found) if found else node)]
    return keys
