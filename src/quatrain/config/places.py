"""Which file and line of conf states a value: told with a mistake, and looked for only then."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from quatrain.config.folder import conf_folder
from quatrain.config.own_files import shown

KEY = re.compile(r"(?<![\w./-])\w+(?:\.[\w-]+)*(?==|:\s| is | has | takes | names | holds )")
"""What may be a key in a sentence: a word with points before its value, or before what is said of it."""


@dataclass(frozen=True)
class Place:
    """Where a value stands and how it is written there."""

    file: Path
    line: int
    text: str | None


def with_places(sentences: list[str], config: dict[str, Any], overrides: list[str], folders: list[str]) -> list[str]:
    """Put before each sentence the file and line of the values that it names, where a file states them.

    ``config`` was composed with ``overrides``, whose values need no place. What is said of a value is not said again of
    those that refer to it. Must run inside `hydra_at`.
    """
    places = Places(stated(overrides, folders), config, overrides, folders)
    told = {match.group() for sentence in sentences if (match := KEY.match(sentence))}
    repeated = (
        places.origin(match.group()) in told if (match := KEY.match(sentence)) else False for sentence in sentences
    )
    return [places.put(sentence) for sentence, again in zip(sentences, repeated, strict=True) if not again]


def stated(overrides: list[str], folders: list[str]) -> dict[str, list[Place]]:
    """Every key that the chosen config files state, with its places in the order of composition: the last one wins."""
    from hydra.core.global_hydra import GlobalHydra
    from hydra.types import RunMode

    from quatrain.config.compose import searched

    loader: Any = GlobalHydra.instance().config_loader()
    chosen = loader.compute_defaults_list("config", [*searched(folders), *overrides], RunMode.RUN).defaults
    sources = [Path(source.path) for source in loader.get_sources() if source.scheme() == "file"]
    places: dict[str, list[Place]] = {}
    for default in chosen:
        candidates = [folder / f"{default.config_path}.yaml" for folder in [*sources, *map(Path, folders)]]
        file = next((path for path in candidates if path.is_file()), None)
        for key, place in of_file(file, (default.package or "").removeprefix("_global_")) if file else ():
            places.setdefault(key, []).append(place)
    return places


def of_file(file: Path, package: str = "") -> Iterator[tuple[str, Place]]:
    """Every key that one YAML file states under ``package``, with its place; none where it cannot be read."""
    import yaml

    try:
        root = yaml.compose(file.read_text(encoding="utf-8"), Loader=yaml.SafeLoader)
    except (OSError, ValueError, yaml.YAMLError, RecursionError):
        return
    if package:
        yield package, Place(file, 1, None)
    for key, line, text in _keys(root, package):
        yield key, Place(file, line, text)


def _keys(node: Any, above: str) -> Iterator[tuple[str, int, str | None]]:
    pairs = node.value if getattr(node, "id", None) == "mapping" else []
    for name, value in pairs:
        if not above and name.value == "defaults":
            continue
        key = f"{above}.{name.value}" if above else str(name.value)
        yield key, name.start_mark.line + 1, value.value if isinstance(value.value, str) else None
        yield from _keys(value, key)


class Places:
    """Finds the places of the keys that a sentence names."""

    def __init__(
        self, stated: dict[str, list[Place]], config: dict[str, Any], overrides: list[str], folders: list[str]
    ) -> None:
        self._stated, self._config, self._folders = stated, config, folders
        self._given = {text.lstrip("+~").split("=")[0] for text in overrides}

    def put(self, sentence: str) -> str:
        """Return ``sentence`` with places before it, and behind it the keys that its values were taken from."""
        places, origins = [], []
        for key in self._keys_of(sentence):
            origin = self.origin(key)
            if origin is not None:
                origins.append(origin)
            place = self._find(origin or key) or self._find(_above(key, sentence))
            if place is not None:
                places.append(f"{file_shown(place.file, self._folders)}:{place.line}")
        before = f"{' and '.join(dict.fromkeys(places))}: " if places else ""
        behind = f" (the value is that of {', '.join(dict.fromkeys(origins))})" if origins else ""
        return f"{before}{sentence}{behind}"

    def origin(self, key: str) -> str | None:
        """The key that the value of ``key`` is taken from, where a file only refers to it as ``${another.key}``."""
        place = self._find(key)
        refers = re.fullmatch(r"\$\{([\w.]+)\}", place.text or "") if place else None
        return refers[1] if refers and (self._value(refers[1]) is not ...) else None

    def _keys_of(self, sentence: str) -> Iterator[str]:
        """The key that begins the sentence, and those that it names with the value that they have."""
        first = KEY.match(sentence)
        inside = f"{first.group()}." if first and isinstance(self._value(first.group()), dict) else ""
        for match in KEY.finditer(sentence):
            key = match.group()
            if match.start() == 0:
                if not inside or f"{key} names" in sentence or f"{key} is" in sentence:
                    yield key
            else:
                rest = sentence[match.end() :]
                yield from (one for one in (key, inside + key) if _says_value(rest, self._value(one)))

    def _find(self, key: str) -> Place | None:
        """The place of the value that ``key`` has: the last of those that say so, or else the last."""
        if any(key == one or key.startswith(f"{one}.") for one in self._given if "." in one or one == key):
            return None  # the command line says it
        places = self._stated.get(key, [])
        value = self._value(key)
        return next((place for place in reversed(places) if holds(place, value)), places[-1] if places else None)

    def _value(self, key: str) -> Any:
        node: Any = self._config
        for part in key.split("."):
            if not isinstance(node, dict) or part not in node:
                return ...
            node = node[part]
        return node


def file_shown(file: Path, folders: list[str]) -> str:
    """Shipped files as conf/..., those in the users' ``folders`` as seen from the current or from their own folder."""
    if file.is_relative_to(conf_folder()):
        return f"conf/{file.relative_to(conf_folder())}"
    near = shown(str(file))
    for folder in map(Path, folders):
        if near == str(file) and file.is_relative_to(folder):
            return str(file.relative_to(folder.parent))
    return near


def _above(key: str, sentence: str) -> str:
    """For a key that is missing, the line that names the class which needs it."""
    return f"{key.rpartition('.')[0]}._target_" if f"{key} is missing" in sentence else ""


def holds(place: Place, value: Any) -> bool:
    """Whether the value may have come from ``place``."""
    if place.text is None or place.text.startswith("${"):
        return True
    try:
        return place.text in _texts(value) or float(place.text) == value
    except ValueError:
        return False


def _says_value(rest: str, value: Any) -> bool:
    """Whether the sentence goes on with the value that the config holds, rather than with one to be given."""
    if value is ... or isinstance(value, dict) or not rest.startswith("="):
        return False
    return any(re.match(rf"={re.escape(text)}(?![\w.]*\w)", rest) for text in _texts(value))


def _texts(value: Any) -> set[str]:
    plain = "true" if value is True else "false" if value is False else "null" if value is None else str(value)
    return {plain, repr(value)}
