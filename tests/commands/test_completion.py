"""What is offered to a shell at the cursor of a command line: read from files and sources, and quickly."""

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from quatrain.__main__ import COMMANDS, main
from quatrain.config.completion import words_before


def module_of(command: str) -> str:
    """The module that is the command."""
    return f"quatrain.commands.{command.replace('-', '_')}"


def asked(line: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is offered at the end of ``line``."""
    monkeypatch.setenv("COMP_LINE", line)
    monkeypatch.delenv("COMP_POINT", raising=False)
    assert main(["-sc", "query=bash"]) == 0
    return capsys.readouterr().out.splitlines()


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("quatrain train trainer.max_s", ["trainer.max_steps="]),
        ("quatrain train experiment=quick_windows model.config.n_la", ["model.config.n_layer="]),
        ("quatrain train schedule=cosine schedule.final", ["schedule.final_share="]),
        ("quatrain train schedule.final", []),
        ("quatrain train data.example=", ["data.example=line", "data.example=poem", "data.example=block"]),
        ("quatrain train -m model=tiny_bert,tiny_g", ["model=tiny_bert,tiny_gpt2"]),
        ("quatrain train callbacks=[default,ear", ["callbacks=[default,early_stopping"]),
        ("quatrain train +mod", ["+model=", "+model."]),
        ("quatrain train trainer.fast_dev_run=t", ["trainer.fast_dev_run=true"]),
        ("quatrain train sweep.tri", []),
        ("quatrain train sweep=optuna sweep.tri", ["sweep.trials=", "sweep.trial="]),
        ("quatrain look --js", ["--json"]),
        ("quatrain train --mul", ["--multirun"]),
        ("quatrain explain optimizer.weight", ["optimizer.weight_decay"]),
        ("quatrain list tok", ["tokenizer"]),
        ("quatrain nonsense ", []),
        ("quatrain train 'model=tiny_b", ["model=tiny_bert"]),
    ],
)
def test_what_is_offered(
    line: str, offered: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert asked(line, capsys, monkeypatch) == offered


@pytest.mark.parametrize("command", [name for name in COMMANDS if find_spec(module_of(name))])
def test_every_command_offers_its_flags(
    command: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "--help" in asked(f"quatrain {command} --", capsys, monkeypatch)


def test_neither_hydra_nor_torch_is_imported_for_an_answer(tmp_path: Path) -> None:
    code = (
        "import sys\nfrom quatrain.__main__ import main\nmain(['-sc', 'query=bash'])\n"
        "heavy = {'torch', 'transformers', 'pytorch_lightning', 'hydra', 'omegaconf', 'pydantic'} & set(sys.modules)\n"
        "sys.exit(f'imported {heavy}' if heavy else 0)"
    )
    (tmp_path / "runs").mkdir()
    for line in ("quatrain train trainer.max", "quatrain train model=", "quatrain resume ", "quatrain predict --"):
        done = subprocess.run(
            [sys.executable, "-c", code],
            cwd=tmp_path,
            env={**os.environ, "COMP_LINE": line},
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr
        assert done.stdout


def test_a_line_is_cut_into_words_as_a_shell_does() -> None:
    assert words_before("quatrain train a='b c' \"d e\" f\\ g h") == (["train", "a=b c", "d e", "f g"], "h")
    assert words_before("quatrain train ") == (["train"], "")
    assert words_before("quatrain train 'open quo") == (["train"], "open quo")


def test_names_that_would_command_a_terminal_are_not_offered(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "bad\x1b[31m").mkdir()
    (tmp_path / "good").mkdir()
    monkeypatch.chdir(tmp_path)
    assert asked("quatrain resume ", capsys, monkeypatch) == ["good/"]


def test_a_status_is_offered_behind_a_comma_too(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "--status" in asked("quatrain clean --st", capsys, monkeypatch)
    assert asked("quatrain clean --status fa", capsys, monkeypatch) == ["failed"]
    offered = asked("quatrain runs --status failed,", capsys, monkeypatch)
    assert "failed,interrupted" in offered
    assert "failed,failed" not in offered


def test_sweeps_are_offered_where_they_are_taken_and_attempts_nowhere(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A sweep comes right before its jobs; a command of one run is offered the jobs alone."""
    monkeypatch.chdir(tmp_path)
    sweep = Path("outputs", "sweeps", "mine")
    for age, name in enumerate(("seed-2", "seed-1", "seed-1.attempt1")):
        (sweep / name).mkdir(parents=True)
        (sweep / name / "status.json").write_text("{}")
        os.utime(sweep / name, (1e9 - age, 1e9 - age))
    jobs = [str(sweep / "seed-2"), str(sweep / "seed-1")]
    for command in ("compare", "report", "runs", "show", "clean"):
        assert asked(f"quatrain {command} ", capsys, monkeypatch) == [str(sweep), *jobs]
    assert asked("quatrain resume ", capsys, monkeypatch) == jobs
