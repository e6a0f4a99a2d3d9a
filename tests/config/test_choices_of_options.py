"""What a user chooses is what is composed: several options at once, options in folders, options in place of others."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from quatrain.__main__ import main
from quatrain.config.compose import compose
from quatrain.core.errors import UserError
from quatrain.runs.naming import identity_hash


def _own(folder: Path, **files: str) -> Path:
    for name, content in files.items():
        path = folder / f"{name.replace('__', '/')}.yaml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")
    return folder


def test_several_options_of_a_group_are_chosen_at_once(tmp_path: Path) -> None:
    rate = "rate: {_target_: pytorch_lightning.callbacks.LearningRateMonitor}\n"
    config = compose(["callbacks=[early_stopping,rate]"], _own(tmp_path, callbacks__rate=rate))
    assert set(config["callbacks"]) == {"checkpoints", "samples", "early_stopping", "rate"}


def test_an_experiment_may_lie_in_a_folder_of_its_own(tmp_path: Path) -> None:
    folder = _own(tmp_path, experiment__nlp__mine="# @package _global_\nname: mine\nseed: 9\n")
    config = compose(["experiment=nlp/mine"], folder)
    assert (config["name"], config["seed"]) == ("mine", 9)


def test_no_experiment_and_no_debug_can_be_chosen() -> None:
    assert compose(["experiment=null"])["name"] == "experiment"
    assert compose(["debug=null"]) == compose()


def test_an_option_of_another_class_starts_from_its_own_file() -> None:
    """The experiment's learning rate was meant for AdamW."""
    config = compose(["experiment=quick_mrpc", "optimizer=sgd"])
    assert config["optimizer"]["lr"] == 0.1
    assert compose(["optimizer=sgd", "optimizer.lr=0.5"])["optimizer"]["lr"] == 0.5
    assert compose(["optimizer=adamw"]) == compose()
    assert compose(["tokenizer=wordpiece"])["tokenizer"]["vocab_size"] == 3000


def test_an_option_of_the_same_class_keeps_what_the_experiment_says() -> None:
    assert compose(["trainer=ddp_cpu"])["trainer"]["max_epochs"] == 2
    assert compose(["model=roberta_mlm"])["model"]["config"]["initializer_range"] == 0.05


def test_a_typo_in_a_users_option_is_told_with_its_line(tmp_path: Path) -> None:
    folder = _own(tmp_path / "own", tokenizer__mine="defaults: [wordpiece]\nmin_frequncy: 3\n")
    with pytest.raises(UserError) as caught:
        compose(["tokenizer=mine"], folder)
    assert caught.value.sentences == [
        "own/tokenizer/mine.yaml:2: tokenizer.min_frequncy is unknown to quatrain.tokenizers.trained.WordPiece;"
        " did you mean min_frequency?"
    ]


def test_whole_numbers_where_floats_are_meant_are_one_experiment() -> None:
    whole, point = (compose([f"optimizer.lr={lr}", "trainer.gradient_clip_val=1"]) for lr in ("1", "1.0"))
    assert identity_hash(whole) == identity_hash(point)
    assert isinstance(whole["optimizer"]["lr"], float)
    assert isinstance(whole["trainer"]["gradient_clip_val"], int)  # Lightning takes both
    assert isinstance(compose(["schedule.warmup=1"])["schedule"]["warmup"], int)  # one step, and not all of them


def test_the_machines_choices_and_further_arguments_are_taken() -> None:
    assert compose(["speed.num_workers=auto"])["data"]["num_workers"] == "auto"
    assert compose(["trainer.deterministic=warn"])["trainer"]["deterministic"] == "warn"


def test_a_class_that_takes_further_arguments_gets_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("quatrain.config.crosschecks.PACKAGE_OF_LOGGER", {})
    own = "{_target_: pytorch_lightning.loggers.WandbLogger, mode: offline}"
    assert compose([f"+logger.own={own}"])["logger"]["own"]["mode"] == "offline"


def test_cfg_job_prints_what_would_be_run(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", "--cfg", "job", "optimizer=sgd", "--resolve"]) == 0
    printed = yaml.safe_load(capsys.readouterr().out)
    assert printed["optimizer"]["lr"] == 0.1
    assert printed["data"]["seed"] == 1


def test_version_and_flags_may_stand_anywhere(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", "seed=1", "--version"]) == 0
    assert capsys.readouterr().out.startswith("quatrain ")
    assert main(["train", "seed=1", "--cfg", "job", "test=true", "--package", "test"]) == 0
    assert "true" in capsys.readouterr().out.lower()


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("quatrain tr", "train"),
        ("quatrain train optimiz", "optimizer="),
        ("quatrain plan experiment=quick_m", "quick_mrpc"),
    ],
)
def test_a_shell_completes_commands_and_overrides(
    line: str, offered: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COMP_LINE", line)
    monkeypatch.setenv("COMP_POINT", str(len(line)))
    assert main(["-sc", "query=bash"]) == 0
    assert offered in capsys.readouterr().out


@pytest.mark.parametrize("override", ["optimiser.lr=1", "optimizer.lrr=1", "optimizer.lr=x", "trainer.strategy=dpp"])
def test_a_mistake_is_told_before_torch_is_imported(override: str, tmp_path: Path) -> None:
    code = (
        "import sys\nfrom quatrain.__main__ import main\n"
        f"code = main(['train', {override!r}])\n"
        "heavy = {'torch', 'transformers', 'pytorch_lightning', 'datasets'} & set(sys.modules)\n"
        "sys.exit(f'imported {heavy}' if heavy else code)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env={**os.environ}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2, done.stderr
    assert override.split("=")[0] in done.stderr
    assert list(tmp_path.iterdir()) == []
