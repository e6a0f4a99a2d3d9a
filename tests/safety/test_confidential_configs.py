"""Proves that no secret and nothing of the environment reaches config.yaml, and that names stay in their own place."""

from pathlib import Path

import pytest
import yaml

from quatrain.config.compose import compose
from quatrain.config.confidential import secrets_in
from quatrain.core.errors import UserError
from quatrain.runs.directory import RunDirectory

SECRET = "Zx9q7q7q7q7q7q7q7q7"


def refused(*overrides: str) -> str:
    with pytest.raises(UserError) as caught:
        compose(overrides)
    assert SECRET not in str(caught.value)
    return str(caught.value)


@pytest.fixture
def _secret_in_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", SECRET)


@pytest.mark.parametrize(
    ("override", "said"),
    [
        (f"+logger.wandb.api_key={SECRET}", "set WANDB_API_KEY in the environment instead"),
        (f"+logger.wandb.settings={{api_key: {SECRET}}}", "logger.wandb.settings.api_key holds a secret by its name"),
        (f"+logger.wandb.hfToken={SECRET}", "logger.wandb.hfToken holds a secret"),
        (f"+logger.wandb.notes=hf_{SECRET}", "logger.wandb.notes holds what looks like a key or token"),
        (f"+logger.wandb.tags=[a,sk-{SECRET}]", "logger.wandb.tags[1] holds what looks like a key or token"),
        (f"data.source='https://me:{SECRET}@host/a.txt'", "data.source holds the account of a URL"),
        (f"data.source='https://host/a.txt?token={SECRET}'", "name your copy, or a public address"),
    ],
)
def test_a_secret_is_refused(override: str, said: str) -> None:
    assert said in refused("logger=wandb", override)


@pytest.mark.usefixtures("_secret_in_environment")
@pytest.mark.parametrize(
    ("override", "said"),
    [
        (f"name={SECRET}", "name holds the value of the environment variable HF_TOKEN"),
        ("name=${oc.env:HF_TOKEN}", "name takes HF_TOKEN from the environment by ${oc.env:...}"),
        ("run.root=/tmp/${oc.env:HOME}", "run.root takes HOME from the environment"),
        ("model.config.hidden_size='${oc.decode:${oc.env:HF_TOKEN}}'", "takes HF_TOKEN from the environment"),
    ],
)
def test_nothing_of_the_environment_is_taken(override: str, said: str) -> None:
    assert said in refused(override)


@pytest.mark.usefixtures("_secret_in_environment")
def test_a_config_file_of_the_users_cannot_ask_for_the_environment(tmp_path: Path) -> None:
    (tmp_path / "experiment").mkdir()
    (tmp_path / "experiment" / "mine.yaml").write_text("# @package _global_\nname: ${oc.env:HF_TOKEN}\n")
    with pytest.raises(UserError, match=r"name takes HF_TOKEN from the environment"):
        compose(["experiment=mine"], tmp_path)


@pytest.mark.usefixtures("_secret_in_environment")
def test_the_environment_would_be_read_otherwise() -> None:
    """The attack is real: OmegaConf resolves it, and does so again once composing is over."""
    from omegaconf import OmegaConf

    compose(["seed=2"])
    config = OmegaConf.create({"name": "${oc.env:HF_TOKEN}"})
    assert config.name == SECRET


def test_ordinary_settings_pass() -> None:
    config = {
        "tokenizer": {"mask_token": "<mask>", "special_tokens": ["<s>", "</s>"], "source": "bert-base-uncased"},
        "data": {"text_key": "text", "max_tokens": 5, "source": "https://host/a.txt?raw=1", "sha256": "ab" * 32},
        "logger": {"wandb": {"api_key": None, "project": "quatrain"}},
    }
    assert list(secrets_in(config)) == []


def test_overrides_that_only_hydra_takes_are_written_without_their_secrets(tmp_path: Path) -> None:
    overrides = [f"+hydra.job.env_set.WANDB_API_KEY={SECRET}", "seed=1"]
    run = RunDirectory.create(tmp_path / "run", {"seed": 1}, overrides)
    assert run.read_overrides() == ["+hydra.job.env_set.WANDB_API_KEY=***", "seed=1"]


def test_a_refused_command_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from quatrain.__main__ import main

    monkeypatch.chdir(tmp_path)
    assert main(["train", "logger=wandb", f"+logger.wandb.api_key={SECRET}"]) == 2
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("key", ["name", "sweep.name"])
@pytest.mark.parametrize("value", ["../../x", "/tmp/x", "..", "a/../../b", "~root", "a\\\\b", "x" * 300])
def test_names_lead_nowhere_else(key: str, value: str) -> None:
    assert f"{key}=" in refused(f"{key}='{value}'")


def test_a_composed_config_has_no_environment_value(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_PASSWORD", SECRET)
    assert SECRET not in yaml.safe_dump(compose(["experiment=quick_mrpc"]))
