"""Every command and all Python of README.md and docs/ runs as it stands there, in the order of its page.

Commands that train take few steps and little data (`small`), words like RUN stand for places of a prepared folder, and
what cannot be run here is listed with its reason (`reading`).
"""

import functools
import io
import re
import shlex
import shutil
from contextlib import redirect_stdout, suppress
from pathlib import Path

import pytest

from quatrain.__main__ import COMMANDS, main
from quatrain.config.compose import compose
from quatrain.core.errors import UserError

from .blocks import Block, blocks_of, inline_commands
from .conftest import Shell
from .reading import CANNOT, PARTS, PROJECT, exit_code, placed, placed_python, why_not
from .small import TRAINING, WHOLE, made_small

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
BLOCKS = {page: blocks_of(page, str(page.relative_to(ROOT))) for page in PAGES}
MADE = {
    name for blocks in BLOCKS.values() for block in blocks for name in re.findall(r"(?:run\.dir=|> )(\S+)", block.text)
}
"""What the pages' own commands make, and later ones may name."""

HYDRA = ("--cfg", "--info", "--config-dir", "--allow", "--multirun")
TUTORIAL = [page for page in PAGES if page.parent.name == "tutorial"]
ALONE = [[page] for page in PAGES if BLOCKS[page] and page not in TUTORIAL]


@pytest.mark.parametrize("pages", [*ALONE, TUTORIAL], ids=lambda pages: "-".join(page.stem for page in pages))
def test_all_that_a_page_asks_to_run_runs(pages: list[Path], shell: Shell, scratch: Path) -> None:
    """Each page in a folder of its own; those of the tutorial follow one another in one."""
    reader = Reader(shell, scratch)
    for block in (block for page in pages for block in BLOCKS[page] if block.path):
        (scratch / block.path).parent.mkdir(parents=True, exist_ok=True)
        (scratch / block.path).write_text(block.text + "\n", encoding="utf-8")
    failed = [wrong for page in pages for block in BLOCKS[page] if (wrong := reader.run(block))]
    assert not failed, "\n\n".join(failed)


def test_every_reason_not_to_run_is_needed() -> None:
    commands = [block.text for blocks in BLOCKS.values() for block in blocks]
    assert [pattern for pattern in CANNOT if not any(re.search(pattern, text) for text in commands)] == []


def test_every_command_composes_and_every_flag_is_one(workshop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those within sentences, too. Of a sweep its first job is composed; of what cannot be run here all is checked."""
    monkeypatch.chdir(workshop)
    monkeypatch.setenv(WHOLE, str(workshop / "data"))
    monkeypatch.setenv("QUATRAIN_ALLOW", "my_package")
    monkeypatch.syspath_prepend(workshop)
    for block in (block for blocks in BLOCKS.values() for block in blocks):
        if block.path:
            (workshop / block.path).parent.mkdir(parents=True, exist_ok=True)
            (workshop / block.path).write_text(block.text + "\n", encoding="utf-8")
    found = [(page.name, command) for page in PAGES for command in inline_commands(page)]
    lines = [block for blocks in BLOCKS.values() for block in blocks if re.match(r"quatrain [^\n|$]*$", block.text)]
    assert len(found) > 30
    assert len(lines) > 80
    found += [(f"{line.page}:{line.line}", line.text) for line in lines if exit_code(line.text) == 0]
    wrong = [f"{name}: {command}: {why}" for name, command in found if (why := _wrong_with(placed(command)))]
    assert not wrong, "\n".join(wrong)


def _wrong_with(command: str) -> str | None:
    verb, *words = shlex.split(command)[1:]
    if verb in ("<command>", "--help", "--version", "-sc"):
        return None
    if verb not in COMMANDS:
        return "there is no such command"
    for flag in (word.split("=")[0] for word in words if re.match(r"--\w", word)):
        if flag not in (*HYDRA, *_help(verb).replace(",", " ").replace("]", " ").split()):
            return f"{verb} has no {flag}"
    in_part = "..." in command or "=OPTION" in command or command.endswith("=")
    if verb not in TRAINING or in_part or why_not(command) == PARTS or f"--allow {PROJECT}" in command:
        return None
    for name in MADE & {word.partition("=")[2] for word in words}:  # the page makes it: something of the kind for it
        words = [word.replace(f"tokenizer.source={name}", "tokenizer.source=data/bert") for word in words]
        words = [word.replace(f"data.source={name}", "data.source=text.txt") for word in words]
    if "-m" in words:
        words = [word.split(",")[0] for word in words if not re.search(r"[\[(]|^hydra", word)]
    try:
        compose([word for word in made_small([verb, *words])[1:] if "=" in word], "my_conf")
    except UserError as error:
        return str(error)
    return None


@functools.cache
def _help(verb: str) -> str:
    said = io.StringIO()
    with redirect_stdout(said), suppress(SystemExit):
        main([verb, "--help"])
    return said.getvalue()


class Reader:
    """Runs blocks one after the other, and stays in the folder that one went to by ``cd``."""

    def __init__(self, shell: Shell, folder: Path) -> None:
        self.shell, self.folder = shell, folder
        self.where = folder.with_name("where")

    def run(self, block: Block) -> str | None:
        """Return what went wrong with ``block``, None where nothing did or it cannot be run here."""
        if block.path or why_not(block.text):
            return None
        if block.language == "python":
            (self.folder / "page.py").write_text(placed_python(block.text), encoding="utf-8")
            ended = self.shell("python-of-pages page.py", self.folder)
        else:
            for made in re.findall(r"quatrain train.* run\.dir=(\S+)|quatrain init (\w+)", block.text):
                shutil.rmtree(self.folder / "".join(made), ignore_errors=True)  # the workshop's of that name
            within = f"--allow {PROJECT}" in block.text and self.folder.name != PROJECT
            folder = self.folder / PROJECT if within else self.folder
            ended = self.shell(f"trap 'pwd > {self.where}' EXIT\n{placed(block.text)}", folder)
            self.folder = self.folder if within else Path(self.where.read_text(encoding="utf-8").strip())
        if ended.returncode == exit_code(block.text) and "Traceback" not in ended.stderr:
            return None
        return f"{block}\nended with {ended.returncode}: {ended.stdout[-300:]}\n{ended.stderr[-1500:]}"
