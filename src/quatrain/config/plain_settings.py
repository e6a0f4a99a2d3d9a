"""The groups that every config has, and the settings that no class states: name, seed, run, sweep, preprocess and
speed."""

import functools
from collections.abc import Iterator
from typing import Any

from quatrain.config.folder import conf_folder
from quatrain.config.search_checks import check_search, unknown_outside
from quatrain.config.shape import written
from quatrain.config.spelling import nearest
from quatrain.sweeps.search_settings import NAMES, is_search

NODES = ("data", "tokenizer", "model", "trainer", "optimizer", "schedule")
"""Groups that name one class each."""

SEVERAL = {"callbacks": "default", "logger": "csv"}
"""Groups that hold any number of classes under names, each with the option that is there by default."""

SPEAKING = ("experiment", "debug")
"""Groups whose options speak to other groups and leave no key of their own."""

PLAIN: dict[str, tuple[type, ...]] = {
    "name": (str,),
    "seed": (int,),
    "test": (bool,),
    "run.dir": (str, type(None)),
    "run.root": (str,),
    "run.report": (bool,),
    "sweep.name": (str, type(None)),
    "sweep.jobs": (int,),
    "sweep.retries": (int,),
    "sweep.fail_fast": (bool,),
    "preprocess.shards": (int,),
    "preprocess.shard": (int, type(None)),
    "speed.precision": (str, int),
    "speed.attention": (str,),
    "speed.bucketing": (bool,),
    "speed.packing": (bool, str),
    "speed.num_workers": (int, str),
    "speed.sparse_head": (bool,),
    "speed.chunked_loss": (bool,),
    "speed.fast_dropout": (bool,),
    "speed.fused_activations": (bool,),
    "speed.low_precision_layernorm": (bool,),
    "speed.tokenizer_engine": (str,),
    "speed.compile": (bool,),
    "speed.gradient_checkpointing": (bool,),
    "speed.profile": (bool,),
}
WORDS = {str: "a text", int: "a whole number", bool: "true or false", type(None): "null"}


def check_settings(config: dict[str, Any]) -> Iterator[str]:
    """Yield a sentence for each group that is missing or of the wrong kind, and for each plain setting."""
    known = top_level()
    for name in config:
        if name not in known:
            hint = nearest(name, known) or f"; it takes {', '.join(known)}."
            yield f"{name} is unknown to an experiment{hint}"
    for group in NODES:
        node = config.get(group)
        if not isinstance(node, dict):
            missing = "is missing" if group not in config else f"={written(node)} does not fit"
            yield f"{group}{missing if missing[0] == '=' else f' {missing}'}; choose an option, {group}=OPTION."
        elif not isinstance(node.get("_target_"), str):
            yield f"{group} names no class; choose an option, {group}=OPTION, or add {group}._target_=CLASS."
    yield from _plain(config)
    for group in SEVERAL:
        yield from _entries(group, config.get(group))


@functools.cache
def top_level() -> tuple[str, ...]:
    """The keys of an experiment, as conf/config.yaml has them."""
    keys = [*default_options(), *_config_yaml()]
    return tuple(dict.fromkeys(name for name in keys if name not in ("defaults", "hydra", *SPEAKING)))


def default_options() -> dict[str, str | None]:
    """The groups of conf/config.yaml with the option that each has by default."""
    entries = (entry for entry in _config_yaml()["defaults"] if isinstance(entry, dict))
    return {name: option for entry in entries for name, option in entry.items() if not name.startswith("override ")}


@functools.cache
def _config_yaml() -> dict[str, Any]:
    import yaml

    read: dict[str, Any] = yaml.safe_load((conf_folder() / "config.yaml").read_text(encoding="utf-8"))
    return read


def _plain(config: dict[str, Any]) -> Iterator[str]:
    told = set()
    for key, allowed in PLAIN.items():
        group, _, name = key.rpartition(".")
        place = config.get(group) if group else config
        wanted = " or ".join(WORDS[kind] for kind in allowed)
        if not isinstance(place, dict):
            if group not in told:
                yield f"{group}={written(place)} does not fit; set {key} and its neighbours one by one."
            told.add(group)
        elif name not in place:
            yield f"{key} is missing; give {wanted}, as in {key}=VALUE."
        elif not any(_is(place[name], kind) for kind in allowed):
            yield f"{key}={written(place[name])} does not fit; allowed is {wanted}."
    for group in ("run", "sweep", "preprocess", "speed"):
        known = [key.rpartition(".")[2] for key in PLAIN if key.startswith(f"{group}.")]
        entries = config[group] if isinstance(config.get(group), dict) else {}
        if group == "sweep" and is_search(entries):
            known += NAMES
            yield from check_search(entries)
        for name in entries:
            if name not in known:
                instead = unknown_outside(name) if group == "sweep" else None
                takes = f"{group} takes {', '.join(known)}{nearest(str(name), known) or '.'}"
                yield f"{group}.{name} {instead}." if instead else f"{group}.{name} is unknown; {takes}"


def _entries(group: str, entries: Any) -> Iterator[str]:
    if not isinstance(entries, dict):
        yield f"{group} is missing; leave it out of the command, or choose {group}={SEVERAL[group]}."
        return
    for name, node in entries.items():
        if node is None and group == "callbacks":  # callbacks.NAME=null takes one away
            continue
        if not (isinstance(node, dict) and isinstance(node.get("_target_"), str)):
            yield f"{group}.{name} names no class; add +{group}.{name}._target_=package.module.Class."


def _is(value: Any, kind: type) -> bool:
    """Whether ``value`` is of ``kind``; true and false are no numbers."""
    return isinstance(value, kind) and (kind is bool or not isinstance(value, bool))
