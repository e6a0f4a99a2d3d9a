"""What W&B wrote into a run directory: a folder with one file of records for each time that the run was under way."""

import struct
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

HEADER = 7
BLOCK = 32 * 1024
FULL, FIRST, MIDDLE, LAST = 1, 2, 3, 4
SYNCED = ".synced"
"""What W&B appends to the name of a file that is uploaded."""


class Segment(NamedTuple):
    """One time that a run was under way: its file, the run's id, and whether all of it is uploaded."""

    file: Path
    run_id: str
    uploaded: bool


class Line(NamedTuple):
    """One row of W&B's history: its number there, and what stands in it as text of JSON."""

    number: int
    values: dict[str, str]


def segments(tracking: Path) -> list[Segment]:
    """The segments below a run's folder ``tracking``, oldest first."""
    files = [file for file in (tracking / "wandb").glob("*run-*/run-*.wandb") if file.is_file()]
    found = [Segment(file, file.stem.removeprefix("run-"), marker(file).exists()) for file in files]
    # offline-run-20260131_120000-ID and run-20260131_120000-ID
    return sorted(found, key=lambda one: one.file.parent.name.removeprefix("offline-"))


def marker(file: Path) -> Path:
    """The file that says that ``file`` is uploaded."""
    return file.with_name(file.name + SYNCED)


def history(file: Path) -> Iterator[Line]:
    """Yield the rows of a file as far as they are whole; a torn end is the end."""
    from wandb.proto import wandb_internal_pb2

    for data in _records(file):
        record: Any = wandb_internal_pb2.Record()
        with suppress(Exception):  # protobuf has several errors for what is no record
            record.ParseFromString(data)
            if record.WhichOneof("record_type") == "history":
                values = {item.key or ".".join(item.nested_key): item.value_json for item in record.history.item}
                yield Line(record.history.step.num, values)


def _records(file: Path) -> Iterator[bytes]:
    """LevelDB's log format: after a header, blocks of fragments, each with checksum, length and kind before it."""
    part = b""
    with file.open("rb") as opened:
        opened.seek(HEADER)
        place = HEADER
        while True:
            left = BLOCK - place % BLOCK
            if left < 7:
                place += len(opened.read(left))
                continue
            head = opened.read(7)
            if len(head) < 7:
                return
            _, length, kind = struct.unpack("<IHB", head)
            data = opened.read(length)
            if len(data) < length or not FULL <= kind <= LAST:
                return
            place += 7 + length
            part = data if kind in (FULL, FIRST) else part + data
            if kind in (FULL, LAST):
                yield part
