"""quatrain generate as a user meets it: text as it is made, every mistake in a sentence, and quiet ends."""

import io
import os
import re
import shlex
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from quatrain.__main__ import main
from quatrain.commands import generate as command
from quatrain.core.terminal import printable
from quatrain.corpora.verse import poems
from quatrain.runs.directory import RunDirectory
from quatrain.tokenizers.trained import ByteLevelBPE

SMALL = (
    "data.verse_size=60",
    "trainer.max_steps=2",
    "run.report=false",
    "trainer.accelerator=cpu",
    "trainer.limit_val_batches=1",
)
SEED = re.compile(r"seed (\d+); --seed \1 gives the same again")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from transformers import GPT2Config, GPT2LMHeadModel

    folder = tmp_path_factory.mktemp("models") / "gpt2"
    tokenizer = ByteLevelBPE(vocab_size=400, special_tokens=("<|endoftext|>",)).fit(lambda: poems(50, 0))
    torch.manual_seed(1)
    config = GPT2Config(
        vocab_size=400,
        n_positions=64,
        n_embd=16,
        n_layer=2,
        n_head=2,
        initializer_range=0.4,
        bos_token_id=0,
        eos_token_id=0,
    )
    GPT2LMHeadModel(config).save_pretrained(folder)
    tokenizer.save(folder)
    return folder


@pytest.fixture
def ask(folder: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    """Run the command in float32; its exit code, output and words."""

    def run(*arguments: str) -> tuple[int, str, str]:
        capsys.readouterr()
        code = main(["generate", str(folder), *arguments, "--precision", "32-true", "--device", "cpu"])
        return code, *capsys.readouterr()

    return run


def _typed(monkeypatch: pytest.MonkeyPatch, content: bytes) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content)))


def test_greedy_text_is_that_of_transformers(ask: Any, folder: Path) -> None:
    from transformers import AutoModelForCausalLM, AutoTokenizer

    model, hf = AutoModelForCausalLM.from_pretrained(folder), AutoTokenizer.from_pretrained(folder)
    made = model.generate(**hf("Shall I", return_tensors="pt"), max_new_tokens=12, do_sample=False, pad_token_id=0)
    code, out, err = ask("Shall I", "--temperature", "0", "--max-new-tokens", "12")
    assert (code, out, err) == (0, printable(hf.decode(made[0], skip_special_tokens=True)) + "\n", "")
    assert ask("Shall I", "--temperature=0", "--max-new-tokens=12", "--new-only")[1] == out.removeprefix("Shall I")


def test_the_seed_that_is_told_gives_the_same_text_again(ask: Any) -> None:
    _, out, err = ask("Shall I")
    (seed,) = SEED.findall(err)
    assert ask("Shall I", "--seed", seed) == (0, out, "")


def test_samples_are_set_apart_and_each_can_be_had_alone(ask: Any) -> None:
    how = ("--max-new-tokens", "8", "--top-k", "20", "--top-p", "0.9", "--temperature", "1.5")
    _, out, err = ask("Oh", "--samples", "3", "--seed", "7", *how)
    alone = [ask("Oh", "--seed", str(seed), *how)[1] for seed in (7, 8, 9)]
    assert out == "".join(f"--- {place} of 3, seed {6 + place}\n{text}" for place, text in enumerate(alone, start=1))
    assert len(set(alone)) == 3
    assert err == ""


