"""The run directories below a folder."""

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

CONFIG, RESULT = "config.yaml", "result.json"

CLAIMS = ".claims"
"""The folder of a sweep that says who works on which job; by it a folder is known as a sweep's."""

SET_ASIDE = re.compile(r"\.attempt\d+$")
"""How the folder of an attempt that failed and was set aside ends."""


class RunFolder(NamedTuple):
    """A folder that holds a config or a result; ``sweep`` is the sweep's folder that it lies in, if it does."""

    path: Path
    has_config: bool
    has_result: bool
    sweep: Path | None


def run_folders(top: Path, closed: list[str]) -> Iterator[RunFolder]:
    """Yield ``top``, or the run directories below it in the order of their names; none lies within another.

    Attempts that were set aside and hidden folders are passed by; links to folders are not followed. ``closed`` gets a
    sentence for each folder that cannot be looked into.
    """

    def note(error: OSError) -> None:
        closed.append(f"{error.filename} cannot be looked into ({error.strerror}); its runs are left out.")

    sweeps: set[str] = {str(top.parent)} if (top.parent / CLAIMS).is_dir() else set()
    for folder, below, files in os.walk(top, onerror=note):
        if CLAIMS in below:
            sweeps.add(folder)
        if RESULT in files or CONFIG in files:
            path = Path(folder)
            yield RunFolder(path, CONFIG in files, RESULT in files, path.parent if str(path.parent) in sweeps else None)
            below.clear()
        below[:] = sorted(name for name in below if not (name.startswith(".") or SET_ASIDE.search(name)))
