"""Whether a config is plain: mappings and lists of texts, numbers, true, false and null, of a sensible size."""

import math
from collections.abc import Iterator
from typing import Any

DEEPEST = 30
MOST_VALUES = 20_000
LONGEST_TEXT = 100_000
LARGEST_NUMBER = 2**63 - 1


def check_shape(config: Any) -> Iterator[str]:
    """Yield a sentence for each value that no config can hold; after one on the size, no more."""
    if not isinstance(config, dict):
        yield f"The config is {_kind(config)}, not a mapping of groups such as data, tokenizer, model and trainer."
        return
    count = 0
    waiting: list[tuple[str, Any, int]] = [("", config, 0)]
    while waiting:
        key, value, depth = waiting.pop()
        count += 1
        if count > MOST_VALUES or depth > DEEPEST:
            what = f"more than {MOST_VALUES:,} values" if count > MOST_VALUES else f"{DEEPEST} levels and more"
            yield f"The config holds {what}{f', below {key[:100]}' if key else ''}; no experiment has as many."
            return
        if isinstance(value, dict):
            for name, item in reversed(value.items()):
                if not isinstance(name, str) and (depth < 2 or type(name) is not int):
                    yield f"{f'{key}.' if key else ''}{written(name)} is {_kind(name)}, where a key must be a text."
                else:
                    waiting.append((f"{key}.{name}" if key else str(name), item, depth + 1))
        elif isinstance(value, list):
            waiting += [(f"{key}[{place}]", item, depth + 1) for place, item in reversed(list(enumerate(value)))]
        elif wrong := _wrong(value):
            yield f"{key}={written(value)} {wrong}."


def written(value: Any) -> str:
    """A value as the command line would have it, cut where it is long."""
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, int) and abs(value) > LARGEST_NUMBER:
        return f"a number of {value.bit_length()} bits"
    text = repr(value) if _small(value) else _kind(value)
    return text if len(text) <= 200 else f"{text[:200]}..."


def _small(value: Any) -> bool:
    if isinstance(value, dict | list):
        return len(value) <= 50 and not any(isinstance(item, dict | list) for item in _items(value))
    return not isinstance(value, str) or len(value) <= 1000


def _items(value: Any) -> list[Any]:
    return list(value.values()) if isinstance(value, dict) else value


def _wrong(value: Any) -> str | None:
    if value is None or isinstance(value, bool):
        return None
    if isinstance(value, int):
        return None if abs(value) <= LARGEST_NUMBER else f"is beyond {LARGEST_NUMBER}; give a smaller number"
    if isinstance(value, float):
        return None if math.isfinite(value) else "is no finite number; give one"
    if not isinstance(value, str):
        return f"is {_kind(value)}; write a text in quotes, a number, true, false or null"
    if len(value) > LONGEST_TEXT:
        return f"has more than {LONGEST_TEXT:,} characters; give a shorter text"
    if "\0" in value or any("\ud800" <= character <= "\udfff" for character in value):
        return "holds a character that no text can have; take it out"
    return None


def _kind(value: Any) -> str:
    kinds = {
        dict: "a mapping",
        list: "a list",
        str: "a text",
        int: "a number",
        float: "a number",
        bool: "true or false",
    }
    return "null" if value is None else kinds.get(type(value), f"a {type(value).__name__}")
