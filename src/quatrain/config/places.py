"""Which file and line of conf states a value: told with a mistake, and looked for only then."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from quatrain.config.folder import conf_folder
from quatrain.config.own_files import shown

KEY = re.compile(r"(?<![\w./-])[A-Za-z_]\w*(?:\.[\w-]+)*(?==|:\s| is | has | takes | names )")
"""What may be a key in a sentence: a word with points before its value, or before what is said of it."""


@dataclass(frozen=True)
class Place:
    """Where a value stands and how it is written there."""

    file: Path
    line: int
    text: str | None


def with_places(sentences: list[str], config: dict[str, Any], overrides: list[str], folders: list[str]) -> list[str]:
    """Put before each sentence the file and line of the values that it names, where a file states them.

    ``config`` was composed with ``overrides``, whose values need no place. Must run inside `hydra_at`.
    """
    places = stated(overrides, folders)
    given = {text.lstrip("+~").split("=")[0] for text in overrides}
    told = {key for sentence in sentences if (key := _leading(sentence))}
    kept = []
    for sentence in sentences:
        key = _leading(sentence)
        source = _followed(key, places, given)[1] if key else None
        if source not in told:  # what is said of a value need not be said of those that refer to it
            kept.append(_placed(sentence, config, places, given, folders))
    return kept


def _leading(sentence: str) -> str | None:
    match = KEY.match(sentence)
    return match.group() if match else None


def stated(overrides: list[str], folders: list[str]) -> dict[str, Place]:
    """Every key that the chosen config files state, with the place of the one that is read last."""
    from hydra.core.global_hydra import GlobalHydra
    from hydra.types import RunMode

    from quatrain.config.compose import searched

    loader: Any = GlobalHydra.instance().config_loader()
    chosen = loader.compute_defaults_list("config", [*searched(folders), *overrides], RunMode.RUN).defaults
    sources = [Path(source.path) for source in loader.get_sources() if source.scheme() == "file"]
    places: dict[str, Place] = {}
    for default in chosen:
        candidates = [folder / f"{default.config_path}.yaml" for folder in [*sources, *map(Path, folders)]]
        file = next((path for path in candidates if path.is_file()), None)
        if file is not None:
            places |= of_file(file, (default.package or "").removeprefix("_global_"))
    return places


def of_file(file: Path, package: str = "") -> dict[str, Place]:
    """Every key that one YAML file states under ``package``; none where it cannot be read."""
    import yaml

    try:
        root = yaml.compose(file.read_text(encoding="utf-8"), Loader=yaml.SafeLoader)
    except (OSError, ValueError, yaml.YAMLError, RecursionError):
        return {}
    return {key: Place(file, line, text) for key, line, text in _keys(root, package)}


def _keys(node: Any, above: str) -> Iterator[tuple[str, int, str | None]]:
    pairs = node.value if getattr(node, "id", None) == "mapping" else []
    for name, value in pairs:
        if not above and name.value == "defaults":
            continue
        key = f"{above}.{name.value}" if above else str(name.value)
        yield key, name.start_mark.line + 1, value.value if isinstance(value.value, str) else None
        yield from _keys(value, key)


def _placed(
    sentence: str, config: dict[str, Any], places: dict[str, Place], given: set[str], folders: list[str]
) -> str:
    named: list[str] = []
    sources: list[str] = []
    for match in KEY.finditer(sentence):
        key = match.group()
        if match.start() and not _says_value(sentence[match.end() :], _value(config, key)):
            continue
        key, origin = _followed(key, places, given)
        if origin is not None:
            sources.append(origin)
        place = None if _on_command_line(key, given) else places.get(key) or places.get(_above(key, sentence))
        if place is not None and (where := f"{_written(place.file, folders)}:{place.line}") not in named:
            named.append(where)
    behind = f" (the value is that of {', '.join(dict.fromkeys(sources))})" if sources else ""
    return f"{' and '.join(named)}: {sentence}{behind}" if named else f"{sentence}{behind}"


def _followed(key: str, places: dict[str, Place], given: set[str]) -> tuple[str, str | None]:
    """The key that states the value, where a file only refers to it as ``${another.key}``, told as the origin."""
    place = places.get(key)
    if place is None or _on_command_line(key, given):
        return key, None
    refers = re.fullmatch(r"\$\{([\w.]+)\}", place.text or "")
    return (refers[1], refers[1]) if refers else (key, None)


def _above(key: str, sentence: str) -> str:
    """For a key that is missing, the line that names the class which needs it."""
    return f"{key.rpartition('.')[0]}._target_" if f"{key} is missing" in sentence else ""


def _on_command_line(key: str, given: Iterable[str]) -> bool:
    return any("." in one and (key == one or key.startswith(f"{one}.")) for one in given) or (
        "." not in key and key in given
    )


def _value(config: Any, key: str) -> Any:
    for part in key.split("."):
        if not isinstance(config, dict) or part not in config:
            return ...
        config = config[part]
    return config


def _says_value(rest: str, value: Any) -> bool:
    """Whether the sentence goes on with the value that the config holds, rather than with one to be given."""
    if value is ... or isinstance(value, dict) or not rest.startswith("="):
        return False
    texts = {"true" if value is True else "false" if value is False else "null" if value is None else str(value)}
    return any(re.match(rf"={re.escape(text)}(?![\w.]*\w)", rest) for text in {*texts, repr(value)})


def _written(file: Path, folders: list[str]) -> str:
    """Shipped files as conf/..., the user's as seen from the current folder or from their config folder."""
    if file.is_relative_to(conf_folder()):
        return f"conf/{file.relative_to(conf_folder())}"
    near = shown(str(file))
    for folder in map(Path, folders):
        if near == str(file) and file.is_relative_to(folder):
            return str(file.relative_to(folder.parent))
    return near
