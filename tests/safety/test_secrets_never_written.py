"""Proves that what a run writes and says holds no secret: log, tracebacks, status, folder name, model card."""

import logging
from pathlib import Path

import pytest

from quatrain.runs.directory import RunDirectory
from quatrain.runs.model_card import model_card
from quatrain.runs.naming import readable_tag
from quatrain.runs.run_log import run_log
from quatrain.training.preemption import StopRequest

SECRET = "Zx9q7q7q7q7q7q7q7q7"


def _say_and_fail(token: str) -> None:
    logging.getLogger("library").info("environment: %s", {"HF_TOKEN": token, "plain": token})
    logging.getLogger("library").warning("sent Bearer %s\x1b[2J", "abcdefgh")
    _fail(token)


def _fail(token: str) -> None:
    raise RuntimeError(f"401 for https://me:{token}@host/x?token={token}, password={token}")


def test_log_records_and_tracebacks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", SECRET)
    with pytest.raises(RuntimeError), run_log(tmp_path / "run.log"):
        _say_and_fail(SECRET)
    text = (tmp_path / "run.log").read_text()
    assert "Traceback" in text
    assert "401 for https://***@host/x?token=***, password=***" in text
    assert SECRET not in text
    assert "abcdefgh" not in text
    assert "\x1b" not in text


def test_without_the_redaction_the_log_would_hold_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The attack is real: what a plain formatter writes holds the secret."""
    monkeypatch.setattr("quatrain.runs.run_log.Redacting", logging.Formatter)
    with run_log(tmp_path / "run.log"):
        logging.getLogger("library").info("token=%s", SECRET)
    assert SECRET in (tmp_path / "run.log").read_text()


def test_the_status(tmp_path: Path) -> None:
    run = RunDirectory.create(tmp_path / "run", {"seed": 1}, [])
    run.set_status("failed", f"https://me:{SECRET}@host cannot be reached")
    assert run.status().why == "https://***@host cannot be reached"
    assert SECRET not in run.status_file.read_text()


def test_the_folder_name() -> None:
    assert readable_tag(["optimizer.lr=1", f"model.api_key={SECRET}", f"data.source=hf_{SECRET}"]) == "lr-1"


def test_the_model_card() -> None:
    card = model_card(
        name="x",
        task="fill-mask",
        data=f"https://me:{SECRET}@host/file",
        commands=[
            f"quatrain train data.source=https://host/file?token={SECRET} tokenizer.mask_token=<mask>",
        ],
    )
    assert SECRET not in card
    assert "tokenizer.mask_token=<mask>" in card


def test_a_worker_that_fails_tells_no_secret(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from quatrain import worker

    def broken(*parts: object) -> None:
        worker.tell(f"data.source: https://host/?token={SECRET}\x1b[2J")
        _fail(SECRET)

    monkeypatch.setattr(worker, "prepare", broken)
    run = RunDirectory.create(tmp_path / "run", {"seed": 1}, [])
    with run_log(run.log):
        assert worker.guarded(run, StopRequest()) == 1
    said = capsys.readouterr().err
    assert "RuntimeError: 401 for https://***@host" in said
    for text in (said, run.log.read_text(), run.status_file.read_text()):
        assert SECRET not in text
        assert "\x1b" not in text
