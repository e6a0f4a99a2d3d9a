"""Every command and all Python of README.md and docs/ runs as it stands there, in the order of its page.

Commands that train take few steps and little data (`small`), words like RUN stand for places of a prepared folder, and
what cannot be run here is listed with its reason (`reading`).
"""

import re
import shlex
import shutil
from pathlib import Path

import pytest

from quatrain.__main__ import COMMANDS
from quatrain.config.compose import compose
from quatrain.core.errors import UserError

from .blocks import Block, blocks_of, inline_commands
from .conftest import Shell
from .reading import CANNOT, exit_code, placed, placed_python, why_not
from .small import TRAINING, WHOLE, made_small

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
BLOCKS = {page: blocks_of(page, str(page.relative_to(ROOT))) for page in PAGES}
TUTORIAL = [page for page in PAGES if page.parent.name == "tutorial"]
ALONE = [[page] for page in PAGES if BLOCKS[page] and page not in TUTORIAL]


@pytest.mark.parametrize("pages", [*ALONE, TUTORIAL], ids=lambda pages: "-".join(page.stem for page in pages))
def test_all_that_a_page_asks_to_run_runs(pages: list[Path], shell: Shell, scratch: Path) -> None:
    """Each page in a folder of its own; those of the tutorial follow one another in one."""
    failed = []
    for block in (block for page in pages for block in BLOCKS[page]):
        failed += _ran(block, shell, scratch)
    assert not failed, "\n\n".join(failed)


def test_every_reason_not_to_run_is_needed() -> None:
    commands = [block.text for blocks in BLOCKS.values() for block in blocks if block.language == "shell"]
    assert [pattern for pattern in CANNOT if not any(re.search(pattern, text) for text in commands)] == []


def test_every_command_within_a_sentence_composes(workshop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those of `quatrain train` and its like are composed and checked; of others the command must be one."""
    monkeypatch.chdir(workshop)
    monkeypatch.setenv(WHOLE, str(workshop / "data"))
    found = [(page.name, command) for page in PAGES for command in inline_commands(page)]
    assert len(found) > 30
    wrong = [f"{name}: {command}: {why}" for name, command in found if (why := _wrong_with(placed(command)))]
    assert not wrong, "\n".join(wrong)


def _wrong_with(command: str) -> str | None:
    verb, *words = shlex.split(command)[1:]
    if verb not in (*COMMANDS, "<command>", "--help"):
        return "there is no such command"
    shown_in_part = "..." in command or command.endswith("=") or "=OPTION" in command or "-m" in words
    if verb in TRAINING and not shown_in_part:
        try:
            compose([word for word in made_small([verb, *words])[1:] if "=" in word])
        except UserError as error:
            return str(error)
    return None


def _ran(block: Block, shell: Shell, folder: Path) -> list[str]:
    if block.language == "python":
        (folder / "page.py").write_text(placed_python(block.text), encoding="utf-8")
        ended = shell("python-of-pages page.py", folder)
    elif why_not(block.text):
        return []
    else:
        for made in re.findall(r"quatrain train.* run\.dir=(\S+)", block.text):
            shutil.rmtree(folder / made, ignore_errors=True)  # the workshop's run of that name
        ended = shell(placed(block.text), folder)
    if ended.returncode == exit_code(block.text) and "Traceback" not in ended.stderr:
        return []
    return [f"{block}\nended with {ended.returncode}: {ended.stdout[-300:]}\n{ended.stderr[-1500:]}"]
