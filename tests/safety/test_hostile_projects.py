"""A folder that came from others names its config files, and runs none of its code unless the user says so."""

import sys
from pathlib import Path

import pytest

from quatrain.__main__ import main

CLASS = """
from pathlib import Path

Path(__file__).with_name("was_run").touch()


class Loot:
    def __init__(self, *, tokenizer):
        raise SystemExit("taken")
"""


def package_of(folder: Path) -> str:
    return f"loot_{abs(hash(folder))}"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project whose experiment names a class of its own, which leaves a file behind when it is imported.

    Its package is called after the folder, as what was once looked for is not looked for again.
    """
    package = package_of(tmp_path)
    files = {
        "pyproject.toml": '[tool.quatrain]\nconfig_dir = "conf"\n',
        "conf/data/loot.yaml": f"_target_: {package}.Loot\n",
        "conf/experiment/mine.yaml": "# @package _global_\ndefaults: [override /data: loot]\nname: mine\n",
        f"src/{package}.py": CLASS,
    }
    for place, text in files.items():
        (tmp_path / place).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / place).write_text(text, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    return tmp_path


@pytest.mark.parametrize("command", ["train", "look", "plan"])
def test_its_class_is_refused_and_not_imported(folder: Path, capsys: pytest.CaptureFixture[str], command: str) -> None:
    assert main([command, "experiment=mine"]) == 2
    told = capsys.readouterr().err
    assert "config files of this project: conf (pyproject.toml)" in told
    assert f"data._target_={package_of(folder)}.Loot may not be named" in told
    assert not (folder / "src" / "was_run").exists()
    assert not (folder / "outputs").exists()


def test_it_cannot_allow_itself(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with (folder / "pyproject.toml").open("a", encoding="utf-8") as file:
        file.write(f'allow = ["{package_of(folder)}"]\n')
    assert main(["train", "experiment=mine"]) == 2
    assert "allow is not read" in capsys.readouterr().err
    assert not (folder / "src" / "was_run").exists()


def test_the_attack_works_where_the_user_allows_it(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QUATRAIN_ALLOW", package_of(folder))
    with pytest.raises(SystemExit, match="taken"):
        main(["look", "experiment=mine"])
    assert (folder / "src" / "was_run").exists()
