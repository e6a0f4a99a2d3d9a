"""Proves that a run directory brings data alone: it names no code, reaches nowhere else, and is told in sentences.

Each attack is shown to be real by what happens without the guard.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from quatrain import worker
from quatrain.config.compose import compose
from quatrain.core.build import build, locate
from quatrain.core.errors import UserError
from quatrain.runs import reading
from quatrain.runs.directory import RunDirectory, load_run
from quatrain.training.preemption import StopRequest

OVERRIDES = ("trainer.max_steps=1", "run.report=false", "trainer.accelerator=cpu", "data.verse_size=60")


@pytest.fixture(autouse=True)
def _not_bound_to_a_starter(monkeypatch: pytest.MonkeyPatch) -> None:
    """The worker runs in this process, which is not to die with another, nor by a signal of a later test."""
    monkeypatch.setattr("quatrain.runs.processes.end_with_parent", lambda: None)
    for name in ("listen", "watch"):
        monkeypatch.setattr(StopRequest, name, lambda self: None)


@pytest.fixture(scope="module")
def config() -> dict[str, Any]:
    return compose(OVERRIDES)


@pytest.fixture
def run(tmp_path: Path, config: dict[str, Any]) -> RunDirectory:
    return RunDirectory.create(tmp_path / "run", config, OVERRIDES)


def rewrite(run: RunDirectory, change: Callable[[dict[str, Any]], object]) -> None:
    config = yaml.safe_load(run.config.read_text())
    change(config)
    run.config.write_text(yaml.safe_dump(config))


@pytest.mark.parametrize(
    ("group", "target"),
    [
        ("optimizer", "os.system"),
        ("data", "subprocess.Popen"),
        ("tokenizer", "quatrain.worker.os.system"),
        ("schedule", "quatrain.__main__.import_module"),
        ("model", "quatrain.core.build.os.system"),
        ("callbacks", "builtins.eval"),
        ("logger", "torch.optim.sys.exit"),
    ],
)
def test_a_config_that_names_code(
    group: str, target: str, run: RunDirectory, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    called: list[object] = []
    for name in ("os.system", "subprocess.Popen"):
        monkeypatch.setattr(name, lambda *given, **named: called.append((given, named)))
    node = {"_target_": target, "command": "touch /tmp/owned"}
    rewrite(run, lambda config: config.update({group: {"x": node} if group in ("callbacks", "logger") else node}))
    assert worker.main([str(run.path)]) == 2
    said = capsys.readouterr().err
    assert f"_target_={target}" in said
    assert "Traceback" not in said
    assert called == []
    assert run.status().status == "failed"


def test_a_nested_node_names_no_code_either() -> None:
    with pytest.raises(UserError, match=r"x\.groups\[1\]\._target_=os\.system may not be named"):
        build({"_target_": "torch.optim.SGD", "params": [], "groups": [1, {"_target_": "os.system"}]}, "x")


def test_a_run_cannot_extend_the_list(run: RunDirectory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither its config nor its provenance nor a module that lies in it; the launch can, so the attack is real."""
    (run.path / "evil_code.py").write_text("class Evil:\n    pass\n")
    words = {"allow": ["evil_code."], "allowed_prefixes": ["evil_code."], "QUATRAIN_ALLOW": "evil_code"}
    run.write_provenance(words)
    rewrite(run, lambda config: config.update(words, schedule={"_target_": "evil_code.Evil"}))
    monkeypatch.chdir(run.path)
    monkeypatch.syspath_prepend(str(run.path))
    assert worker.main([str(run.path)]) == 2
    assert "evil_code.Evil may not be named" in (run.status().why or "")
    monkeypatch.setenv("QUATRAIN_ALLOW", "evil_code")
    assert locate("evil_code.Evil").__name__ == "Evil"


