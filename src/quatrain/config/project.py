"""A project of the user's own: what the ``pyproject.toml`` of the launch folder says under ``[tool.quatrain]``.

It may name a folder of config files within the project, and nothing else: which code may run is for who starts a
command to say, not for a file that may have come with the folder.
"""

import tomllib
from pathlib import Path
from typing import Any

from quatrain.core.brought_files import read_bounded
from quatrain.core.errors import UserError

FILE = "pyproject.toml"
LARGEST = 1_000_000
TABLE = "tool.quatrain"


def project_conf(folder: Path) -> Path | None:
    """The config folder that the project in ``folder`` names; None where it is no project of ours.

    Raises:
        UserError: the table says something else, or names no folder that lies in the project.
    """
    file = folder / FILE
    if not file.is_file() or (table := _table(file)) is None:
        return None
    wrong = [_refused(name) for name in table if name != "config_dir"]
    named = table.get("config_dir")
    if named is None:
        wrong += [] if wrong else [f'{FILE}: [{TABLE}] says nothing; write config_dir = "conf", or take it away.']
    elif not isinstance(named, str) or not _within(folder, named):
        wrong.append(f"{FILE}: [{TABLE}] config_dir={named!r} is no folder within {folder}; name one, such as conf.")
    if wrong:
        raise UserError(wrong)
    return (folder / str(named)).resolve()


def _table(file: Path) -> dict[str, Any] | None:
    """The table; None where there is none, also where the file is broken and so of no concern to us."""
    content = read_bounded(file, LARGEST, FILE)
    try:
        whole = tomllib.loads(content.decode("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        if f"[{TABLE}]".encode() in content:
            raise UserError(f"{FILE} cannot be read ({error}); mend that, for it has a [{TABLE}].") from error
        return None
    tool = whole.get("tool")
    table = tool.get("quatrain") if isinstance(tool, dict) else None
    return table if isinstance(table, dict) else None


def _within(folder: Path, named: str) -> bool:
    try:
        place = (folder / named).resolve()
        return place.is_dir() and place.is_relative_to(folder.resolve())
    except (OSError, ValueError, RuntimeError):
        return False


def _refused(name: str) -> str:
    if name == "allow":
        return (
            f"{FILE}: [{TABLE}] allow is not read, for a file that comes with a folder may not say what code runs;"
            " give --allow PACKAGE to the command, or set QUATRAIN_ALLOW."
        )
    return f"{FILE}: [{TABLE}] has no setting {name}; there is config_dir."
