"""Only classes under an allowed prefix are built, judged by the class that is found and not by its name."""

import pytest

from quatrain.core.build import build, locate
from quatrain.core.errors import UserError


def test_a_node_and_its_nested_nodes_are_built() -> None:
    built = build({"_target_": "quatrain.core.errors.UserError", "sentences": ["one", "two"]})
    assert built.sentences == ["one", "two"]


def test_extra_arguments_win_over_the_node() -> None:
    node = {"_target_": "quatrain.core.errors.UserError", "sentences": "one"}
    assert build(node, sentences="two").sentences == ["two"]


@pytest.mark.parametrize(
    "target",
    [
        "os.system",
        "subprocess.Popen",
        "builtins.eval",
        "quatrain.worker.os.system",  # allowed by its string only
        "quatrain.runs.processes.subprocess.Popen",
        "quatrain.runs.directory.Path",  # a class, but not one of ours
        "quatrain.core.build.locate",  # ours, but no class
        "torch.optim.lr_scheduler.partial",
        "pickle.Unpickler",
        "nodots",
    ],
)
def test_nothing_else_may_be_named(target: str) -> None:
    with pytest.raises(UserError):
        locate(target)


def test_a_package_of_the_users_is_allowed_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UserError, match="--allow collections"):
        locate("collections.OrderedDict")
    monkeypatch.setenv("QUATRAIN_ALLOW", "collections")
    assert locate("collections.OrderedDict").__name__ == "OrderedDict"
    with pytest.raises(UserError):  # a prefix is a package, not the beginning of a word
        locate("collections_of_mine.Thing")


def test_the_refusal_names_the_key() -> None:
    with pytest.raises(UserError, match=r"model\._target_=os\.system may not be named"):
        build({"_target_": "os.system"}, "model")
