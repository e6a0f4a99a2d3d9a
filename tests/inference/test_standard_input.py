"""Standard input as text: whatever it is, it is read as far as it goes or refused in a sentence."""

import io
import subprocess
import sys
from pathlib import Path

import pytest

from quatrain.core.errors import UserError
from quatrain.corpora import bounds
from quatrain.inference.standard_input import standard_input_lines, standard_input_text

READ = """
from quatrain.core.errors import UserError
from quatrain.inference.standard_input import standard_input_lines, standard_input_text
for read in (standard_input_text, lambda: list(standard_input_lines())):
    try:
        read()
    except UserError as error:
        print(error)
"""


def _given(monkeypatch: pytest.MonkeyPatch, content: bytes) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content)))


def test_only_line_ends_and_a_mark_at_the_start_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    content = "\ufeff a é\r\n\n b\r\n".encode()
    _given(monkeypatch, content)
    assert list(standard_input_lines()) == [" a é", "", " b"]
    _given(monkeypatch, content)
    assert standard_input_text() == " a é\r\n\n b"


def test_a_line_is_told_with_its_byte_after_those_before_it(monkeypatch: pytest.MonkeyPatch) -> None:
    _given(monkeypatch, b"good\n\xc3\xa9 \xff\n")
    lines = standard_input_lines()
    assert next(lines) == "good"
    with pytest.raises(UserError, match=r"^standard input, line 2 is no UTF-8 \(at byte 4\); convert it to UTF-8\.$"):
        next(lines)
    _given(monkeypatch, b"a\0b")
    with pytest.raises(UserError, match=r"^standard input, line 1: a NUL byte"):
        standard_input_text()


def test_neither_a_line_nor_a_text_is_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounds, "LONGEST_LINE", 10)
    _given(monkeypatch, b"a" * 11)
    with pytest.raises(UserError, match=r"^standard input, line 1 is longer than"):
        list(standard_input_lines())
    _given(monkeypatch, b"aaaa\n" * 3)
    with pytest.raises(UserError, match=r"^standard input has more than 10 characters; give a shorter text"):
        standard_input_text()


@pytest.mark.parametrize(
    ("redirected", "told"), [("<&-", "standard input is closed; "), ("0>file", "standard input cannot be read (")]
)
def test_an_input_that_is_closed_or_cannot_be_read_is_refused(redirected: str, told: str, tmp_path: Path) -> None:
    shell = ["sh", "-c", f'exec "$0" -c "$1" {redirected}', sys.executable, READ]
    done = subprocess.run(shell, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
    assert [line.startswith(told) for line in done.stdout.splitlines()] == [True, True]
