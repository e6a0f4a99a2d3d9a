"""Proves when a run is online, and that quatrain sync brings all that is offline to a server, once and in order."""

import signal
import socket
import time
from pathlib import Path

import pytest

from quatrain.__main__ import main
from quatrain.core.errors import UserError
from quatrain.core.exit_codes import DONE, INTERRUPTED, REFUSED
from quatrain.runs.directory import RunDirectory
from quatrain.tracking.facts import RunFacts
from quatrain.tracking.wandb_mode import choose_mode
from quatrain.tracking.weights_and_biases import WeightsAndBiases

from .conftest import Here
from .wandb_server import KEY, Run, Server
from .what_wandb_wrote import files_of, read

QUIET = ("logger=wandb", "logger.wandb.system_metrics=false")
STEPS = [1, 2, 3, 4, 5, 6]


def steps(run: Run, name: str) -> list[int]:
    return [line["step"] for _, line in sorted(run.lines.items()) if name in line]


def test_auto_is_online_where_the_server_takes_the_key(
    here: Here, server: Server, capfd: pytest.CaptureFixture[str]
) -> None:
    run, code = here.train(*QUIET, signal=signal.SIGTERM)
    assert code == INTERRUPTED
    (shown,) = server.runs.values()
    assert shown.exit_code == INTERRUPTED
    assert here.resume(run) == DONE
    assert list(server.runs) == [shown.name]
    assert steps(shown, "train/loss") == STEPS
    assert steps(shown, "val/loss") == [2, 4, 6]
    assert (shown.exit_code, shown.summary["status"]) == (DONE, "done")
    assert shown.config["optimizer"]["value"]["lr"] == run.read_config()["optimizer"]["lr"]
    assert f"wandb: online ({server.url} takes the key)" in run.log.read_text()
    told = capfd.readouterr().err
    assert "Loaded credentials" not in told
    assert KEY not in told
    assert not [path for path in run.path.rglob("*") if path.is_file() and KEY.encode() in path.read_bytes()]
    assert main(["sync", "--list", str(run.path)]) == 0
    assert capfd.readouterr().out == "", "what was online is uploaded"


