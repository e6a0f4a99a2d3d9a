"""The reference of the config as Markdown, made of what files and classes say: every group, option and key.

python -m quatrain.config.reference > docs/reference.md
"""

import sys
from collections.abc import Iterator
from importlib.metadata import version
from typing import Any

from quatrain.config.describing import Described, describe, plain_says
from quatrain.config.folder import conf_folder
from quatrain.config.hydra_keys import DEFAULTS, SAYS
from quatrain.config.listing import MADE_OF, sets
from quatrain.config.markdown_tables import code, slug, table, text
from quatrain.config.nodes import fill_defaults, nodes, signature_of, takes
from quatrain.config.option_files import HYDRAS, Option, chosen_groups, content, groups, options
from quatrain.config.places import of_file
from quatrain.config.plain_settings import default_options
from quatrain.config.yaml_comments import comment, value_text

HEAD = """\
# The config, key by key

Made by `python -m quatrain.config.reference > docs/reference.md` from the files in conf/ and the sources of the classes
that they name; a test fails where it is no longer what they say. Of classes that are not ours it has their own words
(pytorch-lightning {lightning}, torch {torch}, transformers {transformers}). `quatrain explain KEY` tells
the same of one key, and what it is in your experiment and why; `quatrain list` the groups and options
([how](finding.md)).

An option of a group is chosen by `GROUP=OPTION`, a key set by `KEY=VALUE`. **Default** is what the class says of it;
what an option sets instead stands in the table of options, and what an experiment sets in that of the experiment. Every
node has besides `_target_`, the class that it is built of: one of yours takes its place with `--allow PACKAGE`.
"""
PACKAGES = {"lightning": "pytorch-lightning", "torch": "torch", "transformers": "transformers"}
KEYS = ("Key", "May be", "Default", "What it does")


def reference() -> str:
    """The whole page."""
    body = list(_body())
    contents = [_entry(line) for line in body if line.startswith(("## ", "### "))]
    packages = {name: version(package).partition("+")[0] for name, package in PACKAGES.items()}
    return "\n".join([HEAD.format(**packages), *contents, "", *body])


def _entry(heading: str) -> str:
    marks, _, title = heading.partition(" ")
    return f"{'  ' * (len(marks) - 2)}- [{title}](#{slug(title)})"


def _body() -> Iterator[str]:
    yield from ("## The run", "", "Keys that no group has an option for.", "")
    plain = [key for key in plain_says() if not key.startswith(("speed.", "sweep."))]
    yield from table(KEYS, [_plain_row(key) for key in plain if not _holds_others(key)])
    for name, says in groups([]).items():
        yield from ("", f"## {name}", "", f"{text(says)[:1].upper()}{text(says)[1:]}.", "")
        if name == "experiment":
            yield from _experiments()
            continue
        yield from _options(name)
        yield from _plain_keys(name)
        if name == "hydra/launcher":
            yield from _launchers()
        yield from _classes(name) if name not in HYDRAS else ()
    yield from ("", "## Hydra's own", "", text(SAYS["hydra"]), "")
    rows = [(code(key), "", code(DEFAULTS[key]), text(SAYS[key])) for key in DEFAULTS]
    yield from table(KEYS, rows)
    yield ""


def _experiments() -> Iterator[str]:
    found = options("experiment", [])
    made = [{**default_options(), **chosen_groups(option, [])} for option in found]
    rows = [
        (code(one.name), text(one.says), *(code(parts[name]) for name in MADE_OF))
        for one, parts in zip(found, made, strict=True)
    ]
    yield from table(("Option", "What", *MADE_OF), rows)
    for option in found:
        yield from ("", f"### experiment={option.name}", "", text(option.says), "")
        yield from table(("Key", "Value", "Why"), _reasons(option))


def _reasons(option: Option) -> Iterator[tuple[str, str, str]]:
    assert option.file is not None
    stated = sets(option, [])
    for key, place in of_file(option.file):
        if key in stated:
            yield code(key), code(value_text(place.file, place.line)), text(comment(place.file, place.line))


def _options(group: str) -> Iterator[str]:
    default = default_options().get(group)
    rows = []
    for option in options(group, []):
        stated = (
            " ".join(code(f"{key}={value}") for key, value in sets(option, []).items()) if group not in HYDRAS else ""
        )
        rows.append((code(option.name) + (" (default)" if option.name == default else ""), text(option.says), stated))
    yield from table(("Option", "What", "Sets"), rows)


def _plain_keys(group: str) -> Iterator[str]:
    keys = [key for key in plain_says() if key.startswith(f"{group}.")]
    if keys:
        yield from ("", f"### {group}, its keys", "")
        yield from table(KEYS, [_plain_row(key) for key in keys])


def _plain_row(key: str) -> tuple[str, str, str, str]:
    described = describe(key, {})
    assert described is not None
    return code(key), text(described.allowed), code(_stated_default(key)), text(described.says)


def _stated_default(key: str) -> str:
    """The value that the shipped files state for a key that no class takes."""
    for name, package in (("config.yaml", ""), ("speed/auto.yaml", "speed"), ("sweep/optuna.yaml", "")):
        file = conf_folder() / name
        for found, place in of_file(file, package):
            if found == key:
                return value_text(file, place.line)
    return ""


def _holds_others(key: str) -> bool:
    return any(other.startswith(f"{key}.") for other in plain_says())


def _launchers() -> Iterator[str]:
    for option in options("hydra/launcher", []):
        if option.file is None:
            continue
        yield from ("", f"### hydra/launcher={option.name}", "")
        rows = [
            (code(key), code(value_text(place.file, place.line)), text(comment(place.file, place.line)))
            for key, place in of_file(option.file, "hydra.launcher")
            if place.text is not None and not key.endswith("._target_")
        ]
        yield from table(("Key", "Default", "What it does"), rows)


def _classes(group: str) -> Iterator[str]:
    """A table for each class that an option of ``group`` names, the keys in the order of its signature."""
    told: dict[tuple[str, str], list[str]] = {}
    filled: dict[tuple[str, str], tuple[dict[str, Any], dict[str, Any]]] = {}
    for option in options(group, []):
        held = content(option, [])
        held.pop("hydra", None)
        fill_defaults(held)
        for place, node, _ in nodes({group: held.get(group)}):
            which = (place, str(node.get("_target_") or node["model_type"]))
            told.setdefault(which, []).append(option.name)
            filled.setdefault(which, (held, node))
    for (place, target), names in told.items():
        held, node = filled[place, target]
        found = signature_of(node)
        kind = target.rpartition(".")[2] if "_target_" in node else f"transformers' {target}"
        yield from ("", f"### {place}: {kind}", "")
        yield f"{code(target)}, of {', '.join(code(f'{group}={name}') for name in names)}."
        yield ""
        described = [describe(f"{place}.{name}", held) for name in (takes(place, node, found) if found else node)]
        yield from table(KEYS, [_row(one) for one in described if one is not None])


def _row(described: Described) -> tuple[str, str, str, str]:
    default = described.default or ""
    given = text(default) if default.startswith(("none:", "what ", "null,")) else code(default)
    return code(described.key), text(described.allowed), given, text(described.says)


if __name__ == "__main__":
    sys.stdout.write(reference())
