"""quatrain init: start a project of your own that extends this one.

    quatrain init places
    quatrain init work/places --name place_names

DIR must be new or empty. It gets a conf/ that extends the shipped one, a package with a data module and a model of its
own, a small text to train on, tests, and a README with the commands. All of it runs as it is:

    cd places
    quatrain train experiment=mine --allow places

DIR appears whole or not at all. What each file is for: docs/own_data.md and docs/own_model.md.
"""

import importlib.util
import keyword
import re
import shlex
import shutil
import sys
from pathlib import Path

from quatrain.commands.arguments import arguments_of, read_arguments
from quatrain.core.atomic_files import cannot_write, temporary_sibling
from quatrain.core.errors import UserError
from quatrain.core.terminal import one_line

TEMPLATE = Path(__file__).parent / "project"
PACKAGE = "my_project"
"""What the package of the template is called; with a hyphen it is the project."""

HIDDEN = {"gitignore": ".gitignore"}
"""Files of the template that would mean something here under their own name."""

FOLDERS = ("conf", "data", "outputs", "src", "test", "tests")
"""Names of folders in a project, so not of its package."""

NEXT = """\
{place} holds a project of your own, with the package {name}. Next:

  cd {place}
  quatrain train experiment=mine --allow {name}
  quatrain generate RUN "" --samples 10 --allow {name}     RUN: the folder that train named
  python -m pytest                                   {pad}after pip install pytest

--allow {name} lets a config name classes of your package; export QUATRAIN_ALLOW={name} says it once for a whole shell.
README.md tells what to change, and where.
"""


def main(arguments: list[str]) -> int:
    """Run ``quatrain init``; return its exit code."""
    parser = arguments_of("init", __doc__)
    parser.add_argument("folder", metavar="DIR", help="a new or empty folder")
    parser.add_argument("--name", metavar="PACKAGE", help="what the package is called; DIR's own name if not given")
    asked = read_arguments(parser, arguments)
    if asked is None:
        return 0
    place = Path(asked.folder).expanduser().absolute()
    name = asked.name if asked.name is not None else re.sub(r"[-. ]+", "_", place.name.lower())
    if wrong := [*wrong_place(place, asked.folder), *wrong_name(name, given=asked.name is not None)]:
        raise UserError(wrong)
    create(place, name)
    print(NEXT.format(place=one_line(shlex.quote(asked.folder)), name=name, pad=" " * len(name)), end="")
    return 0


def wrong_place(place: Path, given: str) -> list[str]:
    """Return a sentence where ``place`` is not a new or empty folder; ``given``: as the user wrote it."""
    try:
        if not place.exists() and not place.is_symlink():
            return []
        if not place.is_dir():
            return [f"{given} is a file; name a new or empty folder."]
        held = sorted(path.name for path in place.iterdir())
    except OSError as error:
        return [f"{given} cannot be looked into ({error.strerror}); name a new or empty folder."]
    if not held:
        return []
    shown = ", ".join(held[:3]) + (f" and {len(held) - 3} more" if len(held) > 3 else "")
    return [f"{given} holds {shown}, and nothing of it may be overwritten; name a new or empty folder."]


def wrong_name(name: str, *, given: bool) -> list[str]:
    """Return a sentence where no package of the user's can be called ``name``."""
    key = f"--name={name}" if given else f"DIR, whose name makes the package {name!r},"
    fix = "give --name PACKAGE, such as --name my_project"
    if not re.fullmatch(r"[a-z][a-z0-9]*(_[a-z0-9]+)*", name):
        return [f"{key} names no package: that is of lower-case letters, digits and single _ between them; {fix}."]
    if keyword.iskeyword(name) or name in sys.stdlib_module_names:
        return [f"{key} is a word of Python's own, so it could not be imported; {fix}."]
    if name in FOLDERS:
        return [f"{key} is what another folder of the project is called; {fix}."]
    found = importlib.util.find_spec(name)
    if found is not None and found.origin is not None:
        return [f"{key} is a package that is installed here already ({found.origin}); {fix}."]
    return []


def create(place: Path, name: str) -> None:
    """Write the template to ``place``, a new or empty folder, its package called ``name``; whole or not at all.

    Raises:
        NotNow: it cannot be written there.
    """
    is_new = not place.exists()
    temporary = temporary_sibling(place) if is_new else temporary_sibling(place / "project")
    made = [parent for parent in place.parents if not parent.exists()]
    moved: list[Path] = []
    try:
        temporary.mkdir(parents=True)
        _write(temporary, name)
        if is_new:
            temporary.replace(place)
            return
        for part in sorted(temporary.iterdir()):  # the folder itself stays: a shell may stand in it
            moved.append(part.replace(place / part.name))
    except OSError as error:
        for path in moved:
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        shutil.rmtree(temporary, ignore_errors=True)
        for parent in made:
            if parent.is_dir() and not any(parent.iterdir()):
                parent.rmdir()
        raise cannot_write(place, error) from error
    temporary.rmdir()


def _write(folder: Path, name: str) -> None:
    for file in sorted(TEMPLATE.rglob("*")):
        place = file.relative_to(TEMPLATE)
        if not file.is_file() or "__pycache__" in place.parts:
            continue
        *parents, last = (_named(part, name) for part in place.parts)
        target = folder.joinpath(*parents, HIDDEN.get(last, last))
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(_named(file.read_text(encoding="utf-8"), name), encoding="utf-8")


def _named(text: str, name: str) -> str:
    return text.replace(PACKAGE, name).replace(PACKAGE.replace("_", "-"), name.replace("_", "-"))