def test_what_was_offline_is_uploaded_once_and_in_order(
    here: Here, server: Server, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    run, _ = here.train(*QUIET, "logger.wandb.mode=offline", signal=signal.SIGTERM)
    assert here.resume(run) == DONE
    capsys.readouterr()
    assert main(["sync", "--list", str(here.folder)]) == 0
    assert capsys.readouterr().out.split() == [str(file.parent) for file in files_of(run.path)]
    assert server.runs == {}

    run.set_status("running")
    assert main(["sync", "--list", str(run.path)]) == 0
    said = capsys.readouterr()
    assert said.out == ""
    assert f"{run.path} is under way" in said.err
    run.set_status("done")

    server.fails = True
    assert main(["sync", str(run.path)]) == REFUSED
    assert "answers with HTTP status 404" in capsys.readouterr().err
    server.fails = False
    assert main(["sync", str(run.path)]) == DONE, capsys.readouterr().err
    (shown,) = server.runs.values()
    assert steps(shown, "train/loss") == STEPS
    assert steps(shown, "val/loss") == [2, 4, 6]
    assert (shown.exit_code, shown.summary["status"]) == (DONE, "done")
    assert f"2 of 2 uploaded to {server.url}" in capsys.readouterr().err
    before = len(server.asked)
    assert main(["sync", str(run.path)]) == DONE
    assert len(server.asked) == before
    assert "Nothing is left" in capsys.readouterr().err

    monkeypatch.delenv("WANDB_API_KEY")
    for file in files_of(run.path):
        file.with_name(file.name + ".synced").unlink()
    assert main(["sync", str(run.path)]) == REFUSED
    assert "Nothing is uploaded: no W&B key is configured" in capsys.readouterr().err
    assert main(["sync", "nowhere", "nor-here"]) == REFUSED
    assert capsys.readouterr().err.count("does not exist; name a run") == 2


def test_an_upload_that_breaks_is_told_and_made_good(
    here: Here, server: Server, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    run, _ = here.train(*QUIET, "logger.wandb.mode=offline")
    monkeypatch.setattr("quatrain.tracking.wandb_sync.check_server", lambda: server.url)
    server.fails = True
    assert main(["sync", str(run.path)]) == 1
    assert "could not be uploaded" in capsys.readouterr().err
    server.fails = False
    assert main(["sync", str(run.path)]) == DONE
    (shown,) = server.runs.values()
    assert steps(shown, "train/loss") == STEPS


def test_what_was_offline_before_is_made_up_for_online(here: Here, server: Server) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("WANDB_API_KEY")
        run, code = here.train(*QUIET, signal=signal.SIGTERM)
    assert code == INTERRUPTED
    assert server.runs == {}
    assert here.resume(run) == DONE
    (shown,) = server.runs.values()
    assert steps(shown, "train/loss") == STEPS
    assert shown.name == read(files_of(run.path)[0]).run.run_id


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


def test_the_mode_is_chosen_with_its_reason(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    import wandb

    def chosen(asked: str = "auto", **variables: str) -> tuple[str, str]:
        with pytest.MonkeyPatch.context() as patch:
            for name, value in variables.items():
                patch.setenv(name, value)
            wandb.teardown()
            return choose_mode(asked)  # type: ignore[arg-type]

    assert chosen() == ("online", f"{server.url} takes the key")
    assert chosen(WANDB_MODE="offline") == ("offline", "WANDB_MODE=offline")
    assert chosen("online", WANDB_MODE="disabled") == ("disabled", "WANDB_MODE=disabled")
    assert chosen(WANDB_MODE="dryrun")[0] == "offline"
    assert chosen(WANDB_MODE="online")[0] == "online"
    assert chosen(WANDB_API_KEY="short") == (
        "offline",
        "the W&B key is malformed (WANDB_API_KEY invalid: API key must have 40+ characters, has 5.);"
        " quatrain sync uploads it later",
    )
    assert chosen(WANDB_MODE="nonsense")[0] == "offline"
    server.refuses = True
    assert chosen()[1].startswith(f"{server.url} refuses the key")
    with pytest.raises(UserError, match=r"logger.wandb.mode=online: .* refuses the key; mend that, or leave"):
        chosen("online")
    gone = f"http://127.0.0.1:{free_port()}"
    assert chosen(WANDB_BASE_URL=gone)[1].startswith(f"{gone} cannot be reached (ConnectionError)")
    Path("netrc").write_text(f"machine {server.url.removeprefix('http://')} login user password {KEY}\n")
    Path("netrc").chmod(0o600)
    server.refuses = False
    monkeypatch.delenv("WANDB_API_KEY")
    assert chosen()[0] == "online", "wandb login writes netrc"
    Path("netrc").unlink()
    assert chosen()[1].startswith("no W&B key is configured")


def test_a_server_that_is_silent_is_waited_for_five_seconds_at_most(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("quatrain.tracking.probe.PATIENCE", 0.3)
    monkeypatch.setenv("WANDB_API_KEY", KEY)
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        monkeypatch.setenv("WANDB_BASE_URL", f"http://127.0.0.1:{deaf.getsockname()[1]}")
        before = time.monotonic()
        mode, reason = choose_mode("auto")
        assert time.monotonic() - before < 3
    assert mode == "offline"
    assert "does not answer within" in reason


def test_online_that_cannot_be_had_is_refused_before_work(here: Here, capsys: pytest.CaptureFixture[str]) -> None:
    run, code = here.train("logger=wandb", "logger.wandb.mode=online")
    assert code == REFUSED
    assert "error: logger.wandb.mode=online: no W&B key is configured" in capsys.readouterr().err
    assert run.read_metrics() == []


def test_a_server_that_goes_away_ends_nothing_and_sync_brings_the_rest(tmp_path: Path, server: Server) -> None:
    run, told = RunDirectory(tmp_path / "run"), []
    tracker = WeightsAndBiases(str(run.tracking), system_metrics=False, finish_timeout=1.0)
    assert tracker.choose()[0] == "online"
    run.path.mkdir()
    run.config.write_text("{}")
    tracker.begin(RunFacts(run.path, "experiment", "tag", [], {"seed": 1}), told.append)
    server.fails = True
    for step in STEPS:
        tracker.log_row({"step": step, "epoch": 0, "train/loss": 1.0})
    tracker.finish(DONE, "done", None)
    assert told == [f"wandb: not all is uploaded; quatrain sync {run.path} uploads the rest"]
    server.fails = False
    assert main(["sync", str(run.path)]) == DONE
    (shown,) = server.runs.values()
    assert steps(shown, "train/loss") == STEPS
