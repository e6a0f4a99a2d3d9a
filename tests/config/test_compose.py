"""Composing gives one complete, plain config; every mistake is told at once, before any work."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from quatrain.config.compose import compose
from quatrain.config.folder import conf_folder
from quatrain.config.nodes import nodes, takes
from quatrain.core.errors import UserError


def refused(*overrides: str, config_dir: Path | None = None) -> list[str]:
    with pytest.raises(UserError) as caught:
        compose(overrides, config_dir)
    return caught.value.sentences


def test_the_default_is_quick_sonnets() -> None:
    assert compose() == compose(["experiment=quick_sonnets"])
    assert compose()["name"] == "quick_sonnets"


def test_the_frozen_config_is_plain_and_holds_every_argument_with_its_value() -> None:
    config = compose(["experiment=quick_windows"])
    assert yaml.safe_load(yaml.safe_dump(config)) == config
    for key, node, found in nodes(config):
        assert found is not None, key
        missing = {name for name, argument in takes(key, node, found).items() if name not in node}
        assert not missing, f"{key} lacks {missing}"


def test_an_argument_that_no_yaml_holds_is_overridden_without_a_plus() -> None:
    config = compose(
        [
            "optimizer.amsgrad=true",
            "trainer.detect_anomaly=true",
            "model.config.initializer_range=0.1",
            "data.shuffle=false",
        ]
    )
    assert config["optimizer"]["amsgrad"] is True
    assert config["trainer"]["detect_anomaly"] is True
    assert config["model"]["config"]["initializer_range"] == 0.1
    assert config["data"]["shuffle"] is False


def test_another_class_brings_its_own_arguments() -> None:
    config = compose(["optimizer=sgd", "optimizer.nesterov=true", "schedule=cosine", "schedule.final_share=0.2"])
    assert config["optimizer"]["nesterov"] is True
    assert config["schedule"]["final_share"] == 0.2
    added = compose(["+callbacks.rate._target_=pytorch_lightning.callbacks.LearningRateMonitor"])
    assert added["callbacks"]["rate"]["logging_interval"] is None


def test_all_mistakes_come_out_at_once() -> None:
    wrong = ("data.batch_sise=3", "modle=tiny_bert", "model=tiny_robertta", "optimizer.lr=[1", "hydra.run.dir=x")
    sentences = refused(*wrong)
    text = "\n".join(sentences)
    assert len(sentences) == 5
    assert "data.batch_sise=3: there is no key data.batch_sise; did you mean data.batch_size?" in text
    assert "modle" in text
    assert "did you mean model?" in text
    assert "did you mean tiny_roberta?" in text
    assert "optimizer.lr=[1: cannot be read" in text
    assert "name the run directory with run.dir=DIR" in text


@pytest.mark.parametrize(
    ("override", "told"),
    [
        ("data.batch_size=many", "data.batch_size='many' does not fit; allowed is a whole number"),
        ("data.example=verse", "allowed is one of"),
        ("trainer.max_epochs=2.5", "trainer.max_epochs=2.5 does not fit"),
        ("model.config.hidden_size=wide", "model.config.hidden_size='wide' does not fit"),
        ("model.config.model_type=robertta", "did you mean roberta?"),
        ("optimizer._target_=torch.optim.AdamWW", "there is no such class; did you mean torch.optim.AdamW?"),
        ("optimizer._target_=os.system", "may not be named"),
        ("trainer.max_epochs=null", "training would never end"),
        ("experiment=quick_sonnet", "did you mean quick_sonnets?"),
        ("seed=1,2", "add --multirun"),
        ("data.source=no/such/file.txt", "no/such/file.txt"),
        ("model.config.max_position_embeddings=20", "data.max_length=32"),
        ("model.config.num_attention_heads=5", "model.config"),
        ("callbacks.checkpoints.monitor=val/los", "did you mean val/loss?"),
        ("model=tiny_gpt2", "model.task=causal_lm cannot learn from MaskedText"),
        ("model.hidden_size=64", "there is no key model.hidden_size; did you mean model.config.hidden_size?"),
    ],
)
def test_each_mistake_has_its_sentence(override: str, told: str) -> None:
    assert any(told in sentence for sentence in refused(override)), refused(override)


def test_weights_bring_their_own_config(tmp_path: Path) -> None:
    from transformers import RobertaConfig, RobertaForMaskedLM

    small = RobertaConfig(
        vocab_size=3000, hidden_size=8, num_hidden_layers=1, num_attention_heads=1, intermediate_size=8,
        max_position_embeddings=130,
    )  # fmt: skip
    RobertaForMaskedLM(small).save_pretrained(tmp_path)
    config = compose([f"model.weights={tmp_path}"])
    assert config["model"]["config"] is None
    assert "129" in "".join(refused(f"model.weights={tmp_path}", "data.max_length=129"))


def test_paths_are_made_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "text.txt").write_text("one line\n\nanother line\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    assert compose(["data.source=text.txt"])["data"]["source"] == str(tmp_path / "text.txt")


def test_a_users_own_config_folder_is_found(tmp_path: Path) -> None:
    (tmp_path / "experiment").mkdir()
    (tmp_path / "experiment" / "mine.yaml").write_text(
        "# @package _global_\ndefaults:\n  - override /model: roberta_mlm\nname: mine\nseed: 7\n", encoding="utf-8"
    )
    config = compose(["experiment=mine"], config_dir=tmp_path)
    assert (config["name"], config["seed"]) == ("mine", 7)
    assert "did you mean mine?" in "".join(refused("experiment=min", config_dir=tmp_path))


def _options() -> list[tuple[str, str]]:
    folder = conf_folder()
    return sorted((path.parent.name, path.stem) for path in folder.glob("*/*.yaml"))


@pytest.mark.parametrize(("group", "option"), _options())
def test_every_shipped_option_composes_and_says_what_it_is(group: str, option: str, monkeypatch: Any) -> None:
    monkeypatch.setattr("quatrain.config.freeze._commit", lambda name, kind, revision, key: "a" * 40)
    monkeypatch.setattr("quatrain.config.crosschecks.PACKAGE_OF_LOGGER", {})  # extras need not be installed
    lines = (conf_folder() / group / f"{option}.yaml").read_text(encoding="utf-8").splitlines()
    first = next(line for line in lines if not line.startswith("# @package"))
    assert first.startswith("# ")
    assert len(first) > 8
    fitting = {
        "model": {"bert": "quick_mrpc", "classifier": "quick_mrpc", "gpt2": "quick_windows", "causal": "quick_windows"},
        "data": {"mrpc": "quick_mrpc", "glue": "quick_mrpc", "pairs": "quick_mrpc", "windows": "quick_windows"},
    }.get(group, {})
    fits = {part: experiment for part, experiment in fitting.items() if part in option and "roberta" not in option}
    beside = next(iter(fits.values()), None)
    overrides = [f"{group}={option}", *([f"experiment={beside}"] if beside else [])]
    if group == "sweep":
        return  # run by the tests of multirun
    config = compose(overrides)
    assert config["data"]["_target_"]


def test_a_logger_whose_package_is_missing_is_told_before_any_work(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("quatrain.config.crosschecks.PACKAGE_OF_LOGGER", {"TensorBoard": "no_such_package"})
    assert refused("logger=tensorboard") == [
        "logger=tensorboard needs no_such_package, which is not installed; run pip install 'quatrain[no_such_package]'."
    ]


def test_an_options_own_arguments_replace_what_the_experiment_said_to_another() -> None:
    config = compose(["tokenizer=wordpiece", "data=sonnets", "data.source=verse", "optimizer=sgd"])
    assert "betas" not in config["optimizer"]
    assert "did you mean" in refused("tokenizer=wordpiece", "tokenizer.vocab_sise=300")[0]


def test_errors_come_within_a_second_and_without_torch() -> None:
    code = (
        "import sys\nfrom quatrain.config.compose import compose\nfrom quatrain.core.errors import UserError\n"
        "try: compose(['data.batch_sise=3'])\nexcept UserError: pass\nelse: sys.exit('not refused')\n"
        "sys.exit('torch' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_the_commits_taken_from_the_hub_are_frozen(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def commit(name: str, kind: str, revision: str | None, key: str) -> str:
        asked.append((name, kind, revision, key))
        return "c" * 40

    monkeypatch.setattr("quatrain.corpora.hub.resolve_commit", commit)
    config = compose(
        ["experiment=mrpc_bert", "data.source=hub:nyu-mll/glue:mrpc", "model.revision=v1", "tokenizer.revision=v2"]
    )
    assert [config[group]["revision"] for group in ("data", "tokenizer", "model")] == ["c" * 40] * 3
    assert asked == [
        ("nyu-mll/glue", "dataset", None, "data.source"),
        ("bert-base-uncased", "model", "v2", "tokenizer.source"),
        ("bert-base-uncased", "model", "v1", "model.weights"),
    ]


@pytest.mark.parametrize(
    ("override", "told"),
    [
        ("speed.compile=flase", "speed.compile='flase' does not fit; allowed is true or false"),
        ("+speed.fooo=1", "speed.fooo is unknown"),
        ("run.dir=5", "run.dir=5 does not fit; allowed is a text or null"),
        ("run=null", "run"),
        ("+callbacks.mine=3", "callbacks.mine names no class"),
        ("~callbacks", "callbacks is missing"),
        ("trainer.accumulate_grad_batches=0", "trainer.accumulate_grad_batches=0"),
        ("trainer.max_epochs=-1", "training would never end"),
        ("schedule._target_=quatrain.runs.directory.Path", "really pathlib.Path"),
    ],
)
def test_plain_settings_are_judged_too(override: str, told: str) -> None:
    assert any(told in sentence for sentence in refused(override)), refused(override)


def test_a_score_is_not_monitored_downwards() -> None:
    said = refused("experiment=quick_mrpc", "callbacks.checkpoints.monitor=val/accuracy")
    assert "callbacks.checkpoints.mode=max" in said[0]


def test_a_url_with_a_question_mark_is_no_glob() -> None:
    assert "data.sha256" in "".join(refused("data.source='http://127.0.0.1:9/t.txt?x=1'"))


def test_a_folder_that_is_called_verse_does_not_hide_the_corpus(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "verse").mkdir()
    monkeypatch.chdir(tmp_path)
    assert compose()["data"]["source"] == "verse"


def test_ctrl_c_while_hydra_composes_is_no_mistake_of_the_user(monkeypatch: pytest.MonkeyPatch) -> None:
    """OmegaConf's own clean-up trips over what was interrupted, and its error takes the place of the Ctrl-C."""
    import hydra

    def interrupted(*_: object, **__: object) -> None:
        try:
            raise KeyboardInterrupt
        finally:
            raise AttributeError("'NoneType' object has no attribute '_invalidate_flags_cache'")

    monkeypatch.setattr(hydra, "compose", interrupted)
    with pytest.raises(KeyboardInterrupt):
        compose(["experiment=quick_windows"])
