"""Proves that provenance names command, config, code, machine and data, shows no secret, and tells of resumes."""

import json
import os
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest

from quatrain.core.errors import UserError
from quatrain.runs.directory import RunDirectory
from quatrain.runs.launch_command import handed_on, launch_command
from quatrain.runs.machine import instruction_sets, machine
from quatrain.runs.packages import code_fingerprint, installed
from quatrain.runs.provenance import collect, note_resume
from quatrain.runs.recorded import read_provenance

CONFIG = {
    "seed": 3,
    "run": {"dir": None, "root": "outputs"},
    "data": {"source": "https://me:hunter22@host/x.txt", "split_seed": 0},
    "logger": {"x": {"api_key": "hunter22"}},
    "tokenizer": {"pad_token": "<pad>"},
}


@pytest.fixture
def run(tmp_path: Path) -> RunDirectory:
    return RunDirectory.create(tmp_path / "run", CONFIG, [])


def collected(run: RunDirectory, **more: Any) -> dict[str, Any]:
    return collect(
        run,
        CONFIG,
        command=["quatrain", "train", "seed=3"],
        project=run.path.parent,
        fingerprints={"data": "aa", "tokenizer": "bb", "weights": "cc"},
        prefixes=["mine."],
        ranks=2,
        revisions={"model": "dd"},
        **more,
    )


def test_what_is_collected(run: RunDirectory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WANDB_API_KEY", "very-secret-value")
    monkeypatch.setenv("MKL_CBWR", "COMPATIBLE")
    found = collected(run)
    text = json.dumps(found)
    assert "very-secret-value" not in text
    assert "hunter22" not in text
    assert found["config"]["resolved"]["tokenizer"] == {"pad_token": "<pad>"}
    assert found["command"] == ["quatrain", "train", "seed=3"]
    assert found["seeds"] == {"seed": 3, "data.split_seed": 0}
    assert found["ranks"] == 2
    assert found["fingerprints"] == {"data": "aa", "tokenizer": "bb", "weights": "cc"}
    assert found["allowed_prefixes"] == ["mine."]
    assert found["revisions"] == {"model": "dd"}
    assert found["environment"]["MKL_CBWR"] == "COMPATIBLE"
    assert not set(os.environ) & set(found)
    assert found["git"] is None
    assert found["threads"]["torch"] >= 1
    assert {"python", "platform", "cpu", "cpus_usable", "memory_bytes", "gpus", "cuda", "cudnn", "driver"} <= set(found)


def test_every_package_is_named_once_in_order() -> None:
    found = installed()
    assert list(found) == sorted(found)
    assert found["torch"] == version("torch")
    assert {"pytorch-lightning", "pytest", "pyyaml"} <= set(found)


def test_the_code_fingerprint_is_of_the_content(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    package = tmp_path / "quatrain" / "runs"
    package.mkdir(parents=True)
    (package / "packages.py").write_text("one")
    monkeypatch.setattr("quatrain.runs.packages.__file__", str(package / "packages.py"))
    first = code_fingerprint()
    assert code_fingerprint() == first
    (package / "packages.py").write_text("two")
    assert code_fingerprint() != first


def test_instruction_sets_of_both_kinds_of_processor(tmp_path: Path) -> None:
    (tmp_path / "intel").write_text("processor : 0\nflags\t\t: fpu avx2 avx512_bf16 mmx\n")
    (tmp_path / "arm").write_text("processor : 0\nFeatures\t: fp asimd sve bf16\n")
    assert instruction_sets(tmp_path / "intel") == ["avx2", "avx512_bf16"]
    assert instruction_sets(tmp_path / "arm") == ["asimd", "bf16", "sve"]
    assert instruction_sets(tmp_path / "none") == []


def test_the_command_reaches_the_worker_without_its_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    with handed_on(["train", "--config-dir", "mine", "--allow", "pkg", "-m", "seed=1,2", "logger.api_key=abc123"]):
        told = launch_command(["seed=1"])
    assert told[:4] == ["quatrain", "train", "--config-dir", "mine"]
    assert told[-1] == "logger.api_key=***"
    monkeypatch.setenv("QUATRAIN_ALLOW", "pkg")
    assert launch_command(["seed=1", "x.password=abc"]) == [
        *("quatrain", "train", "--allow", "pkg", "seed=1", "x.password=***")
    ]


def test_a_resume_is_noted_with_what_has_changed(run: RunDirectory) -> None:
    origin = collected(run)
    origin["versions"]["torch"] = "1.0"
    run.write_provenance(origin)
    note_resume(run, step=7, checkpoint="/somewhere/checkpoints/step-7.ckpt")
    note_resume(run, step=9, checkpoint="last.ckpt")
    found = read_provenance(run)
    first, second = found["resumed"]
    assert (first["step"], first["checkpoint"]) == (7, "step-7.ckpt")
    assert (second["step"], second["checkpoint"]) == (9, "last.ckpt")
    assert first["changed"] == [{"what": "torch", "before": "1.0", "now": version("torch")}]
    assert first["host"] == machine()["host"]
    assert found["fingerprints"] == origin["fingerprints"]


def test_a_resume_before_there_is_provenance_and_one_of_a_file_that_is_none(run: RunDirectory) -> None:
    note_resume(run, step=1, checkpoint="last.ckpt")
    assert [entry["step"] for entry in read_provenance(run)["resumed"]] == [1]
    run.provenance.write_text("[]")
    with pytest.raises(UserError, match="holds no mapping"):
        note_resume(run, step=1, checkpoint="last.ckpt")
