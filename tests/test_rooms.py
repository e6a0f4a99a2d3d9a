"""The rooms import one way only, Hydra stays in config/, and what a check passes by imports nothing heavy."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import quatrain
from quatrain.__main__ import COMMANDS

PACKAGE = Path(quatrain.__file__).parent
# From left to right; what stands together may import one another.
ORDER = (
    {"commands", "worker", "__main__"},
    {"config"},
    {"sweeps"},
    {"report"},
    {"compare"},
    {"inference"},
    {"runs"},
    {"training"},
    {"tracking"},
    {"tasks"},
    {"models"},
    {"data"},
    {"tokenizers"},
    {"corpora"},
    {"core"},
)
PLACE = {room: place for place, rooms in enumerate(ORDER) for room in rooms}


def _imports(path: Path) -> Iterator[str]:
    """Every module that a file imports, inside functions too."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path}: imports are absolute"
            yield str(node.module)


def _files() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


def _room(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def test_every_file_lies_in_a_room() -> None:
    assert {_room(path) for path in _files()} == set(PLACE) | {"__init__"}


@pytest.mark.parametrize("path", _files(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_room_imports_only_rooms_to_its_right(path: Path) -> None:
    room = _room(path)
    if room == "__init__":
        return  # the public face, which imports when it is asked
    for module in _imports(path):
        parts = module.split(".")
        if parts[0] in ("hydra", "omegaconf"):
            assert room == "config", f"{path} imports {module}"
        if parts[0] == "quatrain" and len(parts) > 1:
            other = parts[1]
            assert PLACE[room] <= PLACE[other], f"{path} imports {module}, to its left"
            assert not (room == "worker" and other == "config"), "the worker knows no config room"


def test_the_walk_would_notice_a_wrong_import(tmp_path: Path) -> None:
    file = tmp_path / "wrong.py"
    file.write_text("def f():\n    from quatrain.config.compose import compose\n", encoding="utf-8")
    assert list(_imports(file)) == ["quatrain.config.compose"]
    assert PLACE["core"] > PLACE["config"]


@pytest.mark.parametrize(
    "command", [["--help"], ["train", "--cfg", "job"], *([name, "--help"] for name in COMMANDS)], ids=" ".join
)
def test_what_only_shows_something_imports_nothing_heavy(command: list[str]) -> None:
    code = (
        "import sys; from quatrain.__main__ import main; main(sys.argv[1:]);"
        "heavy = {'torch', 'transformers', 'pytorch_lightning', 'datasets', 'pandas'} & set(sys.modules);"
        "sys.exit(f'imported {heavy}' if heavy else 0)"
    )
    subprocess.run([sys.executable, "-c", code, *command], check=True, capture_output=True)
