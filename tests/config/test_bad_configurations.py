"""Each bad configuration of bad_configurations.txt is refused with exactly its sentences and leaves nothing behind.

The table holds commands as they would be typed, the files that lie in the folder before them, and what is told. ``...``
stands for the rest of a list that grows with every option.
"""

import re
import shlex
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from quatrain.__main__ import main

TABLE = Path(__file__).with_name("bad_configurations.txt")


@dataclass
class Case:
    words: list[str] = field(default_factory=list)
    files: dict[str, str] = field(default_factory=dict)
    told: list[str] = field(default_factory=list)


def _cases() -> list[Case]:
    cases = []
    for block in TABLE.read_text(encoding="utf-8").strip().split("\n\n"):
        case = Case()
        for line in block.splitlines():
            if line.startswith("file "):
                name = line.removeprefix("file ")
                case.files[name] = ""
            elif line.startswith("|"):
                case.files[name] += line[2:] + "\n"
            elif line.startswith("$ quatrain "):
                case.words = shlex.split(line.removeprefix("$ quatrain "))
            else:
                case.told.append(line)
        cases.append(case)
    return cases


def _fits(line: str, wanted: str) -> bool:
    return re.fullmatch(".*".join(map(re.escape, wanted.split("..."))), line) is not None


def test_the_table_is_large_and_says_each_thing_once() -> None:
    commands = [(shlex.join(case.words), tuple(case.files.items())) for case in _cases()]
    assert len(commands) >= 150
    assert len(set(commands)) == len(commands)
    assert all(case.told for case in _cases())


@pytest.mark.parametrize("case", _cases(), ids=lambda case: shlex.join(case.words)[:60])
def test_it_is_refused_with_its_sentences(
    case: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("quatrain.config.crosschecks.PACKAGE_OF_LOGGER", {})  # extras need not be installed
    monkeypatch.chdir(tmp_path)
    for name, content in case.files.items():
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_text(content, encoding="utf-8")
    before = sorted(tmp_path.rglob("*"))
    assert main(case.words) == 2
    printed = capsys.readouterr()
    lines = printed.err.splitlines()
    assert len(lines) == len(case.told), printed.err
    for line, wanted in zip(lines, case.told, strict=True):
        assert _fits(line, wanted), f"\ntold   {line}\nwanted {wanted}"
    assert printed.out == ""
    assert sorted(tmp_path.rglob("*")) == before


def test_a_config_file_that_is_no_text(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "own" / "optimizer").mkdir(parents=True)
    (tmp_path / "own" / "optimizer" / "mine.yaml").write_bytes("# caf\u00e9\n".encode("latin-1"))
    assert main(["plan", "--config-dir", str(tmp_path / "own"), "optimizer=mine"]) == 2
    assert "own/optimizer/mine.yaml is no UTF-8 text (byte 5); write it as UTF-8." in capsys.readouterr().err
