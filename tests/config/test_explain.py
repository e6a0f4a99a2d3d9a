"""quatrain explain: every key of every shipped experiment says what it does, may be, and where its value comes from."""

import functools
import json
import subprocess
import sys
from pathlib import Path

import pytest

from quatrain.__main__ import main
from quatrain.config.asking import explain
from quatrain.config.compose import compose, hydra_at
from quatrain.config.composition import Composition, composition
from quatrain.config.explaining import Explained, explain_key
from quatrain.config.folder import conf_folder
from quatrain.config.nodes import nodes
from quatrain.core.errors import UserError

EXPERIMENTS = sorted(path.stem for path in (conf_folder() / "experiment").glob("*.yaml"))
BESIDE = ["optimizer=sgd", "schedule=cosine", "schedule=constant", "callbacks=early_stopping", "sweep=optuna"]
BESIDE += [
    "tokenizer=tiktoken_gpt2",
    *(f"logger={path.stem}" for path in sorted((conf_folder() / "logger").glob("*.yaml"))),
]


@functools.cache
def composed(*overrides: str) -> Composition:
    """What ``overrides`` come to."""
    with hydra_at(conf_folder()):
        return composition(list(overrides), [])


def leaves(found: Composition) -> list[str]:
    """The keys that hold no others."""
    return [key for key in found.every_key() if not isinstance(found.value(key), dict)]


@pytest.mark.parametrize("override", [*(f"experiment={name}" for name in EXPERIMENTS), *BESIDE])
def test_every_key_says_what_it_does_and_what_it_may_be(override: str) -> None:
    found = composed(override)
    explained = {key: explain_key(key, found) for key in leaves(found)}
    assert len(explained) > 100
    mute = [key for key, one in explained.items() if one is None or len(one.says) < 10]
    assert not mute
    vague = [key for key, one in explained.items() if one is not None and not one.allowed and not key.endswith("trial")]
    assert not vague
    assert not [key for key, one in explained.items() if one is not None and one.default is None and not one.stated]


def examples(*overrides: str) -> list[str]:
    """The settings of the examples of every key."""
    found = composed(*overrides)
    shown = [one for key in leaves(found) if (one := explain_key(key, found)) is not None and one.example]
    return [one.example.split(" ", 2)[2].strip("'") for one in shown if not one.key.startswith("preprocess.")]


@pytest.mark.parametrize("experiment", EXPERIMENTS)
def test_the_examples_are_overrides_that_fit_their_key(experiment: str) -> None:
    from quatrain.config.check import check_node
    from quatrain.config.ranges import check_ranges

    settings = examples(f"experiment={experiment}")
    assert len(settings) > 100
    with hydra_at(conf_folder()):
        taken = composition([f"experiment={experiment}", *settings], [])
    wrong = [sentence for key, node, _ in nodes(taken.config) for sentence in check_node(key, node)]
    assert not [*wrong, *check_ranges(taken.config)]


def one(*words: str) -> Explained:
    """The only explanation of ``words``."""
    (found,) = explain(list(words))
    return found


def test_the_value_is_that_of_the_last_who_states_it() -> None:
    lr = one("optimizer.lr")
    assert [(stated.value, stated.where.split(":")[0]) for stated in lr.stated] == [
        ("5.0e-4", "conf/optimizer/adamw.yaml"),
        ("3.0e-3", "conf/experiment/quick_sonnets.yaml"),
    ]
    assert (lr.default, lr.value, lr.whose) == ("0.001", "0.003", "torch.optim.AdamW")
    assert lr.stated[-1].reason == "a tiny model in few steps"
    line = int(lr.stated[-1].where.split(":")[1])
    assert "lr: 3.0e-3" in (conf_folder() / "experiment" / "quick_sonnets.yaml").read_text().splitlines()[line - 1]
    given = one("optimizer.lr", "optimizer.lr=1e-2")
    assert (given.value, given.stated[-1].where) == ("0.01", "the command line: optimizer.lr=1e-2")


def test_what_an_experiment_said_to_another_class_is_left_out() -> None:
    lr = one("optimizer.lr", "optimizer=sgd")
    assert [stated.where.split(":")[0] for stated in lr.stated] == ["conf/optimizer/sgd.yaml"]
    assert lr.value == "0.1"


@pytest.mark.parametrize(
    "override", ["optimizer.lr=0.5", "trainer.max_steps=7", "data.example=poem", "callbacks.checkpoints.keep=5"]
)
def test_the_value_is_the_one_that_a_run_gets(override: str) -> None:
    key, _, value = override.partition("=")
    node = compose([override, "trainer.max_epochs=1"])
    for part in key.split("."):
        node = node[part]
    assert one(key, override).value == value == str(node)


def test_a_value_that_is_taken_from_another_key_says_so() -> None:
    precision = one("trainer.precision", "speed.precision=32-true")
    assert (precision.value, precision.follows) == ("32-true", "speed.precision")
    assert precision.example == "quatrain train speed.precision=auto"
    assert one("data.seed").follows == "seed"


def test_an_example_keeps_the_options_that_it_was_composed_with() -> None:
    """So it is no mistake as it stands: the default experiment has no such key."""
    assert one("model.config.n_layer", "experiment=quick_windows", "trainer.max_epochs=2").example == (
        "quatrain train experiment=quick_windows model.config.n_layer=4"
    )
    assert one("optimizer", "optimizer=sgd", "experiment=quick_windows").example == (
        "quatrain train experiment=quick_windows optimizer=adamw"
    )
    assert one("data.text_columns", "schedule=cosine").example == (
        "quatrain train schedule=cosine data=glue 'data.text_columns=[first,second]'"
    )
    assert compose(one("model.config.n_layer", "experiment=quick_windows").example.split()[2:])


