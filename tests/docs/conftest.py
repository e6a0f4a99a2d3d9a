"""A workshop with what the pages name: small finished runs, files of rows and texts, and stand-ins for the hub's."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from .made_up import write_files
from .small import WHOLE
from .warm import Warm

RUNS = """\
quatrain train run.dir=outputs/sonnets
quatrain train experiment=quick_mrpc run.dir=paraphrases
quatrain train experiment=quick_windows run.dir=outputs/windows
quatrain train -m experiment=quick_windows seed=1,2 optimizer.lr=1e-3,3e-3 sweep.name=NAME
quatrain init places
"""

Shell = Callable[[str, Path], subprocess.CompletedProcess[str]]


@pytest.fixture(scope="session")
def shell(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shell]:
    """Run a command in bash, in a folder, with quatrain's own commands from a warm process."""
    short = Path(tempfile.mkdtemp(prefix="qd"))  # the path of a socket may have 100 characters
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("WANDB", "QUATRAIN"))}
    environment |= {
        "QUATRAIN_CACHE": str(tmp_path_factory.getbasetemp() / "docs-cache"),
        WHOLE: str(tmp_path_factory.mktemp("stand_ins") / "data"),
        "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
        "WANDB_MODE": "offline",
        "COLUMNS": "120",
        "BROWSER": "true",
    }
    warm = Warm(short / "warm", environment)
    environment["PATH"] = os.pathsep.join([str(warm.programs), str(Path(sys.executable).parent), environment["PATH"]])

    def run(command: str, folder: Path) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["bash", "-euo", "pipefail", "-c", command],
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=240,
        )

    write_files(Path(environment[WHOLE]).parent)
    yield run
    warm.close()
    shutil.rmtree(short)


@pytest.fixture(scope="session")
def workshop(shell: Shell, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the runs that the pages ask, trained for two steps each, and all made-up files."""
    folder = tmp_path_factory.mktemp("workshop")
    write_files(folder)
    for command in RUNS.splitlines():
        ended = shell(command, folder)
        assert ended.returncode == 0, ended.stderr
    stopped = Path(shutil.copytree(folder / "outputs" / "sonnets", folder / "stopped"))
    status = json.loads((stopped / "status.json").read_text(encoding="utf-8")) | {"status": "interrupted"}
    (stopped / "status.json").write_text(json.dumps(status), encoding="utf-8")
    return folder


@pytest.fixture
def scratch(workshop: Path, tmp_path: Path) -> Path:
    """A copy of the workshop for one page."""
    return Path(shutil.copytree(workshop, tmp_path / "page", symlinks=True))
