"""What a class takes, read from its source without importing it.

Importing torch, Lightning and transformers takes seconds, reading their sources milliseconds; so unknown keys and wrong
types are told at once. Re-exports and base classes are followed; a class without a Python source has no signature.
"""

import ast
import functools
from dataclasses import dataclass
from typing import Any

from quatrain.core.class_sources import base_names, class_definition, source_file, statements, tree_of

MODEL_CONFIGS = "transformers.models.auto.auto_mappings"
NO_DEFAULT = object()
"""The default of an argument that must be given, or whose default is no literal."""


@dataclass(frozen=True)
class Argument:
    """One argument of a constructor."""

    name: str
    annotation: ast.expr | None
    default: Any
    required: bool

    @property
    def written(self) -> str:
        """The annotation as its source has it."""
        return "anything" if self.annotation is None else ast.unparse(self.annotation)


@dataclass(frozen=True)
class Signature:
    """The arguments of one class; ``open`` where it takes further ones by ``**``."""

    arguments: dict[str, Argument]
    open: bool = False


@functools.cache
def signature(target: str) -> Signature | None:
    """Return what the class named ``target`` (package.module.Class) takes, or None where no source tells."""
    module, _, name = target.rpartition(".")
    return _signature(module, name, depth=0)


@functools.cache
def model_config_signature(model_type: str) -> Signature | None:
    """Return the fields of transformers' configuration class for ``model_type``, or None for an unknown type."""
    target = model_config_target(model_type)
    return None if target is None else signature(target)


def model_config_target(model_type: str) -> str | None:
    """The full name of transformers' configuration class for ``model_type``, or None for an unknown type."""
    name = model_types().get(model_type)
    return name and f"transformers.models.{model_type.replace('-', '_')}.{_config_module(model_type)}.{name}"


@functools.cache
def model_types() -> dict[str, str]:
    """Every ``model_type`` that transformers knows, with the name of its configuration class."""
    tree = tree_of(source_file(MODEL_CONFIGS))
    for node in tree.body if tree else []:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "CONFIG_MAPPING_NAMES":
            pairs = (
                ast.literal_eval(node.value.args[0])
                if isinstance(node.value, ast.Call)
                else ast.literal_eval(node.value)
            )
            return dict(pairs)
    return {}


def real_name(target: str) -> str | None:
    """The full name of the class where it is defined, re-exports followed; None where no installed source has it."""
    module, _, name = target.rpartition(".")
    found = class_definition(module, name)
    return None if found is None else f"{found[0]}.{found[1].name}"


def classes_beside(target: str) -> list[str]:
    """The full names of the classes in the module that ``target`` names, for a hint at a misspelled one."""
    module = target.rpartition(".")[0]
    tree = tree_of(source_file(module))
    names = []
    for node in statements(tree.body if tree else []):
        if isinstance(node, ast.ClassDef):
            names.append(f"{module}.{node.name}")
        if isinstance(node, ast.ImportFrom):
            names += [f"{module}.{alias.asname or alias.name}" for alias in node.names]
    return names


def _config_module(model_type: str) -> str:
    return f"configuration_{model_type.replace('-', '_')}"


def _signature(module: str, name: str, depth: int) -> Signature | None:
    found = class_definition(module, name)
    if found is None or depth > 6:
        return None
    module, definition = found
    bases = [_signature(module, base, depth + 1) for base in base_names(definition)]
    for node in definition.body:
        if isinstance(node, ast.FunctionDef) and node.name == "__init__":
            return _from_init(node.args, bases)
    fields = {
        node.target.id: _field(node)
        for node in definition.body
        if isinstance(node, ast.AnnAssign)
        and isinstance(node.target, ast.Name)
        and "ClassVar" not in ast.unparse(node.annotation)
    }
    known = [base for base in bases if base is not None]
    if not fields:
        return known[0] if known else (Signature({}) if not definition.bases else None)
    return Signature(fields, open=bool(definition.bases))


def _from_init(arguments: ast.arguments, bases: list[Signature | None]) -> Signature:
    positional = [*arguments.posonlyargs, *arguments.args][1:]
    defaults: list[ast.expr | None] = [None] * (len(positional) - len(arguments.defaults)) + list(arguments.defaults)
    pairs = [*zip(positional, defaults, strict=True), *zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)]
    own = {arg.arg: _argument(arg.arg, arg.annotation, default) for arg, default in pairs}
    if arguments.kwarg is None:
        return Signature(own)
    inherited = next((base for base in bases if base is not None), None)
    if inherited is None:
        return Signature(own, open=True)
    return Signature({**inherited.arguments, **own}, open=inherited.open)


def _field(node: ast.AnnAssign) -> Argument:
    assert isinstance(node.target, ast.Name)
    return _argument(node.target.id, node.annotation, node.value)


def _argument(name: str, annotation: ast.expr | None, default: ast.expr | None) -> Argument:
    value = NO_DEFAULT
    if default is not None:
        try:
            value = ast.literal_eval(default)
        except ValueError:
            value = NO_DEFAULT
    return Argument(name, annotation, value, required=default is None)
