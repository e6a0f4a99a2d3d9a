"""Reading what W&B really wrote: its file of records, as its format says, with every checksum looked at."""

import json
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from wandb.proto import wandb_internal_pb2


@dataclass
class Written:
    """One file: the run's own record, config, rows, what was last said in the summary, and the exit code."""

    run: Any = None
    config: dict[str, Any] = field(default_factory=dict)
    rows: list[dict[str, Any]] = field(default_factory=list)
    summary: dict[str, Any] = field(default_factory=dict)
    metrics: list[Any] = field(default_factory=list)
    artifacts: list[Any] = field(default_factory=list)
    preempting: bool = False
    exit_code: int | None = None

    def steps(self, name: str) -> list[int]:
        """The steps of the rows that have ``name``."""
        return [row["step"] for row in self.rows if name in row or f"{name}._type" in row]


def files_of(run: Path) -> list[Path]:
    """W&B's files of records below a run directory, oldest first."""
    return sorted(run.glob("tracking/wandb/*run-*/*.wandb"), key=lambda file: file.parent.name.split("run-", 1)[1])


def read(file: Path) -> Written:
    """Everything in ``file`` that tests ask for."""
    found = Written()
    for data in _records(file.read_bytes()):
        record: Any = wandb_internal_pb2.Record.FromString(data)
        kind = record.WhichOneof("record_type")
        if kind == "run":
            found.run = record.run
            found.config |= _items(record.run.config.update)
        elif kind == "config":
            found.config |= _items(record.config.update)
        elif kind == "history":
            found.rows.append(_items(record.history.item))
        elif kind == "summary":
            found.summary |= _items(record.summary.update)
        elif kind == "metric":
            found.metrics.append(record.metric)
        elif kind == "artifact":
            found.artifacts.append(record.artifact)
        elif kind == "preempting":
            found.preempting = True
        elif kind == "exit":
            found.exit_code = record.exit.exit_code
    return found


def _items(items: Any) -> dict[str, Any]:
    return {item.key or ".".join(item.nested_key): json.loads(item.value_json) for item in items}


def _records(data: bytes) -> Iterator[bytes]:
    assert data[:4] == b":W&B"
    whole = b""
    for start in range(0, len(data), 32768):
        place, end = max(start, 7), min(start + 32768, len(data))
        while place + 7 <= end:
            checksum, length, kind = struct.unpack_from("<IHB", data, place)
            part = data[place + 7 : place + 7 + length]
            assert zlib.crc32(bytes([kind]) + part) == checksum
            whole = part if kind in (1, 2) else whole + part
            if kind in (1, 4):
                yield whole
            place += 7 + length
