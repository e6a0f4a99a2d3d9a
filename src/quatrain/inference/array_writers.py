"""Writing rows with their answers as Parquet, or their vectors alone as a NumPy file."""

import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np

from quatrain.core.errors import UserError
from quatrain.inference.columns import Columns
from quatrain.inference.rows import Row
from quatrain.inference.text_writers import json_text

_ROWS, _NUMBERS, _CHARACTERS = 1 << 13, 1 << 21, 1 << 24
"""What is held before it is written as a row group: rows, numbers of their vectors, characters of their columns."""


class ParquetWriter:
    """Writes row groups to ``path``; leaving it writes the rest and ends the file.

    ``types``: those of the rows' own columns, where they are known; else each is that of the first row group, and
    lists and mappings become JSON texts. Vectors are lists of a fixed size of float32, several of a row a list of them.
    """

    def __init__(self, path: Path, columns: Columns, types: Mapping[str, Any]) -> None:
        self._path, self._columns, self._types = path, columns, dict(types)
        self._typed = bool(types)
        self._rows: list[tuple[Row, Sequence[Any]]] = []
        self._numbers = self._characters = 0
        self._file: Any = None

    def __enter__(self) -> "ParquetWriter":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                self._write_group()
        finally:
            if self._file is not None:
                self._file.close()

    def write(self, row: Row, values: Sequence[Any]) -> None:
        """Add a row and the values of its added columns.

        Raises:
            UserError: a value does not fit the type of its column.
        """
        self._rows.append((row, values))
        self._numbers += sum(value.size for value in values if isinstance(value, np.ndarray))
        self._characters += row.characters
        if len(self._rows) >= _ROWS or self._numbers >= _NUMBERS or self._characters >= _CHARACTERS:
            self._write_group()

    def _write_group(self) -> None:
        import pyarrow
        import pyarrow.parquet

        if not self._rows:
            return
        own, added = self._columns.own, self._columns.added
        arrays = [self._own(name) for name in own]
        arrays += [_array([values[place] for _, values in self._rows]) for place in range(len(added))]
        table = pyarrow.Table.from_arrays(arrays, names=[*own, *added])
        if self._file is None:
            self._file = pyarrow.parquet.ParquetWriter(self._path, table.schema)
        self._file.write_table(table)
        self._rows, self._numbers, self._characters = [], 0, 0

    def _own(self, name: str) -> Any:
        import pyarrow

        cells = [row.columns.get(name) for row, _ in self._rows]
        if not self._typed:
            cells = [json_text(value) if isinstance(value, list | dict) else value for value in cells]
        kind = self._types.get(name)
        try:
            array = pyarrow.array(cells, type=kind if self._typed else None)
            if not self._typed and array.type != kind:
                array = array.cast(_widened(array.type, kind))
        except (pyarrow.ArrowException, TypeError, ValueError, OverflowError) as error:
            raise UserError(self._misfit(name, cells, kind)) from error
        self._types[name] = array.type
        return array

    def _misfit(self, name: str, cells: Sequence[Any], kind: Any) -> str:
        """The sentence for the first value that does not fit those before it."""
        import pyarrow

        for (row, _), value in zip(self._rows, cells, strict=True):
            if value is None:
                continue
            try:
                kind = _widened(pyarrow.scalar(value).type, kind)
            except (pyarrow.ArrowException, TypeError, ValueError, OverflowError):
                return (
                    f"{row.place}: column {name} is {value!r:.40}, and in .parquet a column has one type"
                    f" ({kind or 'of 64 bits'}); mend it, or write .jsonl."
                )
        return f"Column {name} has values of several types, and in .parquet it has one; write .jsonl."


class NpyWriter:
    """Writes the one vector of each row to ``path``, a NumPy array [rows, hidden] of float32."""

    def __init__(self, path: Path) -> None:
        self._stream = path.open("wb")
        self._rows = self._width = 0

    def __enter__(self) -> "NpyWriter":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._stream:
            if kind is None:
                self._stream.seek(0)
                self._write_head()

    def write(self, row: Row, values: Sequence[Any]) -> None:
        """Add the vector of a row."""
        (vector,) = values
        if not self._rows:
            self._width = len(vector)
            self._write_head()
        self._stream.write(vector.astype("<f4").tobytes())
        self._rows += 1

    def _write_head(self) -> None:
        """NumPy leaves room in it for any number of rows, so that it can be written again when they are counted."""
        head = io.BytesIO()
        shape = {"descr": "<f4", "fortran_order": False, "shape": (self._rows, self._width)}
        np.lib.format.write_array_header_1_0(head, shape)
        self._stream.write(head.getvalue())


def _widened(found: Any, kind: Any) -> Any:
    """The type of a column, ``kind`` so far (None: of nothing), with values of the type ``found`` besides.

    Raises:
        TypeError: no value may change, and so there is none.
    """
    import pyarrow

    if pyarrow.types.is_null(found):
        return kind or pyarrow.string()
    if kind in (None, found) or (pyarrow.types.is_integer(found) and pyarrow.types.is_floating(kind)):
        return kind or found
    raise TypeError(f"{found} beside {kind}")


def _array(values: Sequence[Any]) -> Any:
    """Answers as an Arrow array; vectors are [hidden], or [seq, hidden] of one row."""
    import pyarrow

    if not isinstance(values[0], np.ndarray):
        return pyarrow.array(values)
    numbers = np.concatenate([value.reshape(-1) for value in values]).astype(np.float32, copy=False)
    vectors = pyarrow.FixedSizeListArray.from_arrays(pyarrow.array(numbers), values[0].shape[-1])
    if values[0].ndim == 1:
        return vectors
    ends = np.cumsum([0, *map(len, values)]).astype(np.int32)
    return pyarrow.ListArray.from_arrays(pyarrow.array(ends), vectors)
