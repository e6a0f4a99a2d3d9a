"""Launchers of others: ready configs for what there is, and mistakes told before anything is written."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from quatrain.__main__ import main
from quatrain.config import launchers
from quatrain.config.folder import conf_folder

OPTIONS = sorted(path.stem for path in (conf_folder() / "hydra" / "launcher").glob("*.yaml"))


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.chdir(tmp_path)
    yield
    assert [path for path in tmp_path.rglob("*") if "own" not in path.parts] == [], "nothing is written"


def refused(*words: str, capsys: pytest.CaptureFixture[str]) -> list[str]:
    assert main(["train", "-m", "seed=1,2", *words]) == 2
    return [line for line in capsys.readouterr().err.splitlines() if line.startswith("error: ")]


def test_every_ready_config_belongs_to_a_known_plugin() -> None:
    assert sorted(launchers.PLUGINS) == OPTIONS
    for name in OPTIONS:
        text = (conf_folder() / "hydra" / "launcher" / f"{name}.yaml").read_text()
        assert text.startswith("# ")
        assert yaml.safe_load(text)["_target_"].startswith(f"hydra_plugins.{launchers.PLUGINS[name].package}.")


def test_a_launcher_that_is_not_installed_names_its_extra(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(launchers, "_is_missing", lambda _: True)
    for name, extra in (("joblib", "joblib"), ("ray", "ray"), ("submitit_slurm", "slurm"), ("submitit_local", "slurm")):
        [told] = refused(f"hydra/launcher={name}", "hydra.launcher.n_jobs=2", capsys=capsys)
        assert told.endswith(f"is not installed; pip install 'quatrain[{extra}]'.")


def test_a_machine_that_takes_no_jobs_of_slurm_is_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(launchers, "_is_missing", lambda _: False)
    monkeypatch.setenv("PATH", "/nowhere")
    [told] = refused("hydra/launcher=submitit_slurm", capsys=capsys)
    assert "this machine has no sbatch" in told


def test_a_misspelt_launcher_is_told_with_the_nearest(capsys: pytest.CaptureFixture[str]) -> None:
    [told] = refused("hydra/launcher=jobblib", "hydra.launcher.n_jobs=2", capsys=capsys)
    assert "did you mean joblib?" in told


@pytest.mark.parametrize(
    ("word", "told"),
    [
        ("hydra.launcher.n_job=2", "did you mean n_jobs?"),
        ("hydra.launcher.n_jobs=many", "hydra.launcher.n_jobs=many does not fit"),
        ("hydra.launcher._target_=os.system", "choose hydra/launcher=OPTION"),
        ("hydra.launcher={_target_: os.system}", "set its keys one by one"),
        ("trainer.num_nodes=2", "only hydra/launcher=submitit_slurm starts a job on several nodes"),
    ],
)
def test_settings_that_a_launcher_does_not_take(word: str, told: str, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("hydra_plugins.hydra_joblib_launcher")
    sentences = refused("hydra/launcher=joblib", word, capsys=capsys)
    assert len(sentences) == 1
    assert told in sentences[0]


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ("{_target_: hydra_plugins.x.Y, setup: [touch here]}", "hydra.launcher.setup runs commands"),
        ("{_target_: hydra_plugins.x.Y, ray: {init: {runtime_env: {py_executable: x}}}}", "ray.init.runtime_env runs"),
        ("{_target_: hydra_plugins.x.Y, inner: {_target_: os.system, command: x}}", "names a class inside"),
    ],
)
def test_a_config_file_gives_a_launcher_no_commands(
    settings: str, told: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    own = tmp_path / "own" / "hydra" / "launcher"
    own.mkdir(parents=True)
    (own / "mine.yaml").write_text(settings)
    sentences = refused("--config-dir", str(tmp_path / "own"), "hydra/launcher=mine", capsys=capsys)
    assert len(sentences) == 1
    assert told in sentences[0]
