"""What a command prints is UTF-8, whatever the system's encoding says."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from quatrain.corpora.verse import poems
from quatrain.tokenizers.trained import ByteLevelBPE

TEXT = "Shall I \u2014 \u65e5"


@pytest.mark.parametrize("encoding", ["iso-8859-1", "ascii:surrogateescape"])
def test_no_encoding_of_the_system_ends_a_command(encoding: str, tmp_path: Path) -> None:
    ByteLevelBPE(vocab_size=300).fit(lambda: poems(5, 0)).save(tmp_path)
    done = _quatrain("tokenize", str(tmp_path), TEXT, encoding=encoding)
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.decode().splitlines()[0] == TEXT
    done = _quatrain("tokenize", str(tmp_path / "\u65e5"), TEXT, encoding=encoding)
    assert done.returncode == 2
    assert "/\u65e5 does not exist" in done.stderr.decode()


def _quatrain(*words: str, encoding: str) -> "subprocess.CompletedProcess[bytes]":
    return subprocess.run(
        [sys.executable, "-m", "quatrain", *words],
        env={**os.environ, "PYTHONIOENCODING": encoding},
        capture_output=True,
        check=False,
        timeout=60,
    )
