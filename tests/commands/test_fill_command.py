"""quatrain fill as a user meets it: tables, JSON lines, and lines of standard input as they come."""

import io
import json
import shlex
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from quatrain.__main__ import main
from quatrain.commands import fill as command
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
    """Run the command in float32 on a BERT; its exit code, output and words."""

    def run(*arguments: str) -> tuple[int, str, str]:
        capsys.readouterr()
        code = main(["fill", str(bert_folder), *arguments, "--precision", "32-true", "--device", "cpu"])
        return code, *capsys.readouterr()

    return run


def _typed(monkeypatch: pytest.MonkeyPatch, content: bytes) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content)))


def _pipeline(folder: Path) -> Any:
    from transformers import AutoModelForMaskedLM, AutoTokenizer, pipeline

    model, hf = AutoModelForMaskedLM.from_pretrained(folder), AutoTokenizer.from_pretrained(folder)
    return pipeline("fill-mask", model=model, tokenizer=hf, device="cpu")


def test_json_lines_agree_with_the_pipeline(ask: Any, bert_folder: Path) -> None:
    texts = ["The [MASK] of the night", "A rose and a [MASK]"]
    code, out, err = ask(*texts, "--json", "--top-k", "3")
    assert (code, err) == (0, "")
    for text, line in zip(texts, out.splitlines(), strict=True):
        told = json.loads(line)
        assert told["text"] == text
        for guess, expected in zip(told["filled"], _pipeline(bert_folder)(text, top_k=3), strict=True):
            assert guess["mask"] == 1
            assert guess["probability"] == pytest.approx(expected["score"], abs=1e-5)
            found = (guess["id"], guess["token"], guess["text"])
            assert found == (expected["token"], expected["token_str"], expected["sequence"])


def test_the_table_has_a_line_for_each_guess(ask: Any) -> None:
    told = [
        json.loads(line) for line in ask("The <mask> and [MASK]", "A <mask>", "--json", "--top-k=2")[1].splitlines()
    ]
    _, out, _ = ask("The <mask> and [MASK]", "A <mask>", "--top-k", "2")
    first, second = (block.splitlines() for block in out.split("\n\n"))
    assert [first[0], first[1], first[4]] == ["The <mask> and [MASK]", "  mask 1", "  mask 2"]
    for line, guess in zip([*first[2:4], *first[5:7]], told[0]["filled"], strict=True):
        assert line.split()[:2] == [f"{guess['probability']:.4f}", guess["token"]]
        assert line.endswith(f"  {guess['text']}")
    assert len({line.index(guess["text"]) for line, guess in zip(second[1:], told[1]["filled"], strict=True)}) == 1


def test_lines_of_standard_input_are_answered_in_order_until_one_is_wrong(
    ask: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = [f"The [MASK] number {number}" for number in range(40)]
    _typed(monkeypatch, "\r\n".join([*lines, "nothing to fill", "A [MASK]"]).encode())
    code, out, err = ask("-", "--json", "--top-k", "1")
    assert code == 2
    assert [json.loads(line)["text"] for line in out.splitlines()] == lines
    assert err.startswith("error: standard input, line 41 has no mask; write [MASK] for a word to be guessed: ")
    _typed(monkeypatch, b"A [MASK]\n\xff [MASK]\n")
    code, _, err = ask("-")
    assert (code, err) == (2, "error: standard input, line 2 is no UTF-8 (at byte 1); convert it to UTF-8.\n")


@pytest.mark.parametrize("shown", [False, True])
def test_a_terminal_tells_how_far_it_is_where_the_answers_go_elsewhere(
    shown: bool, ask: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from quatrain.core import progress_line

    monkeypatch.setattr(progress_line, "PATIENCE", 0)
    monkeypatch.setattr(progress_line, "_BETWEEN", 0)
    terminal = io.StringIO()
    monkeypatch.setattr(terminal, "isatty", lambda: True)
    monkeypatch.setattr(sys.stdout, "isatty", lambda: not shown)
    monkeypatch.setattr(sys, "stderr", terminal)
    _typed(monkeypatch, b"A [MASK]\n" * 3)
    code, out, _ = ask("-", "--json")
    assert (code, len(out.splitlines())) == (0, 3)
    assert ("filling: 3 texts" in terminal.getvalue()) == shown


def test_nothing_is_printed_where_a_text_is_wrong(ask: Any) -> None:
    code, out, err = ask("A [MASK]", "none", "[MASK] " + "a " * 200)
    assert (code, out) == (2, "")
    assert [line.split(" ha")[0] for line in err.splitlines()] == ["error: text 2", "error: text 3"]
    assert "has 203 tokens, special ones included" in err
    assert "positions for 128" in err
    assert 'error: The text has no mask; write [MASK] for a word to be guessed: "a [MASK]"' in ask("a rose")[2]


def test_numbers_out_of_range_are_told_with_their_flag(ask: Any) -> None:
    assert ask("A [MASK]", "--top-k", "0")[2] == "error: --top-k=0 must be a whole number from 1 on.\n"
    assert ask("A [MASK]", "--top-k", "few")[2] == "error: --top-k=few must be a whole number from 1 on.\n"
    assert ask("A [MASK]", "--top-k", "301")[2].startswith("error: --top-k=301 must be a whole number from 1 to 300,")


def test_what_a_vocabulary_holds_commands_no_terminal(ask: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from quatrain.inference import filling

    evil = filling.Filled(1, "\x1b[2J\n", 7, 0.5, "a\x1b[2J")
    monkeypatch.setattr(filling, "_told", lambda *_: evil)
    assert ask("\x1b [MASK]", "--top-k", "1")[1] == "\\x1b [MASK]\n  0.5000  \\x1b[2J  a\\x1b[2J\n"
    assert "\x1b" not in ask("\x1b\x7f [MASK]", "--json")[1]


def test_a_model_for_another_task_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from transformers import GPT2Config, GPT2LMHeadModel

    GPT2LMHeadModel(GPT2Config(vocab_size=10, n_embd=4, n_layer=1, n_head=1)).save_pretrained(tmp_path)
    assert main(["fill", str(tmp_path), "a"]) == 2
    assert (
        "needs a masked language model; what fits it: evaluate, generate, embed, tokenize." in capsys.readouterr().err
    )


def test_a_real_run_and_the_example_of_the_help(
    run_here: Callable[..., tuple[RunDirectory, int]], capsys: pytest.CaptureFixture[str]
) -> None:
    run, code = run_here("experiment=quick_sonnets", *SMALL)
    assert code == 0
    example = next(line for line in str(command.__doc__).splitlines() if "fill outputs/sonnets" in line)
    words = shlex.split(example)[1:]
    capsys.readouterr()
    assert main(["fill", str(run.path), *words[2:]]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "Shall I <mask> thee to a summer's day"
    assert len(lines) == 6
    assert all("thee to a summer's day" in line for line in lines)
