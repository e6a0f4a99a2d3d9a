"""Class statements in sources that are not imported: re-exports are followed, packages found without running them."""

import ast
import functools
import importlib.util
from collections.abc import Iterator
from pathlib import Path


def base_names(definition: ast.ClassDef) -> Iterator[str]:
    """The base classes of ``definition`` that are written as plain names."""
    for base in definition.bases:
        name = ast.unparse(base).split("[")[0]
        if "." not in name:
            yield name


def class_definition(
    module: str, name: str, seen: frozenset[tuple[str, str]] = frozenset()
) -> tuple[str, ast.ClassDef] | None:
    """Find the class statement of ``module.name``, through ``from x import y`` and ``from x import *``."""
    path = source_file(module)
    tree = tree_of(path)
    if tree is None or path is None or (module, name) in seen:
        return None
    seen |= {(module, name)}
    stars = []
    for node in statements(tree.body):
        if isinstance(node, ast.ClassDef) and node.name == name:
            return module, node
        if isinstance(node, ast.ImportFrom):
            origin = imported_module(node, module, path)
            for alias in node.names:
                if alias.name == "*":
                    stars.append(origin)
                elif (alias.asname or alias.name) == name:
                    return class_definition(origin, alias.name, seen)
    return next((found for star in stars if (found := class_definition(star, name, seen))), None)


def statements(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """The statements of a module, those under ``if`` and ``try`` too."""
    for node in body:
        yield node
        if isinstance(node, ast.If | ast.Try):
            yield from statements([*node.body, *node.orelse])


def imported_module(node: ast.ImportFrom, module: str, path: Path) -> str:
    """The full name of the module that ``from ... import`` in ``module``, which lies in ``path``, takes from."""
    if not node.level:
        return node.module or ""
    package = module.split(".") if path.name == "__init__.py" else module.split(".")[:-1]
    package = package[: len(package) - (node.level - 1)]
    return ".".join([*package, *([node.module] if node.module else [])])


@functools.cache
def source_file(module: str) -> Path | None:
    """The file of an installed module; None where there is none."""
    top, *rest = module.split(".")
    if not all(part.isidentifier() for part in (top, *rest)):  # also keeps paths out
        return None
    try:
        spec = importlib.util.find_spec(top)  # a top-level name: nothing is executed
    except (ImportError, ValueError):
        return None
    if spec is None:
        return None
    if not rest and spec.origin:
        return Path(spec.origin)
    for base in spec.submodule_search_locations or []:
        path = Path(base, *rest)
        for candidate in (path / "__init__.py", path.with_name(path.name + ".py")):
            if candidate.is_file():
                return candidate
    return None


@functools.cache
def tree_of(path: Path | None) -> ast.Module | None:
    """The parsed file; None where it is no Python source."""
    if path is None or path.suffix != ".py":
        return None
    try:
        return ast.parse(path.read_text(encoding="utf-8"))
    except (OSError, SyntaxError, ValueError):
        return None
