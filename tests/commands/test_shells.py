"""Tab completion in real shells: bash and zsh on a terminal of their own, and fish, read the script and complete."""

import os
import pty
import select
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from quatrain.runs.directory import RunDirectory

PATIENCE = 30.0
SETUPS = {
    "bash": "PS1=; bind 'set enable-bracketed-paste off'; eval \"$(quatrain -sc install=bash)\";"
    ' bind -x \'"\\C-x": printf "%s\\n" "$READLINE_LINE" > line\'',
    "zsh": 'PS1=; eval "$(quatrain -sc install=zsh)"; dump() { print -r -- "$BUFFER" > line }; zle -N dump;'
    " bindkey -e; bindkey '^X' dump; bindkey '^U' kill-whole-line",
}
STARTS = {"bash": ["bash", "--norc", "--noprofile", "-i"], "zsh": ["zsh", "-f", "-i"]}
RUN = "outputs/quick_sonnets/20260101-120000-optimizer.lr=0.01-abc"


class Terminal:
    """An interactive shell that has read the completion; `line_after` types and returns what the line then is."""

    def __init__(self, command: list[str], environment: dict[str, str], folder: Path, setup: str) -> None:
        self._dump = folder / "line"
        self._pid, self._terminal = pty.fork()
        if self._pid == 0:
            os.chdir(folder)
            os.execvpe(command[0], command, environment)
        self._send(f"{setup}\nprintf 'rea%s\\n' dy\n")
        self._wait_for("ready")

    def line_after(self, typed: str) -> str:
        """Type ``typed``, in which a tabulator asks for completion, and return the line; it is not run."""
        self._dump.unlink(missing_ok=True)
        for part in typed.split("\t"):
            self._send(part)
            if part is not typed.split("\t")[-1]:
                self._send("\t")
        end = time.monotonic() + PATIENCE
        self._send("\x18")
        while not (self._dump.exists() and self._dump.read_text().endswith("\n")):
            assert time.monotonic() < end, "the shell wrote no line"
            self._read(0.05)
        self._send("\x15")
        return self._dump.read_text().removesuffix("\n")

    def close(self) -> None:
        """End the shell."""
        os.kill(self._pid, signal.SIGKILL)
        os.waitpid(self._pid, 0)
        os.close(self._terminal)

    def _send(self, text: str) -> None:
        os.write(self._terminal, text.encode())

    def _read(self, seconds: float) -> str:
        ready, _, _ = select.select([self._terminal], [], [], seconds)
        return os.read(self._terminal, 65536).decode(errors="replace") if ready else ""

    def _wait_for(self, text: str) -> None:
        seen, end = "", time.monotonic() + PATIENCE
        while text not in seen:
            assert time.monotonic() < end, f"the shell never said {text!r}: {seen[-2000:]}"
            seen += self._read(0.1)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a run, a file, a user's own config, and the program on the path."""
    folder = tmp_path_factory.mktemp("shell")
    run = RunDirectory(folder / RUN)
    run.path.mkdir(parents=True)
    run.config.write_text("name: quick_sonnets\n")
    run.status_file.write_text('{"status": "done"}')
    (folder / "verses.txt").write_text("a line\n")
    (folder / "mine" / "experiment").mkdir(parents=True)
    (folder / "mine" / "experiment" / "ode.yaml").write_text("# @package _global_\n# Odes.\nname: ode\n")
    program = folder / "bin" / "quatrain"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m quatrain "$@"\n')
    program.chmod(0o755)
    return folder


@pytest.fixture(scope="module")
def environment(place: Path) -> dict[str, str]:
    """What the shells find: the program first on the path, nothing of the user's."""
    import quatrain

    return {
        "PATH": f"{place / 'bin'}:{os.environ['PATH']}",
        "HOME": str(place),
        "PYTHONPATH": str(Path(quatrain.__file__).parents[1]),
        "TERM": "dumb",
        "LANG": "C.UTF-8",
    }


@pytest.fixture(scope="module", params=["bash", "zsh"])
def shell(request: pytest.FixtureRequest, place: Path, environment: dict[str, str]) -> Iterator[Terminal]:
    """An interactive shell in ``place`` that has read the completion."""
    if shutil.which(request.param) is None:
        pytest.skip(f"{request.param} is not installed")
    terminal = Terminal(STARTS[request.param], environment, place, SETUPS[request.param])
    yield terminal
    terminal.close()


@pytest.mark.parametrize(
    ("typed", "line"),
    [
        ("quatrain expl\t", "quatrain explain "),
        ("quatrain train model=tiny_b\t", "quatrain train model=tiny_bert "),
        ("quatrain train optimizer.l\t", "quatrain train optimizer.lr="),
        ("quatrain train --config-dir mine experiment=od\t", "quatrain train --config-dir mine experiment=ode "),
        ("quatrain predict --precision bf\t", "quatrain predict --precision bf16-mixed "),
        ("quatrain resume \t", f"quatrain resume {RUN} "),
        ("quatrain resume outputs/quick_sonnets/2026\t", f"quatrain resume {RUN} "),
        ("quatrain train data.source=ver\t", "quatrain train data.source=verses.txt "),
        (f"quatrain predict {RUN} vers\t", f"quatrain predict {RUN} verses.txt "),
    ],
)
def test_the_tabulator_completes_the_line(shell: Terminal, typed: str, line: str) -> None:
    assert shell.line_after(typed) == line


def test_a_value_that_is_no_file_is_not_completed_by_files(place: Path, environment: dict[str, str]) -> None:
    """In a folder with one entry, which bash takes once something of it is typed; zsh takes none behind a sign."""
    terminal = Terminal(STARTS["bash"], environment, place / "mine", SETUPS["bash"])
    try:
        assert terminal.line_after("quatrain train optimizer.lr=\t") == "quatrain train optimizer.lr="
        assert terminal.line_after("quatrain train optimizer.lr=ex\t").startswith("quatrain train optimizer.lr=experim")
    finally:
        terminal.close()


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("quatrain expl", {"explain"}),
        ("quatrain train model=tiny_b", {"model=tiny_bert"}),
        ("quatrain train trainer.max", {"trainer.max_epochs=", "trainer.max_steps=", "trainer.max_time="}),
        ("quatrain resume ", {RUN}),
        ("quatrain predict RUN vers", {"verses.txt"}),
        ("quatrain train optimizer.lr=", set()),
    ],
)
def test_fish_completes(typed: str, offered: set[str], place: Path, environment: dict[str, str]) -> None:
    if shutil.which("fish") is None:
        pytest.skip("fish is not installed")
    script = f"quatrain -sc install=fish | source; complete -C '{typed}'"
    done = subprocess.run(
        ["fish", "-c", script], cwd=place, env=environment, capture_output=True, text=True, check=True
    )
    assert {line.partition("\t")[0] for line in done.stdout.splitlines()} == offered
