"""Proves that nothing of data, models or files commands the terminal, and that ordinary text is shown as it is."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from quatrain.core.errors import UserError
from quatrain.core.terminal import one_line, printable
from quatrain.corpora.sources import find_source
from quatrain.runs.closing import print_closing
from quatrain.runs.directory import RunDirectory

TITLE = "\x1b]0;owned\x07"
"""Sets the title of a terminal that gets it."""

CLEAR = "\x1b[2J"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[31m", "\\x1b[31m"),
        ("a\x07b\x08c\x00", "a\\x07b\\x08c\\x00"),
        ("paid\rfree", "paid\\rfree"),
        ("\x9b31m\x85", "\\x9b31m\\x85"),
        ("\u202eevil\u2066\u200f", "\\u202eevil\\u2066\\u200f"),
        ("line\u2028end \ud800", "line\\u2028end \\ud800"),
    ],
)
def test_commands_are_escaped(text: str, shown: str) -> None:
    assert printable(text) == shown


@pytest.mark.parametrize(
    "text", ["déjà vu, שלום, 你好, नमस्ते", "👩‍👩‍👧 ❤️", "tab\there\nand a line", "no\u00a0break", ""]
)
def test_ordinary_text_stays(text: str) -> None:
    assert printable(text) == text


def test_one_line_cannot_pass_for_two() -> None:
    assert one_line("a\nerror: b") == "a\\nerror: b"
    assert UserError(f"line 1 is {CLEAR}\nerror: all is lost").sentences == ["line 1 is \\x1b[2J\\nerror: all is lost"]


def test_a_sentence_hides_secrets_and_stays_the_same_across_processes() -> None:
    import pickle

    error = UserError(["https://me:abc@host cannot be reached", f"{TITLE}x"])
    assert error.sentences == ["https://***@host cannot be reached", "\\x1b]0;owned\\x07x"]
    assert str(error) == "\n".join(error.sentences)
    assert pickle.loads(pickle.dumps(error)).sentences == error.sentences


def test_a_quoted_line_of_data_is_escaped(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text(f'{{"{CLEAR}": 1}}\n'.replace("\x1b", "\\u001b"))
    with pytest.raises(UserError) as caught:
        list(find_source(str(tmp_path / "a.jsonl")).texts())
    assert "\x1b" not in str(caught.value)
    assert "\\x1b[2J" in str(caught.value)


@dataclass
class _Sample:
    shown: str
    said: str
    probability: float | None
    right: str


@pytest.mark.parametrize("length", [1, 40])
def test_samples_in_the_closing_table_are_escaped(
    length: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sample = _Sample(f"shown {TITLE}", f"{CLEAR}" + "w" * length, 0.5, "\rright\u202e")
    result = {"best": {"step": 1}, "metrics": {}, "seconds": 1.0, "tokens_per_second": 1.0}
    print_closing(RunDirectory(tmp_path), "quick_sonnets", "masked_lm", {}, result, [sample], reported=True)
    out = capsys.readouterr().out
    assert not {"\x1b", "\x07", "\r", "\u202e"} & set(out)
    assert "\\x1b]0;owned\\x07" in out
