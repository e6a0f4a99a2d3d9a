"""What the words of ``quatrain explain`` ask for: keys, groups, patterns, options, and overrides to compose with."""

import re
import shlex
from dataclasses import replace
from fnmatch import fnmatchcase
from pathlib import Path

from quatrain.config.check import check
from quatrain.config.compose import hydra_at, own_folders
from quatrain.config.composition import Composition, composition
from quatrain.config.describing import describe
from quatrain.config.explaining import Explained, explain_group, explain_key, keys_of, option_with
from quatrain.config.folder import conf_folder
from quatrain.config.hydra_keys import explain_hydra
from quatrain.config.option_files import groups, options
from quatrain.config.overrides import is_override
from quatrain.config.spelling import deeper, nearest
from quatrain.core.errors import UserError

MOST_NAMED = 8


def explain(words: list[str], config_dir: str | Path | None = None) -> list[Explained]:
    """Explain what ``words`` ask for: keys and groups, patterns such as ``optimizer.*``, the last part of a key.

    Words with ``=`` are overrides to compose with; where there are no others, the keys that they set are explained.

    Raises:
        UserError: with every word that means nothing, and the nearest that does.
    """
    overrides = [word for word in words if is_override(word)]
    asked = [word for word in words if word not in overrides]
    folders = own_folders(config_dir)
    with hydra_at(conf_folder()):
        composed = composition(overrides, folders)
        wrong = _mistakes(composed) if overrides else []
        explained: dict[str, Explained] = {}
        unknown = []
        for word in asked or [text.lstrip("+~").partition("=")[0] for text in overrides]:
            found = _explained(word, composed, overrides)
            explained |= {one.key: replace(one, refused=_refused(one.key, wrong, composed)) for one in found}
            unknown += [] if found else [_unknown(word, composed)]
    if unknown:
        raise UserError(unknown)
    chosen = _chosen_beside(overrides, asked, composed)
    return [replace(one, example=_with(one.example, chosen)) for one in explained.values()]


def _chosen_beside(overrides: list[str], asked: list[str], composed: Composition) -> list[str]:
    """Those of ``overrides`` that choose an option, without which a key may not be there; none where they are asked."""
    return [word for word in overrides if asked and word.partition("=")[0] in composed.choices]


def _with(example: str, chosen: list[str]) -> str:
    """``example`` with what was chosen before its own words, but for groups of which it chooses otherwise."""
    words = shlex.split(example)
    set_here = {word.partition("=")[0] for word in words if "=" in word}
    added = [word for word in chosen if word.partition("=")[0] not in set_here]
    at = next((place for place, word in enumerate(words) if "=" in word), len(words))
    return shlex.join([*words[:at], *added, *words[at:]]) if added and words else example


def _explained(word: str, composed: Composition, overrides: list[str]) -> list[Explained]:
    if word.startswith(("hydra.", "hydra/")) or word == "hydra":
        return explain_hydra(word, composed)
    if any(sign in word for sign in "*?["):
        keys = [key for key in composed.every_key() if fnmatchcase(key, word) and not key.endswith("._target_")]
        return [one for key in keys if (one := explain_key(key, composed))]
    if (one := explain_group(word, composed)) is not None or (one := explain_key(word, composed)) is not None:
        return [one]
    if option := option_with(word, composed):
        brought = composition([*overrides, option], composed.folders)
        return [one] if (one := explain_key(word, brought, option)) else []
    keys = [key for key in composed.every_key() if key.endswith(f".{word}")]
    return [one for key in keys if (one := explain_key(key, composed))]


def _mistakes(composed: Composition) -> list[str]:
    """What a run would refuse of the config."""
    try:
        check(composed.config)
    except UserError as error:
        return error.sentences
    return []


def _refused(key: str, sentences: list[str], composed: Composition) -> list[str]:
    """Those of ``sentences`` that are about ``key``, or about one that takes its value from it."""
    followers = [name for name, places in composed.places.items() if places[-1].text == f"${{{key}}}"]
    starts = tuple(f"{name}{end}" for name in (key, *followers) for end in "= :")
    return [sentence for sentence in sentences if sentence.startswith(starts)]


def _unknown(word: str, composed: Composition) -> str:
    for name in groups(composed.folders):
        if word in [option.name for option in options(name, composed.folders)]:
            return (
                f"{word} is no key but an option; quatrain list {name} tells what it is, and {name}={word} chooses it."
            )
    every = {*groups(composed.folders), *composed.every_key()}
    for name in composed.choices:
        every |= {key for option in options(name, composed.folders) for key in keys_of(option, tuple(composed.folders))}
    group, _, last = word.partition(".")
    inside = deeper(group, last, every) if last else []
    near = (
        f"; did you mean {inside[0]}?"
        if inside
        else _about(word, composed)
        or nearest(word, sorted(every))
        or "; quatrain list shows the groups, and quatrain explain GROUP its keys."
    )
    return f"{word}: there is no such key{near}"


def _about(word: str, composed: Composition) -> str:
    """A hint at the keys that have the word in their last part, then those that say it: GPT-2's dropouts are pdrop."""
    says = re.compile(rf"\b{re.escape(word)}\b", re.IGNORECASE)
    keys = composed.every_key()
    named = [key for key in keys if word in key.rpartition(".")[2].split("_")]
    spoken = [key for key in keys if (one := describe(key, composed.config)) and says.search(one.says)]
    found = list(dict.fromkeys([*named, *spoken]))
    return f"; about it are {', '.join(found[:MOST_NAMED])}." if found else ""
