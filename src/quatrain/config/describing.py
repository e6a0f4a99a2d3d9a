"""What one key of a config is: what it does and who says so, what it may be, and its default."""

import functools
from dataclasses import dataclass
from typing import Any

from quatrain.config import docstrings
from quatrain.config.allowed import allowed
from quatrain.config.folder import conf_folder
from quatrain.config.nodes import ADDED, DERIVED, FROM_TOKENIZER, nodes, signature_of, supplied, takes
from quatrain.config.places import of_file
from quatrain.config.plain_settings import PLAIN
from quatrain.config.shape import written
from quatrain.config.values import in_words
from quatrain.config.yaml_comments import comment
from quatrain.core.build import allowed_prefixes
from quatrain.core.signatures import NO_DEFAULT, Argument, model_config_target
from quatrain.sweeps.search_settings import NAMES

OURS = {
    "trainer.auto_batch": "where memory runs out, go on with half the batch and twice the accumulation, so that the"
    " effective batch stays",
    "trainer.accelerator": "the kind of device to train on",
    "trainer.strategy": "how several devices share the work: ddp has the whole model on each, fsdp deals it out",
    "trainer.precision": "in which numbers is computed; set speed.precision, which this one takes its value from",
    "trainer.devices": "how many devices to train on, or which of them",
    "trainer.num_nodes": "how many machines train together",
    "trainer.max_steps": "end after so many optimizer steps; -1: trainer.max_epochs says it alone",
    "trainer.max_epochs": "end after so many passes over the training data; null: trainer.max_steps says it alone",
    "trainer.max_time": "end after so much time",
    "trainer.log_every_n_steps": "optimizer steps from one row of training loss in metrics.csv to the next",
    "trainer.fast_dev_run": "train, validate and test on so many batches (true: one), to see whether all fits together",
    "trainer.overfit_batches": "train on so many batches, or such a share of them, over and over",
    "trainer.gradient_clip_val": "gradients are scaled down to this norm where theirs is larger; null: never",
    "trainer.gradient_clip_algorithm": "whether gradient_clip_val bounds the norm of all gradients, or each value",
    "trainer.profiler": "Lightning's profiler of its own hooks; speed.profile=true tells where the time goes",
    "trainer.num_sanity_val_steps": "batches of validation before training begins, to find mistakes early; -1: all",
    "trainer.plugins": "classes of Lightning's that change how precision, clusters and checkpoints work",
    "trainer.inference_mode": "whether validation runs in torch.inference_mode rather than torch.no_grad",
    "trainer.enable_autolog_hparams": "whether Lightning hands its hyperparameters to the loggers",
    "trainer.model_registry": "a model registry of Lightning's own service; a run has no use for it",
    "optimizer.lr": "the learning rate at its highest: the schedule multiplies it by 0 to 1",
    "optimizer.weight_decay": "how strongly weights are drawn to zero; biases and normalisation weights never are",
}
"""What a run makes of arguments of classes that are not ours, where they say too little, or not what holds here."""

PLAIN_GROUPS = ("run", "sweep", "preprocess", "speed")
"""Groups whose keys no class takes."""

TARGET = (
    "The class that this part is built of, package.module.Class; its arguments stand beside it. One of your own needs"
    " --allow PACKAGE."
)
MODEL_TYPE = "Which of transformers' architectures the model is: its name for the configuration, such as bert or gpt2."


@dataclass(frozen=True)
class Described:
    """What a key is, apart from any command line."""

    key: str
    says: str
    whose: str
    """The class or the file whose word it is."""
    allowed: str
    default: str | None = None
    """As the class states it; None where none does."""
    argument: Argument | None = None
    instead: str | None = None
    """What a user does, where the run sets it itself."""
    optional: bool = False
    """Whether it may be given although the config does not hold it."""