def test_the_prompt_may_come_from_standard_input(ask: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = ask("Shall\nI é", "--seed", "1")
    _typed(monkeypatch, "Shall\nI é\n".encode())
    assert ask("-", "--seed", "1") == expected
    _typed(monkeypatch, b"Shall \xff")
    code, out, err = ask("-")
    assert (code, out) == (2, "")
    assert "error: standard input, line 1 is no UTF-8 (at byte 7)" in err


def test_it_stops_at_the_positions_with_a_note_or_slides(ask: Any) -> None:
    prompt = "love " * 10
    code, out, err = ask(prompt, "--seed", "2", "--max-new-tokens", "200")
    assert code == 0
    assert re.search(
        r"stopped after \d+ new tokens: with the prompt they fill the 64 positions of the model; --slide", err
    )
    code, longer, err = ask(prompt, "--seed", "2", "--max-new-tokens", "200", "--slide")
    assert (code, err) == (0, "")
    assert longer.startswith(out.removesuffix("\n"))
    assert len(longer) > len(out)


def test_a_prompt_longer_than_the_positions_is_refused(ask: Any) -> None:
    code, out, err = ask("!" * 70, "--seed", "1")
    assert (code, out) == (2, "")
    assert re.match(r"error: The prompt has 70 tokens and .* positions for 64; shorten it by 6 tokens or more\.\n", err)


def test_all_mistakes_come_out_at_once(ask: Any, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    code, out, err = ask("a", "--temperature=-1", "--top-k", "0", "--top-p=2", "--samples", "1.5", "--seed=x")
    assert (code, out) == (2, "")
    begins = [line.split(" must be ")[0] for line in err.splitlines()]
    assert sorted(begins) == [
        f"error: --{name}" for name in ("samples=1.5", "seed=x", "temperature=-1", "top-k=0", "top-p=2")
    ]
    assert main(["generate", str(tmp_path / "none"), "a", "--top-p", "0", "--max-new-tokens", "0"]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 3
    code, _, err = ask("a", "--temperature", "0", "--samples", "2")
    assert (code, err.count("error: --samples=2 with --temperature=0")) == (2, 1)


def test_a_hub_name_is_not_asked_for_while_other_things_are_wrong(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["generate", "nobody/nothing", "a", "--top-p", "0"]) == 2
    assert capsys.readouterr().err == "error: --top-p=0 must be above 0 and at most 1.\n"


def test_a_model_for_another_task_is_refused(bert_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["generate", str(bert_folder), "a"]) == 2
    assert "needs a causal language model; what fits it: evaluate, fill, embed, tokenize." in capsys.readouterr().err


def test_what_a_model_says_commands_no_terminal(ask: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from quatrain.inference import generation

    monkeypatch.setattr(generation.Pieces, "_decoded", lambda *_: (text for text in ("a\x1b[2J\n", "\u202eb")))
    assert ask("\x1b]0;", "--seed", "1")[1] == "\\x1b]0;a\\x1b[2J\n\\u202eb\n"


@pytest.fixture
def heard() -> Iterator[None]:
    """Ctrl-C counts, which a shell has its background jobs ignore."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("heard")
def test_ctrl_c_ends_the_line_with_what_was_printed(ask: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from quatrain.inference.next_tokens import _Steps

    step, taken = _Steps.step, []

    def interrupted(self: _Steps, *given: Any) -> Any:
        taken.append(1)
        if len(taken) == 4:
            os.kill(os.getpid(), signal.SIGINT)
        return step(self, *given)

    whole = ask("Shall I", "--temperature", "0")[1]
    monkeypatch.setattr(_Steps, "step", interrupted)
    code, out, err = ask("Shall I", "--temperature", "0")
    assert (code, err) == (130, "interrupted\n")
    assert out.endswith("\n")
    assert whole.startswith(out.removesuffix("\n"))
    assert len("Shall I\n") < len(out) < len(whole)


def test_a_closed_pipe_ends_it_quietly(folder: Path) -> None:
    given = [sys.executable, "-m", "quatrain", "generate", str(folder), "Shall", "--seed=1", "--slide"]
    with subprocess.Popen(
        [*given, "--max-new-tokens=1000000", "--device=cpu", "--precision=32-true"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdout
        assert process.stderr
        assert process.stdout.read(5) == b"Shall"  # long before the end
        process.stdout.close()
        assert (process.wait(60), process.stderr.read()) == (0, b"")


def test_a_real_run_and_the_example_of_the_help(
    run_here: Callable[..., tuple[RunDirectory, int]], capsys: pytest.CaptureFixture[str]
) -> None:
    run, code = run_here("experiment=quick_windows", *SMALL)
    assert code == 0
    example = next(line for line in str(command.__doc__).splitlines() if "generate outputs/windows" in line)
    words = shlex.split(example)[1:]
    assert words[1] == "outputs/windows"
    capsys.readouterr()
    assert main(["generate", str(run.path), *words[2:]]) == 0
    out = capsys.readouterr().out
    assert out.startswith("The gentle river")
    assert len(out) > len("The gentle river\n")
    assert main(["generate", str(run.path / "export"), "", "--temperature", "0"]) == 0


def test_a_run_that_is_not_done_is_refused(
    run_here: Callable[..., tuple[RunDirectory, int]], capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    from quatrain.config.compose import compose

    run = RunDirectory.create(tmp_path / "waiting", compose(["experiment=quick_windows", *SMALL]), [])
    assert main(["generate", str(run.path), "a"]) == 2
    assert "is a run that is not done but queued" in capsys.readouterr().err


def test_help_loads_nothing_heavy_and_tells_every_option(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["generate", "--help"]) == 0
    told = capsys.readouterr().out
    for flag in ("--max-new-tokens", "--temperature", "--top-k", "--top-p", "--samples", "--seed", "--slide"):
        assert flag in told
