"""The undisturbed run, a small disk, and a summary in plain words."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from quatrain.runs.directory import RunDirectory

from .driver import end_of, freeze, quatrain


@pytest.fixture(scope="session", autouse=True)
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """One cache of prepared data for all runs of the session."""
    before = os.environ.get("QUATRAIN_CACHE")
    os.environ["QUATRAIN_CACHE"] = str(tmp_path_factory.mktemp("cache"))
    yield
    if before is not None:
        os.environ["QUATRAIN_CACHE"] = before


@pytest.fixture(scope="session")
def whole(tmp_path_factory: pytest.TempPathFactory, prepared: None) -> RunDirectory:
    """A run that nothing happened to."""
    run = freeze(tmp_path_factory.mktemp("undisturbed") / "run")
    assert end_of(quatrain("resume", str(run.path)))[0] == 0
    return run


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 24 MB of its own."""
    place = tmp_path / "disk"
    place.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=24m", "quatrain-faults", str(place)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip(f"nothing may be mounted here ({mounted.stderr.decode().strip()}); it needs root")
    yield place
    subprocess.run(["umount", "--lazy", str(place)], check=True)


def pytest_terminal_summary(terminalreporter: Any) -> None:
    def of(kind: str) -> list[str]:
        reports = [one for one in terminalreporter.stats.get(kind, []) if "/fault_" in one.nodeid]
        return [report.nodeid.rpartition("::")[2].removeprefix("test_").replace("_", " ") for report in reports]

    failed = [*of("failed"), *of("error")]
    told = [("passed", of("passed")), ("FAILED", failed), ("could not run", of("skipped"))]
    if not any(names for _, names in told):  # these are not run here
        return
    lines = [f"{len(names)} {what}" + (f": {'; '.join(names)}" if names else "") for what, names in told]
    terminalreporter.write_line("faults: " + " | ".join(lines))
