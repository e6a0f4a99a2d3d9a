"""Proves that provenance names command, code and machine, and shows no secret."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from quatrain.core.secrets import redact
from quatrain.runs.provenance import collect, git_state


@pytest.mark.parametrize(
    ("argument", "shown"),
    [
        ("logger.api_key=abc", "logger.api_key=***"),
        ("+logger.wandb.token=abc", "+logger.wandb.token=***"),
        ("hf_token=abc", "hf_token=***"),
        ("--password=abc", "--password=***"),
        ("+logger.x={name: a, api_key: abc, b: 1}", "+logger.x={name: a, api_key: ***, b: 1}"),
        ("my.secret='two words'", "my.secret=***"),
        ("data.source=https://me:abc@host/file", "data.source=https://***@host/file"),
        ("tokenizer.source=abc", "tokenizer.source=abc"),
        ("tokenizer.mask_token=<mask>", "tokenizer.mask_token=<mask>"),
        ("data.max_tokens=7", "data.max_tokens=7"),
        ("optimizer.lr=1e-4", "optimizer.lr=1e-4"),
        ("data.source=verse", "data.source=verse"),
    ],
)
def test_values_of_secrets_are_hidden(argument: str, shown: str) -> None:
    assert redact(["quatrain", "train", argument])[-1] == shown


def test_a_secret_after_its_flag_is_hidden() -> None:
    assert redact(["x", "--token", "abc", "train"]) == ["x", "--token", "***", "train"]
    assert redact(["x", "--multirun", "seed=1,2"]) == ["x", "--multirun", "seed=1,2"]


def test_what_is_collected(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WANDB_API_KEY", "very-secret-value")
    found = collect(
        command=["quatrain", "train", "seed=1"],
        project=tmp_path,
        fingerprints={"data": "aa", "tokenizer": "bb"},
        prefixes=["mine."],
        revisions={"model": "cc"},
    )
    text = json.dumps(found)
    assert "very-secret-value" not in text
    assert found["command"] == ["quatrain", "train", "seed=1"]
    assert found["versions"]["torch"].startswith("2.")
    assert found["fingerprints"] == {"data": "aa", "tokenizer": "bb"}
    assert found["allowed_prefixes"] == ["mine."]
    assert found["revisions"] == {"model": "cc"}
    assert {"python", "platform", "cpu", "gpus", "host", "started", "git"} <= set(found)
    assert not set(os.environ) & set(found)


def test_the_state_of_the_code(tmp_path: Path) -> None:
    assert git_state(tmp_path) is None

    def git(*arguments: str) -> str:
        identity = ["-c", "user.name=a", "-c", "user.email=a@b"]
        command = ["git", "-C", str(tmp_path), *identity, *arguments]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

    git("init")
    (tmp_path / "a").write_text("a")
    git("add", "a")
    git("commit", "-m", "a")
    assert git_state(tmp_path) == {"commit": git("rev-parse", "HEAD"), "dirty": False}
    (tmp_path / "b").write_text("b")
    assert git_state(tmp_path) == {"commit": git("rev-parse", "HEAD"), "dirty": True}
