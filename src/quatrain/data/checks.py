"""Whether the numbers of a data module can be meant, told before any work and without importing torch.

Each function returns a sentence for each mistake; the keys are those of the command line.
"""

from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import Any

SHORTEST = 4
"""The least ``data.max_length`` of examples with special tokens: room for two of them and two others."""


def check_pairs(values: Mapping[str, Any]) -> list[str]:
    """Judge the arguments of `SentencePairs`."""
    return [*_shared(values), *_at_least(values, "num_proc", 1, "processes that encode")]


def check_masked_text(values: Mapping[str, Any]) -> list[str]:
    """Judge the arguments of `MaskedText`."""
    found = _shared(values)
    probability = values["mask_probability"]
    if not 0 < probability < 1:
        found.append(
            f"data.mask_probability={probability} is no share of tokens to hide; give a number between 0 and 1,"
            " both excluded (0.15 is usual)."
        )
    found += _one_of(values, "example", ("line", "poem", "block"))
    found += _one_of(values, "mask_rule", ("80_10_10", "always"))
    return found + _one_of(values, "labels", ("masked", "all"))


def check_windows(values: Mapping[str, Any]) -> list[str]:
    """Judge the arguments of `Windows`; a window has no special tokens, so one token is enough."""
    found = _shared(values, shortest=1)
    stride = values["stride"]
    if stride is not None and stride < 1:
        found.append(
            f"data.stride={stride} does not move the window; give at least 1, or null for data.max_length"
            " (windows that do not overlap)."
        )
    return found


def _shared(values: Mapping[str, Any], shortest: int = SHORTEST) -> list[str]:
    found = _at_least(values, "max_length", shortest, "tokens")
    found += _at_least(values, "batch_size", 1, "examples")
    if values.get("eval_batch_size") is not None:
        found += _at_least(values, "eval_batch_size", 1, "examples, or null for data.batch_size")
    found += _at_least(values, "num_workers", 0, "processes, where 0 loads in the training process")
    found += _at_least(values, "verse_size", 1, "poems or pairs")
    shares = {name: values[name] for name in ("validation_share", "test_share")}
    wrong = {name: share for name, share in shares.items() if not 0 <= share < 1}
    for name, share in wrong.items():
        found.append(f"data.{name}={share} is no share to hold out; give a number from 0 to below 1.")
    if not wrong and sum(shares.values()) >= 1:
        given = " and ".join(f"data.{name}={share}" for name, share in shares.items())
        found.append(f"{given} leave nothing to train on; together they must stay below 1.")
    return found


def _at_least(values: Mapping[str, Any], name: str, least: int, what: str) -> list[str]:
    value = values[name]
    return [] if value >= least else [f"data.{name}={value} is too small; give at least {least} {what}."]


def _one_of(values: Mapping[str, Any], name: str, allowed: Sequence[str]) -> list[str]:
    value = values[name]
    if value in allowed:
        return []
    near = get_close_matches(str(value), allowed, n=1)
    meant = f" (did you mean {near[0]}?)" if near else ""
    return [f"data.{name}={value} is unknown{meant}; choose {', '.join(allowed[:-1])} or {allowed[-1]}."]