def test_a_library_that_lies_in_a_run_is_not_imported(run: RunDirectory, monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker that is started from within a run directory does not take yaml.py of there for the library."""
    import subprocess
    import sys

    from quatrain.runs.processes import worker_environment

    (run.path / "yaml.py").write_text(f"open({str(run.path / 'owned')!r}, 'w').close()\n")
    monkeypatch.chdir(run.path)
    command = [sys.executable, "-c", "import yaml"]
    subprocess.run(command, env=worker_environment(), check=True)
    assert not (run.path / "owned").exists()
    plain = {name: value for name, value in worker_environment().items() if name != "PYTHONSAFEPATH"}
    subprocess.run(command, env=plain, check=True)
    assert (run.path / "owned").exists(), "the attack is a real one"


def test_yaml_makes_no_objects(run: RunDirectory, tmp_path: Path) -> None:
    marker = tmp_path / "owned"
    text = f"x: !!python/object/apply:os.mknod ['{marker}']\n"
    run.config.write_text(text)
    with pytest.raises(UserError, match=r"config.yaml cannot be read"):
        run.read_config()
    assert not marker.exists()
    yaml.unsafe_load(text)
    assert marker.exists(), "the attack is a real one"


@pytest.mark.parametrize("name", ["config.yaml", "status.json", "overrides.yaml", "result.json", "metrics.csv"])
def test_files_that_are_links(name: str, run: RunDirectory, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("step,epoch\n1,1\n" if name == "metrics.csv" else '["a"]' if "over" in name else '{"a": 1}')
    (run.path / name).unlink(missing_ok=True)
    (run.path / name).symlink_to(secret)
    read = {
        "config.yaml": run.read_config,
        "status.json": run.status,
        "overrides.yaml": run.read_overrides,
        "result.json": run.read_result,
        "metrics.csv": run.read_metrics,
    }
    with pytest.raises(UserError, match=f"{name} leads out of"):
        read[name]()
    with pytest.raises(UserError, match=f"{name} leads out of"):
        load_run(run.path)


@pytest.mark.parametrize("name", ["run.log", "checkpoints", "export", "tracking", "checkpoints/last.ckpt"])
def test_a_run_writes_nowhere_else(name: str, run: RunDirectory, tmp_path: Path) -> None:
    """A log that is a link would be written to where it leads; nothing is."""
    elsewhere = tmp_path / "home"
    elsewhere.mkdir()
    target = elsewhere if "." not in name else elsewhere / ".profile"
    (run.path / name).parent.mkdir(exist_ok=True)
    (run.path / name).symlink_to(target)
    assert worker.main([str(run.path)]) == 2
    assert list(elsewhere.iterdir()) == []


def test_links_within_a_run_and_to_a_run_stay(run: RunDirectory, tmp_path: Path) -> None:
    run.checkpoints.mkdir()
    (run.checkpoints / "best.ckpt").write_bytes(b"")
    (run.checkpoints / "last.ckpt").symlink_to("best.ckpt")
    (tmp_path / "latest").symlink_to(run.path)
    assert load_run(tmp_path / "latest").read_config()


LAUGHS = "a: &a [1, 1, 1, 1, 1, 1, 1, 1, 1]\n" + "".join(
    f"{chr(98 + place)}: &{chr(98 + place)} [{', '.join(['*' + chr(97 + place)] * 9)}]\n" for place in range(12)
)
MERGES = "a: &a {x: 1}\n" + "".join(f"b{n}: &b{n}\n  <<: [{', '.join(['*a'] * 9)}]\n" for n in range(12))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (LAUGHS, "unfolds to more than 100000 values from"),
        ("a: &a [*a]\n", "unfolds to more than"),
        (MERGES, "cannot be read"),
        ("[" * 20_000, "cannot be read"),
        ("a: " + "9" * 10_000, "cannot be read"),
        ("a: [1\n", "cannot be read"),
        ("- 1\n", "holds no mapping"),
        ("", "holds no mapping"),
        ("\x00", "cannot be read"),
        ("x: " + "y" * 2_000_000, "has 2 MB, more than the 1 MB that are read of it"),
    ],
)
def test_hostile_configs_are_told(text: str, said: str, run: RunDirectory) -> None:
    run.config.write_text(text)
    with pytest.raises(UserError, match=said):
        run.read_config()
    assert worker.main([str(run.path)]) == 2


def test_a_config_that_is_no_text_or_no_file(run: RunDirectory) -> None:
    run.config.write_bytes(b"\xff\xfe")
    with pytest.raises(UserError, match=r"byte 0 is not UTF-8"):
        run.read_config()
    run.config.unlink()
    run.config.mkdir()
    with pytest.raises(UserError, match="is no regular file"):
        run.read_config()


def test_a_pipe_does_not_make_wait(run: RunDirectory) -> None:
    import os

    run.status_file.unlink()
    os.mkfifo(run.status_file)
    with pytest.raises(UserError, match="is no regular file"):
        run.status()


GOOD = {"status": "done", "why": None, "time": "", "pid": 1, "process_start": "", "host": "h"}


@pytest.mark.parametrize(
    "content",
    [
        *("[]", "", "{", "[" * 100_000, "1", '"done"', "{}"),
        *(json.dumps({**GOOD, **words}) for words in ({"pid": "../../x"}, {"status": "owned"}, {"why": 5}, {"x": 1})),
        json.dumps({**GOOD, "pid": True}),
    ],
)
def test_hostile_states_are_told(content: str, run: RunDirectory) -> None:
    run.status_file.write_text(content)
    with pytest.raises(UserError, match=r"status.json"):
        run.status()
    run.status_file.write_text(json.dumps(GOOD))
    assert run.status().status == "done"


@pytest.mark.parametrize(
    "content", ["a,b\n1,x\n", "step,epoch\n1,2,3\n", "step\n1\n\x00\n", "a\n" + "x" * 200_000 + "\n"]
)
def test_hostile_metrics_are_told(content: str, run: RunDirectory) -> None:
    run.metrics_file.write_text(content)
    with pytest.raises(UserError, match=r"metrics.csv, line \d"):
        run.read_metrics()


def test_other_files_of_wrong_form(run: RunDirectory, monkeypatch: pytest.MonkeyPatch) -> None:
    for content in ("[]", "{", "null"):
        run.result.write_text(content)
        with pytest.raises(UserError, match=r"result.json"):
            run.read_result()
    for content in ("a: 1\n", "[1, 2]\n", "- [a]\n"):
        run.overrides.write_text(content)
        with pytest.raises(UserError, match=r"overrides.yaml"):
            run.read_overrides()
    monkeypatch.setattr(reading, "LARGEST_JSON", 10)
    run.result.write_text('{"metrics": 12345}')
    with pytest.raises(UserError, match="more than the 10 bytes"):
        run.read_result()


def test_what_a_run_says_is_escaped(run: RunDirectory, capsys: pytest.CaptureFixture[str]) -> None:
    rewrite(run, lambda config: config["optimizer"].update(_target_="os.\x1b]0;owned\x07system"))
    assert worker.main([str(run.path)]) == 2
    assert not {"\x1b", "\x07"} & set(capsys.readouterr().err)


PLACES = (
    ("callbacks", {"_target_": "pytorch_lightning.callbacks.ModelCheckpoint", "dirpath": "/tmp/owned"}),
    ("callbacks", {"_target_": "pytorch_lightning.callbacks.ModelCheckpoint", "filename": "../../owned"}),
    ("logger", {"_target_": "pytorch_lightning.loggers.WandbLogger", "dir": "/tmp/owned"}),
    ("logger", {"_target_": "pytorch_lightning.loggers.CSVLogger", "name": "/tmp/owned"}),
)


@pytest.mark.parametrize(("group", "node"), PLACES)
def test_a_config_that_writes_elsewhere(group: str, node: dict[str, str], run: RunDirectory) -> None:
    rewrite(run, lambda config: config.update({group: {"x": node}}))
    assert worker.main([str(run.path)]) == 2
    name = list(node)[1]
    assert f"{group}.x.{name}=" in (run.status().why or "")
    words = ", ".join(f"{key}: '{value}'" for key, value in node.items())
    with pytest.raises(UserError, match=f"{group}.x.{name}="):
        compose([f"+{group}.x={{{words}}}"])


@pytest.mark.parametrize(
    "target",
    ["quatrain.", "quatrain..x", "quatrain.\x00a.B", ".quatrain.x", "quatrain.core/build.x", "torch.optim. .x", ""],
)
def test_targets_that_are_no_names(target: str) -> None:
    with pytest.raises(UserError):
        locate(target)


@pytest.mark.parametrize("command", ["resume", "reproduce"])
@pytest.mark.parametrize("target", ["os.system", "quatrain.worker.os.system"])
def test_commands_on_a_run_that_names_code(
    command: str, target: str, run: RunDirectory, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from quatrain.__main__ import main

    called: list[object] = []
    monkeypatch.setattr("os.system", called.append)
    monkeypatch.chdir(run.path.parent)
    rewrite(run, lambda config: config.update(optimizer={"_target_": target, "command": "touch /tmp/owned"}))
    run.set_status("interrupted", "A signal ended the run.")
    before = sorted(path.name for path in run.path.parent.iterdir())
    assert main([command, str(run.path)]) == 2
    assert f"_target_={target}" in capsys.readouterr().err
    assert called == []
    assert sorted(path.name for path in run.path.parent.iterdir()) == before


@pytest.mark.parametrize("command", ["resume", "reproduce"])
@pytest.mark.parametrize("name", ["changes.yaml", "run.log", "checkpoints", "provenance.json"])
def test_commands_on_a_run_that_leads_out(
    command: str, name: str, run: RunDirectory, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from quatrain.__main__ import main

    (tmp_path / "elsewhere").mkdir()
    (run.path / name).symlink_to(tmp_path / "elsewhere")
    run.set_status("interrupted", "A signal ended the run.")
    assert main([command, str(run.path)]) == 2
    assert f"{name} leads out of" in capsys.readouterr().err
    assert list((tmp_path / "elsewhere").iterdir()) == []
