"""quatrain tokenize as a user meets it: columns side by side, JSON lines, and the round trip."""

import io
import json
import shlex
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from quatrain.__main__ import main
from quatrain.commands import tokenize as command
from quatrain.runs.directory import RunDirectory

SMALL = (
    "data.verse_size=60",
    "trainer.max_steps=2",
    "run.report=false",
    "trainer.accelerator=cpu",
    "trainer.limit_val_batches=1",
)


@pytest.fixture
def ask(bert_folder: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    """Run the command on a BERT's folder; its exit code, output and words."""

    def run(*arguments: str) -> tuple[int, str, str]:
        capsys.readouterr()
        code = main(["tokenize", str(bert_folder), *arguments])
        return code, *capsys.readouterr()

    return run


def test_json_lines_hold_what_transformers_gives(ask: Any, bert_folder: Path) -> None:
    from transformers import AutoTokenizer

    texts = ["the rose", "A rose of the night"]
    code, out, err = ask(*texts, "--pair", "the moon", "--max-length", "8", "--json")
    assert (code, err) == (0, "")
    expected = AutoTokenizer.from_pretrained(bert_folder)(
        texts, ["the moon"] * 2, padding=True, truncation=True, max_length=8
    )
    rows = [json.loads(line) for line in out.splitlines()]
    for name in ("input_ids", "token_type_ids", "attention_mask"):
        assert [row[name] for row in rows] == expected[name]
    assert [(row["text"], row["pair"]) for row in rows] == [(text, "the moon") for text in texts]
    assert rows[0]["round_trip"] == {"same": True, "returned": ["the rose", "the moon"]}
    assert rows[1]["round_trip"]["same"] is False
    assert rows[1]["tokens_cut"] > 0


def test_columns_are_aligned_in_a_pipe(ask: Any) -> None:
    _, out, _ = ask("the rose", "A rose of the night")
    first, second = (block.splitlines() for block in out.split("\n\n"))
    assert first[0] == "the rose"
    assert first[1].split() == ["place", "token", "id", "type", "mask"]
    assert [line.split()[1] for line in first[2:4]] == ["[CLS]", "the"]
    assert first[-2].split()[1] == "[PAD]"
    assert first[-2].endswith("    0     0")
    assert first[-1] == "round trip: the text comes back as it was"
    assert second[-1] == "round trip: from character 1 on 'A rose of the night' became 'a rose of the night'"
    rows = [*first[1:-1], *second[1:-1]]
    assert len({len(line) for line in first[1:-1]}) == 1
    assert len(first) == len(second)
    assert not any(line != line.rstrip() for line in rows)


def test_a_pair_for_all_texts_or_one_for_each(ask: Any) -> None:
    rows = [json.loads(line) for line in ask("a", "b", "--pair", "c", "--pair", "d", "--json")[1].splitlines()]
    assert [(row["text"], row["pair"]) for row in rows] == [("a", "c"), ("b", "d")]
    assert "a | c" in ask("a", "--pair", "c")[1]


def test_a_lone_dash_is_the_lines_of_standard_input(ask: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"the rose\nthe moon\n")))
    assert [json.loads(line)["text"] for line in ask("-", "--json")[1].splitlines()] == ["the rose", "the moon"]


def test_each_mistyped_option_is_met_with_the_one_that_was_meant(ask: Any) -> None:
    err = ask("a", "--max", "3", "--pear=b", "--jsn")[2]
    assert err.endswith("; did you mean --max-length, --pair, --json?\n")


def test_mistakes_are_told_at_once_with_their_flags(ask: Any) -> None:
    code, out, err = ask("a", "b", "c", "--pair", "d", "--pair", "e", "--max-length", "x")
    assert (code, out) == (2, "")
    assert err.splitlines() == [
        "error: --max-length=x must be a whole number from 1 on.",
        "error: --pair stands 2 times for 3 texts; give it once for all of them, or once for each.",
    ]
    assert ask("a", "--max-length", "2")[2].startswith("error: --max-length=2 leaves no room for text")


def test_what_a_vocabulary_holds_commands_no_terminal(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "\x1b", "[bold]", "a"]
    (tmp_path / "vocab.txt").write_text("\n".join(words), encoding="utf-8")
    assert main(["tokenize", str(tmp_path), "a [bold] :rose: \x1b[2J"]) == 0
    out = capsys.readouterr().out
    assert "\x1b" not in out
    assert out.startswith("a [bold] :rose: \\x1b[2J\n")
    assert main(["tokenize", str(tmp_path), "a \x1b\x7f", "--json"]) == 0
    assert not set("\x1b\x7f") & set(capsys.readouterr().out)


def test_a_folder_without_a_tokenizer_is_told_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["tokenize", str(tmp_path), "a"]) == 2
    assert capsys.readouterr().err.startswith(f"error: {tmp_path} holds no tokenizer; it needs tokenizer.json")
    assert main(["tokenize", str(tmp_path / "none"), "a"]) == 2
    assert "does not exist" in capsys.readouterr().err


def test_a_real_run_and_the_example_of_the_help(
    run_here: Callable[..., tuple[RunDirectory, int]], capsys: pytest.CaptureFixture[str]
) -> None:
    run, code = run_here("experiment=quick_sonnets", *SMALL)
    assert code == 0
    example = next(line for line in str(command.__doc__).splitlines() if "tokenize outputs/sonnets" in line)
    words = shlex.split(example)[1:]
    assert main(["tokenize", str(run.path), *words[2:]]) == 0
    out = capsys.readouterr().out
    assert out.count("round trip: the text comes back as it was") == len(words[2:]) == 2
