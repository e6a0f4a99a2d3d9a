"""What an override may be: groups and their options, keys of the chosen options, and values to choose from."""

from collections.abc import Iterator
from typing import Any

from quatrain.config.allowed import CHOICES
from quatrain.config.describing import describe, plain_says
from quatrain.config.flattening import flat, merged
from quatrain.config.nodes import fill_defaults
from quatrain.config.option_files import chosen_groups, content, groups, options
from quatrain.config.plain_settings import PLAIN, SEVERAL, SPEAKING, default_options
from quatrain.config.run_paths import paths, run_paths
from quatrain.config.search_checks import WORDS as SEARCH_WORDS
from quatrain.config.values import words_of
from quatrain.config.yaml_comments import first_sentence

PATHS = ("data.source", "tokenizer.source", "run.dir", "run.root", "hydra.sweep.dir")
"""Keys whose values may be files or folders."""

Candidate = tuple[str, str]


def override_words(earlier: list[str], word: str, folders: list[str]) -> list[Candidate]:
    """What the override ``word`` may become, as composed with the overrides of ``earlier``."""
    prefix = word[: len(word) - len(word.lstrip("+~"))]
    name, equals, value = word.removeprefix(prefix).partition("=")
    if equals:
        start = f"{prefix}{name}="
        return [(start + found, says) for found, says in _values(name, value, earlier, folders)]
    found = [(f"{group}=", says) for group, says in group_names(folders).items() if group.startswith(name)]
    keys = _keys(name, earlier, folders)
    return [(prefix + one, says) for one, says in [*found, *_next_parts(name, keys)]]


def key_names(earlier: list[str], word: str, folders: list[str]) -> list[Candidate]:
    """Keys and groups that begin with ``word``, as quatrain explain takes them."""
    groups_found = [(name, says) for name, says in group_names(folders).items() if name.startswith(word)]
    parts = _next_parts(word, _keys(word, earlier, folders))
    return [*groups_found, *((one.removesuffix("="), says) for one, says in parts)]


def group_names(folders: list[str]) -> dict[str, str]:
    """Every group with what it is for."""
    return groups(folders)


def _next_parts(begun: str, keys: dict[str, str]) -> Iterator[Candidate]:
    """The keys that begin with ``begun`` up to their next point: ``model.config.``, or ``optimizer.lr=`` at the end."""
    seen = set()
    for key, says in keys.items():
        if not key.startswith(begun):
            continue
        part, point, _ = key[len(begun) :].partition(".")
        whole = begun + part + (point or "=")
        if whole not in seen:
            seen.add(whole)
            yield whole, says if not point else f"keys of {begun}{part}"


def _keys(begun: str, earlier: list[str], folders: list[str]) -> dict[str, str]:
    """Every key below the first part of ``begun`` that holds no others, with what it does; all groups' for none."""
    top, point, _ = begun.partition(".")
    plain = {key: first_sentence(says) for key, says in plain_says().items() if "." in key or key in _values_alone()}
    if not point:
        names = [name for name in default_options() if name not in SPEAKING and name != "sweep"]
        return {**plain, **{f"{name}._target_": "" for name in names if name != "speed"}}
    config = _chosen(top, earlier, folders)
    held = dict(flat(config))
    found = {key: says for key, says in plain.items() if key.startswith(f"{top}.") and (key in PLAIN or key in held)}
    for key, value in held.items():
        if key.startswith(f"{top}.") and not (isinstance(value, dict) and value) and key not in found:
            described = describe(key, config)
            found[key] = first_sentence(described.says) if described else ""
    return found


def _values_alone() -> tuple[str, ...]:
    return ("name", "seed", "test")


def _chosen(top: str, earlier: list[str], folders: list[str]) -> dict[str, Any]:
    """What the chosen options put under the group ``top``, and the defaults of the classes that they name."""
    given = {word.lstrip("+").partition("=")[0]: word.partition("=")[2] for word in earlier if "=" in word}
    choices = {name: option for name, option in default_options().items() if option}
    experiment = given.get("experiment", choices["experiment"])
    for option in options("experiment", folders):
        if option.name == experiment:
            choices |= chosen_groups(option, folders)
    choices |= {name: value for name, value in given.items() if name in (*default_options(), *groups(folders))}
    held: dict[str, Any] = {}
    names = [name.strip() for name in str(choices.get(top, "")).strip("[]").split(",")]
    for option in options(top, folders):
        if option.name in names:
            held = merged(held, content(option, folders))
    part = {top: held.get(top)}
    fill_defaults(part)
    return part


def _values(name: str, value: str, earlier: list[str], folders: list[str]) -> Iterator[Candidate]:
    """What ``name=value`` may go on with; behind a comma another value of a sweep or of a list."""
    done, comma, begun = value.rpartition(",")
    done = done + comma
    if not done and name in SEVERAL and begun.startswith("["):
        done, begun = "[", begun[1:]
    known = options(name, folders)
    if known:
        taken = done.strip("[").split(",")
        yield from (
            (done + option.name, first_sentence(option.says))
            for option in known
            if option.name.startswith(begun) and option.name not in taken
        )
    elif name in PATHS:
        yield from ((path, says) for path, says in paths(value))
    elif name == "model.weights":
        yield from run_paths(value)
    else:
        yield from ((done + one, "") for one in _words(name, earlier, folders) if one.startswith(begun))


def _words(key: str, earlier: list[str], folders: list[str]) -> list[str]:
    """The values to choose from for ``key``, where there are some."""
    described = describe(key, _chosen(key.partition(".")[0], earlier, folders)) if "." in key else describe(key, {})
    if described is None:
        return []
    words = [str(word) for word in CHOICES.get(key) or SEARCH_WORDS.get(key.removeprefix("sweep."), ())]
    words = words or ([str(word) for word in words_of(described.argument)] if described.argument else [])
    words = [word for word in words if " " not in word]
    words += ["true", "false"] if "true or false" in described.allowed else []
    return words + (["null"] if "null" in described.allowed.split(";")[0].split() and words else [])
