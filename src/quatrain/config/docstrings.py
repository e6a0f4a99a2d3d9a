"""What a class says of itself and of its arguments, read from its source without importing it.

Our own classes, Lightning's and PyTorch's have Google's ``Args:``; transformers' configurations have a table of words
that they share, and say themselves what is theirs alone.
"""

import ast
import functools
import inspect
import re
from collections.abc import Iterator

from quatrain.core.class_sources import base_names, class_definition, imported_module, source_file, tree_of
from quatrain.core.signatures import model_config_target

CONFIG_WORDS = "transformers.utils.auto_docstring"

_AS_YAML = {"None": "null", "True": "true", "False": "false"}
_HEADER = re.compile(r"^(\s*)(Args|Arguments|Parameters):\s*$", re.M)
_ENTRY = re.compile(r"(\w+(?:, \w+)*)(?: ?\((.*?)\))?:(?:\s+(.*))?$")
_NO_CONTENT = re.compile(
    r"\s*(?:\(default: [^()]*(?:\([^()]*\))?\)(?=$|\.)|Default: (?:`[^`]*`|\w+)\.?$"
    r"|By default it will be set to `[^`]*`\.$)"
)


@functools.cache
def summary(target: str) -> str:
    """The first paragraph of the docstring of the class that ``target`` names, as one line; empty where it has none."""
    module, _, name = target.rpartition(".")
    found = class_definition(module, name)
    return "" if found is None else _plain(inspect.cleandoc(_own_text(*found)).split("\n\n")[0])


@functools.cache
def descriptions(target: str) -> dict[str, str]:
    """What the class that ``target`` names says of each argument; what its bases say where it says nothing."""
    module, _, name = target.rpartition(".")
    return _descriptions(module, name, depth=0)


@functools.cache
def config_words(model_type: str) -> dict[str, str]:
    """What transformers says of each word of the configuration for ``model_type``."""
    module, _, name = (model_config_target(model_type) or "").rpartition(".")
    found = class_definition(module, name) if name else None
    if found is None:
        return {}
    module, definition = found
    shared, aliases = _shared_words(), _aliases(definition)
    words = {alias: shared[name] for name, alias in aliases.items() if name in shared}
    own = dict(_entries(inspect.cleandoc(_own_text(module, definition))))
    return {**shared, **words, **own}


def _descriptions(module: str, name: str, depth: int) -> dict[str, str]:
    found = class_definition(module, name)
    if found is None or depth > 6:
        return {}
    module, definition = found
    told: dict[str, str] = {}
    for base in reversed(list(base_names(definition))):
        told |= _descriptions(module, base, depth + 1)
    for text in (_own_text(module, definition), _init_text(definition)):
        told |= dict(_section(inspect.cleandoc(text)))
    return told


def _own_text(module: str, definition: ast.ClassDef) -> str:
    """The docstring of a class, also one that is assigned to ``__doc__`` after it."""
    if text := ast.get_docstring(definition, clean=False):
        return text
    tree = tree_of(source_file(module))
    for node in tree.body if tree else []:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == f"{definition.name}.__doc__":
            return _written(node.value, module)
    return ""


def _init_text(definition: ast.ClassDef) -> str:
    for node in definition.body:
        if isinstance(node, ast.FunctionDef) and node.name == "__init__":
            return ast.get_docstring(node, clean=False) or ""
    return ""


def _written(node: ast.expr, module: str) -> str:
    """The text that an expression of strings, f-strings and names of strings makes."""
    if isinstance(node, ast.Constant):
        return str(node.value)
    if isinstance(node, ast.BinOp):
        return _written(node.left, module) + _written(node.right, module)
    if isinstance(node, ast.JoinedStr):
        return "".join(_written(part, module) for part in node.values)
    if isinstance(node, ast.FormattedValue):
        return _written(node.value, module)
    return _constant(node.id, module) if isinstance(node, ast.Name) else ""


def _constant(name: str, module: str) -> str:
    """The string that ``name`` is in ``module``, or where that imports it from."""
    path = source_file(module)
    tree = tree_of(path)
    for node in tree.body if tree else []:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == name:
            return _written(node.value, module)
        if isinstance(node, ast.ImportFrom) and path and any(alias.name == name for alias in node.names):
            return _constant(name, imported_module(node, module, path))
    return ""


def _section(text: str) -> Iterator[tuple[str, str]]:
    """The entries under ``Args:``."""
    for header in _HEADER.finditer(text):
        lines = text[header.end() :].strip("\n").splitlines()
        within = []
        for line in lines:
            if line.strip() and len(line) - len(line.lstrip()) <= len(header[1]):
                break
            within.append(line)
        yield from _entries("\n".join(within))


def _entries(text: str) -> Iterator[tuple[str, str]]:
    """``name (type): text`` and what is indented below it, as (name, first paragraph)."""
    lines = text.splitlines()
    indents = [len(line) - len(line.lstrip()) for line in lines if line.strip()]
    least = min(indents, default=0)
    names: list[str] = []
    said: list[str] = []
    for line in [*lines, " " * least + "end:"]:
        started = _ENTRY.match(line[least:]) if line[:least].strip() == "" and line[least : least + 1].strip() else None
        if started:
            for name in names:
                yield name, _plain("\n".join(said).strip().split("\n\n")[0])
            names, said = started[1].split(", "), [started[3] or ""]
        elif names:
            said.append(line.strip())


def _plain(text: str) -> str:
    """One line without the marks of Sphinx, and without the default, which is told beside it."""
    text = " ".join(text.split())
    text = re.sub(r":\w+:`~?(?:[^`<]*\.)?([^`.<]+)(?: ?<[^`]*>)?`", r"`\1`", text).replace("``", "`")
    text = re.sub(r"\[(`[^`]+`)\](?:\([^)]*\))?", r"\1", text)
    text = re.sub(r"`([^`<]+?)(?: <[^`]*>)?`_", r"\1", text)
    text = re.sub(r"\b(None|True|False)\b", lambda word: _AS_YAML[word[1]], text)
    while (shorter := _NO_CONTENT.sub("", text)) != text:
        text = shorter
    return text.strip()


def _aliases(definition: ast.ClassDef) -> dict[str, str]:
    """Shared words and the name that one configuration has for each."""
    for node in definition.body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "attribute_map":
            return dict(ast.literal_eval(node.value))
    return {}


@functools.cache
def _shared_words() -> dict[str, str]:
    words: dict[str, str] = {}
    found = class_definition(CONFIG_WORDS, "ConfigArgs")
    for node in found[1].body if found else []:
        if not isinstance(node, ast.Assign):
            continue
        name = ast.unparse(node.targets[0])
        if isinstance(node.value, ast.Name) and node.value.id in words:
            words[name] = words[node.value.id]
        for key, value in (
            zip(node.value.keys, node.value.values, strict=True) if isinstance(node.value, ast.Dict) else ()
        ):
            if key and ast.literal_eval(key) == "description" and isinstance(value, ast.Constant):
                words[name] = _plain(str(value.value))
    return words
