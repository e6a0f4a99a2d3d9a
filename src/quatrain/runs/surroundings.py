"""What differs between the surroundings of two starts, as their provenance tells."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

PLAIN = ("python", "platform", "host", "cpu", "cpu_flags", "cpus_usable", "gpus", "cuda", "cudnn", "driver", "ranks")
TABLES = ("threads", "environment", "fingerprints", "revisions", "seeds")
CHECKOUTS = {"git": "source", "quatrain_git": "quatrain's source"}
NO_INFLUENCE = ("threads", "wandb", "mlflow")
"""Choices that a table of its own tells, and of who looks on."""

FINGERPRINTED = {"data": "the corpus", "tokenizer": "the tokenizer", "weights": "the initial weights"}


@dataclass(frozen=True)
class Change:
    """Something that was one way ``before`` and is another ``now``; None is what was not there."""

    what: str
    before: Any
    now: Any

    def as_dict(self) -> dict[str, Any]:
        """As plain values."""
        return asdict(self)

    def __str__(self) -> str:
        return f"{self.what}: {_short(self.before)} before, {_short(self.now)} now"


def differences(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[Change]:
    """Return what differs, the data, tokenizer and weights first; what only one of the two tells of is left out."""
    return [*_tables(before, now), *_code(before, now), *_plain(before, now)]


def config_differences(before: Any, now: Any, key: str = "") -> list[Change]:
    """Return every leaf of a config that differs, by its key; places and loggers count too."""
    if isinstance(before, Mapping) and isinstance(now, Mapping):
        prefix = f"{key}." if key else ""
        names = [*before, *(name for name in now if name not in before)]
        return [
            change
            for name in names
            for change in config_differences(before.get(name), now.get(name), f"{prefix}{name}")
        ]
    return [] if before == now else [Change(key, before, now)]


def _tables(before: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[Change]:
    for table in TABLES:
        if table in before and table in now:
            for change in config_differences(before[table], now[table]):
                yield Change(FINGERPRINTED.get(change.what, f"{table} {change.what}"), change.before, change.now)
    chosen = [{name: choice["value"] for name, choice in one.get("choices", {}).items()} for one in (before, now)]
    if all(chosen):
        yield from (change for change in config_differences(chosen[0], chosen[1]) if change.what not in NO_INFLUENCE)


def _code(before: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[Change]:
    if "versions" in before and "versions" in now:
        yield from config_differences(before["versions"], now["versions"])
    for key, what in CHECKOUTS.items():
        first, second = before.get(key), now.get(key)
        if first and second:
            yield from _changed(f"{what}, commit", first["commit"], second["commit"])
            yield from _changed(f"{what}, changes", first.get("diff_sha256"), second.get("diff_sha256"))
    if "code" in before and "code" in now:
        yield from _changed("quatrain's code", before["code"], now["code"])


def _plain(before: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[Change]:
    for name in PLAIN:
        if name in before and name in now:
            yield from _changed(name, before[name], now[name])


def _changed(what: str, before: Any, now: Any) -> Iterator[Change]:
    if before != now:
        yield Change(what, before, now)


def _short(value: Any) -> str:
    """A value for the eye: a fingerprint by its beginning."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return ", ".join(_short(item) for item in value) or "none"
    if isinstance(value, Mapping):
        return str(value.get("name", dict(value)))
    text = str(value)
    return text[:12] if len(text) in (40, 64) and set(text) <= set("0123456789abcdef") else text
