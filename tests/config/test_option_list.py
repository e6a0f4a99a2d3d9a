"""quatrain list shows every group and option, what is chosen, and what an experiment is made of."""

import json
from pathlib import Path

import pytest

from quatrain.__main__ import main
from quatrain.config.compose import compose
from quatrain.config.folder import conf_folder
from quatrain.config.listing import listed
from quatrain.core.errors import UserError


def test_every_file_of_conf_is_an_option_that_says_what_it_is() -> None:
    files = {path.relative_to(conf_folder()).with_suffix("").as_posix() for path in conf_folder().glob("*/**/*.yaml")}
    found = listed([])
    options = {f"{group.name}/{option.name}": option for group in found for option in group.options}
    assert files <= set(options)
    assert set(options) - files == {"hydra/launcher/local", "hydra/sweeper/quatrain", "hydra/sweeper/quatrain_optuna"}
    assert not [name for name, option in options.items() if len(option.says) < 8]
    assert not [group.name for group in found if len(group.says) < 10]


@pytest.mark.parametrize(
    "words", [[], ["experiment=quick_mrpc"], ["experiment=windows_gpt2", "model=tiny_gpt2", "schedule=cosine"]]
)
def test_the_chosen_options_are_those_that_are_composed(words: list[str]) -> None:
    chosen = {group.name: [option.name for option in group.options if option.chosen] for group in listed(words)}
    given = dict(word.split("=") for word in words)
    made = next(
        one for one in listed(["experiment"])[0].options if one.name == given.get("experiment", "quick_sonnets")
    )
    wanted = {**made.made_of, **{name: option for name, option in given.items() if name != "experiment"}}
    assert {name: chosen[name] for name in wanted} == {name: [option] for name, option in wanted.items()}
    assert chosen["debug"] == []


def test_an_experiment_is_made_of_what_it_composes_to() -> None:
    for option in listed(["experiment"])[0].options:
        if option.name.startswith("quick_"):
            parts = [f"{name}={choice}" for name, choice in option.made_of.items()]
            by_parts, by_name = compose([*parts, "experiment=null"]), compose([f"experiment={option.name}"])
            for name in ("data", "tokenizer", "model"):
                assert by_parts[name]["_target_"] == by_name[name]["_target_"]


def test_a_users_own_options_and_groups_are_listed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name, text in {
        "experiment/ode.yaml": "# @package _global_\n# Odes of mine.\n"
        "defaults:\n  - quick_windows\n  - override /tokenizer: gpt2\n",
        "flavour/plain.yaml": "# Nothing added.\nsalt: 0\n",
    }.items():
        path = tmp_path / "mine" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    found = {group.name: group for group in listed([], tmp_path / "mine")}
    assert [option.name for option in found["flavour"].options] == ["plain"]
    ode = next(option for option in found["experiment"].options if option.name == "ode")
    assert ode.made_of == {"data": "windows", "tokenizer": "gpt2", "model": "tiny_gpt2", "trainer": "auto"}
    assert main(["list", "experiment", "experiment=ode", "--config-dir", str(tmp_path / "mine")]) == 0
    assert "* ode              Odes of mine. (yours: " in capsys.readouterr().out


def test_what_is_no_group_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(UserError) as error:
        listed(["modle", "tiny_bert"])
    assert "did you mean model?" in error.value.sentences[0]
    assert "quatrain list model" in error.value.sentences[1]
    assert main(["list", "--jsn"]) == 2
    assert "did you mean --json?" in capsys.readouterr().err


def test_json_holds_what_the_lines_tell(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["list", "schedule", "--json"]) == 0
    (group,) = json.loads(capsys.readouterr().out)
    assert group["chosen"] == "linear"
    assert main(["list", "schedule"]) == 0
    lines = capsys.readouterr().out
    assert all(option["name"] in lines and option["says"] in lines for option in group["options"])
    assert "  * linear" in lines