def test_a_word_that_is_no_key_is_met_with_those_that_speak_of_it() -> None:
    with pytest.raises(UserError, match=r"no such key; about it are model\.fast_dropout, .*model\.config\.resid_pdrop"):
        one("dropout", "experiment=quick_windows")
    with pytest.raises(UserError, match=r"no such key; about it are trainer\.max_epochs"):
        one("epochs")
    with pytest.raises(UserError, match="no such key; quatrain list shows the groups"):
        one("zebra", "experiment=quick_windows")


def test_a_key_of_an_option_that_is_not_chosen_comes_with_it() -> None:
    patience = one("callbacks.early_stopping.patience")
    assert patience.option == "callbacks=early_stopping"
    assert "callbacks=early_stopping" in patience.example
    assert one("sweep.trials").option == "sweep=optuna"
    assert one("sweep").example.startswith("quatrain train -m sweep=")
    assert one("model.config.n_embd").option == "model=gpt2_causal"
    assert one("model.config.n_embd", "experiment=quick_windows").option is None
    assert one("model.config.hidden_size").whose.endswith("RobertaConfig")
    assert one("logger.wandb.project").option == "logger=wandb"


def test_groups_patterns_parts_and_hydras_keys() -> None:
    data = one("data", "experiment=quick_windows")
    assert (data.value, len(data.options)) == ("windows", 6)
    assert "data.stride" in [key.key for key in data.holds]
    assert [found.key for found in explain(["*.lr", "trainer.max_e*"])] == ["optimizer.lr", "trainer.max_epochs"]
    assert one("lr").key == "optimizer.lr"
    assert one("optimizer.lr=0.2").value == "0.2"
    assert one("hydra.sweep.dir").default == "${run.root}/sweeps/${sweep.name}"
    assert one("hydra.launcher.timeout_min").option in (
        "hydra/launcher=submitit_local",
        "hydra/launcher=submitit_slurm",
    )
    assert "run.dir=DIR" in one("hydra.run.dir").says
    assert "callbacks=OPTION" in one("trainer.callbacks").says


def test_a_value_that_a_run_would_refuse_is_explained_with_the_sentence() -> None:
    lr = one("optimizer.lr", "optimizer.lr=-1")
    assert lr.refused == ["optimizer.lr=-1 does not fit; allowed is 0 or more."]
    assert one("optimizer.lr", "optimizer.lr=1").refused == []
    (told,) = one("speed.precision", "speed.precision=bf17").refused
    assert told.startswith("trainer.precision=bf17 is unknown")


def test_part_of_a_mapping_that_is_not_there_yet() -> None:
    assert one("model.lora.r").says.startswith("part of model.lora, a mapping of r (8)")
    with pytest.raises(UserError):
        explain(["data.source.r"])


def test_no_torch_is_imported() -> None:
    code = (
        "import sys\nfrom quatrain.__main__ import main\nmain(['explain', 'optimizer.lr', 'trainer.max_epochs=3'])\n"
        "heavy = {'torch', 'transformers', 'pytorch_lightning', 'datasets'} & set(sys.modules)\n"
        "sys.exit(f'imported {heavy}' if heavy else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_every_word_that_means_nothing_is_told_with_the_nearest(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(UserError) as error:
        explain(["optimizer.lrr", "loger.wandb.project", "tiny_gpt2", "zzzzzz"])
    first, second, third, fourth = error.value.sentences
    assert first.endswith("did you mean optimizer.lr?")
    assert second.endswith("did you mean logger.wandb.project?")
    assert "model=tiny_gpt2 chooses it" in third
    assert "quatrain list" in fourth
    assert main(["explain", "optimizer.lr", "optimiser.lr=1"]) == 2
    assert "did you mean optimizer.lr" in capsys.readouterr().err


def test_a_key_without_its_middle_gets_the_whole_one() -> None:
    """Spelling alone would name another key: model.n_layer is most like model.frozen_layers."""
    with pytest.raises(UserError) as caught:
        explain(["model.n_layer"])
    assert caught.value.sentences == ["model.n_layer: there is no such key; did you mean model.config.n_layer?"]


def test_the_command_tells_all_and_json_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "data.mask_probability", "--json", "data.mask_probability=0.3"]) == 0
    (told,) = json.loads(capsys.readouterr().out)
    assert (told["value"], told["default"], told["allowed"]) == (
        "0.3",
        "0.15",
        "a number; between 0 and 1, both excluded",
    )
    assert main(["explain", "data.mask_probability", "data.mask_probability=0.3"]) == 0
    text = capsys.readouterr().out
    for part in (
        "share of the tokens",
        "between 0 and 1",
        "default     0.15",
        "0.3  the command line",
        "now         0.3",
    ):
        assert part in text


def test_a_users_own_files_are_told_with_their_lines_and_cannot_command_a_terminal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "mine"
    (folder / "experiment").mkdir(parents=True)
    text = "# @package _global_\n# Mine.\ndefaults: [quick_windows]\noptimizer:\n  lr: 0.25  # bold \u202e\n"
    (folder / "experiment" / "bold.yaml").write_text(text)
    (lr,) = explain(["optimizer.lr", "experiment=bold"], folder)
    assert lr.value == "0.25"
    assert lr.stated[-1].where.endswith("mine/experiment/bold.yaml:5")
    assert main(["explain", "optimizer.lr", "experiment=bold", "--config-dir", str(folder)]) == 0
    assert "bold \\u202e" in capsys.readouterr().out