def describe(key: str, config: dict[str, Any]) -> Described | None:
    """What ``key`` of ``config``, whose defaults are filled in, is; None where nobody knows it."""
    if key in plain_says():
        file = "conf/speed/auto.yaml" if key.startswith("speed.") else "conf/config.yaml"
        file = "conf/sweep/optuna.yaml" if key.removeprefix("sweep.") in NAMES and key not in PLAIN else file
        return Described(key, plain_says()[key], file, allowed(key, None))
    found = [(place, node) for place, node, _ in nodes(config) if key == place or key.startswith(f"{place}.")]
    if not found:
        return None
    place, node = found[-1]
    if place == key:
        return _of_argument(key, *found[-2]) if len(found) > 1 else _of_node(key, node)
    return _of_argument(key, place, node)


@functools.cache
def plain_says() -> dict[str, str]:
    """The keys that no class takes, each with what the file that states it says beside it."""
    said: dict[str, str] = {}
    for name, package in (("config.yaml", ""), ("speed/auto.yaml", "speed"), ("sweep/optuna.yaml", "")):
        file = conf_folder() / name
        for key, place in of_file(file, package):
            if key in PLAIN or key in PLAIN_GROUPS or key.removeprefix("sweep.") in NAMES:
                said.setdefault(key, comment(file, place.line))
    return said


def whose(node: dict[str, Any]) -> str:
    """The class that takes what stands in ``node``."""
    return str(node["_target_"]) if "_target_" in node else model_config_target(node["model_type"]) or "transformers"


def said_of(node: dict[str, Any]) -> dict[str, str]:
    """What the class of ``node`` says of its arguments."""
    if "_target_" in node:
        return docstrings.descriptions(str(node["_target_"]))
    return docstrings.config_words(str(node["model_type"]))


def default_of(key: str, argument: Argument) -> str:
    """The default that a class states, as the command line would have it."""
    place, _, name = key.rpartition(".")
    if place == "model.config" and name in DERIVED:
        return f"null, taken from the {'tokenizer' if name in FROM_TOKENIZER else 'data'}"
    if argument.required:
        return "none: it must be given"
    if argument.default is NO_DEFAULT:
        return "what the class computes"
    if isinstance(argument.default, str) and argument.default:
        return argument.default
    return written(list(argument.default) if isinstance(argument.default, tuple) else argument.default)


def _of_node(key: str, node: dict[str, Any]) -> Described:
    target = whose(node)
    says = docstrings.summary(target) or f"What {target} is built with."
    takes_away = "; null takes it away" if key.startswith("callbacks.") else ""
    return Described(key, says, target, f"a class by {key}._target_, and its arguments{takes_away}")


def _of_argument(key: str, place: str, node: dict[str, Any]) -> Described | None:
    name, _, inner = key.removeprefix(f"{place}.").partition(".")
    if name == "_target_":
        return Described(
            key, TARGET, "quatrain", f"a class under {', '.join(allowed_prefixes())}", "none: it must be given"
        )
    if name == "model_type" and "_target_" not in node:
        return Described(key, MODEL_TYPE, "transformers", "a model type of transformers")
    found = signature_of(node)
    if name in supplied(place):
        instead = f"it is set by the run itself; {supplied(place)[name]}"
        return Described(key, f"Set by the run itself: {supplied(place)[name]}.", "quatrain", "", instead=instead)
    argument = takes(place, node, found).get(name) if found else None
    says = OURS.get(key) or said_of(node).get(name, "")
    if argument is None:
        if name not in node:
            return None
        return Described(key, says or f"an argument of {whose(node)}", whose(node), "")
    if inner:
        part = f"part of {place}.{name}, {says}"
        return Described(key, part, whose(node), "", optional=True) if "a mapping" in in_words(argument) else None
    added = any(one.name == name for one in ADDED.get(place, ()))
    holds_node = isinstance(node.get(name), dict) and "_target_" in node[name]
    return Described(
        key,
        says,
        "quatrain" if added else whose(node),
        f"a class by {key}._target_, or null" if holds_node else allowed(key, argument, whose(node)),
        default_of(key, argument),
        argument,
        optional=True,
    )
