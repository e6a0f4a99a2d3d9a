"""Where answers go: a file that appears whole or not at all, or standard output."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from quatrain.core.atomic_files import replaced_whole
from quatrain.core.errors import UserError
from quatrain.corpora.parquet import open_parquet
from quatrain.inference.columns import Columns
from quatrain.inference.rows import Row
from quatrain.inference.sources import Source


class Writer(Protocol):
    """Takes rows with their answers, one by one."""

    def write(self, row: Row, values: Sequence[Any]) -> None:
        """Add a row and the values of its added columns."""
        ...


@dataclass(frozen=True)
class Destination:
    """A file, or standard output (None), and the format to write."""

    path: Path | None
    form: str


def find_destination(output: str | None, form: str, suffixes: Sequence[str]) -> Destination:
    """Return what --output names, a file with one of ``suffixes``; standard output in ``form`` where it is None.

    Raises:
        UserError: the file is there already, its folder is not, or its suffix is another one.
    """
    if output is None:
        return Destination(None, form)
    path = Path(output).expanduser()
    suffix = path.suffix.lower().removeprefix(".")
    if suffix not in suffixes:
        raise UserError(f"--output={output} must end in {' or '.join(f'.{known}' for known in suffixes)}; rename it.")
    if path.exists() or path.is_symlink():
        raise UserError(f"--output={output} exists already; name another file, or move that one away.")
    if not path.parent.is_dir():
        raise UserError(f"--output={output}: there is no folder {path.parent}; make it, or name another.")
    return Destination(path, suffix)


@contextmanager
def opened(destination: Destination, columns: Columns, source: Source) -> Iterator[Writer]:
    """Yield what writes rows there; a file appears when the block ends, and not at all where it fails.

    Raises:
        NotNow: the file cannot be written.
    """
    from quatrain.inference.array_writers import NpyWriter, ParquetWriter
    from quatrain.inference.text_writers import TextWriter, standard_output

    if destination.path is None:
        with TextWriter(standard_output(), columns) as texts:
            yield texts
        return
    with replaced_whole(destination.path) as temporary:
        if destination.form == "parquet":
            with ParquetWriter(temporary, columns, _types(source)) as table:
                yield table
        elif destination.form == "npy":
            with NpyWriter(temporary) as vectors:
                yield vectors
        else:
            with temporary.open("w", encoding="utf-8", newline="") as stream, TextWriter(stream, columns) as texts:
                yield texts


def _types(source: Source) -> Mapping[str, Any]:
    """The Arrow types of the source's columns where it tells them."""
    if source.form != "parquet" or source.path is None:
        return {}
    with open_parquet(source.path) as file:
        return {field.name: field.type for field in file.schema}
