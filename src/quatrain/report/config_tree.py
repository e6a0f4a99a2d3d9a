"""The config of a run as a tree that unfolds, with what is no default marked."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from markupsafe import Markup

from quatrain.report.defaults import named_keys, other_than_default
from quatrain.report.rendering import render, table
from quatrain.report.run_files import RunFiles

LONGEST = 2000
"""Characters of a value that are shown."""

DEEPEST = 30
"""Folds within folds; a config has some four."""


class Leaf(NamedTuple):
    """A value. ``default`` is the class's own where it differs, else None; ``named``: on the command line."""

    name: str
    key: str
    value: str
    default: str | None
    named: bool

    @property
    def marked(self) -> bool:
        """Whether somebody or some file chose it."""
        return self.named or self.default is not None


class Branch(NamedTuple):
    """A mapping; ``marked`` counts the marked values below it. ``named``: its group was, on the command line."""

    name: str
    target: str
    named: bool
    marked: int
    children: "list[Branch | Leaf]"


def config_tree(files: RunFiles) -> Markup:
    """The tree, and below it the overrides as they were given; nothing where there is no config."""
    if not files.config:
        return Markup()
    named = named_keys(files.overrides)
    differing = other_than_default(files.config)
    tree = _branch("", "", files.config, differing, named)
    rows = [
        [leaf.key, leaf.value, "" if leaf.default is None else leaf.default, "yes" if leaf.named else ""]
        for leaf in _leaves(tree)
        if leaf.marked
    ]
    marked = table(["key", "value", "the class's default", "on the command line"], rows) if rows else Markup()
    return render("config.html", tree=tree, overrides=files.overrides, marked=marked)


def _branch(name: str, key: str, node: dict[str, Any], differing: dict[str, Any], named: set[str]) -> Branch:
    children: list[Branch | Leaf] = []
    for inner, value in node.items():
        whole = f"{key}.{inner}" if key else str(inner)
        if isinstance(value, dict) and value and whole.count(".") < DEEPEST:
            children.append(_branch(str(inner), whole, value, differing, named))
        elif inner != "_target_":
            default = _written(differing[whole]) if whole in differing else None
            children.append(Leaf(str(inner), whole, _written(value), default, whole in named))
    marked = sum(child.marked for child in children)
    return Branch(name, str(node.get("_target_", "")), key in named, marked, children)


def _leaves(branch: Branch) -> Iterator[Leaf]:
    for child in branch.children:
        if isinstance(child, Branch):
            yield from _leaves(child)
        else:
            yield child


def _written(value: Any) -> str:
    """A value as YAML would have it on one line."""
    if isinstance(value, list | tuple):
        text = f"[{', '.join(_written(item) for item in value)}]"
    elif value is None or isinstance(value, bool):
        text = {None: "null", True: "true", False: "false"}[value]
    else:
        text = str(value) if value != "" else '""'
    return text if len(text) <= LONGEST else text[:LONGEST] + "…"
