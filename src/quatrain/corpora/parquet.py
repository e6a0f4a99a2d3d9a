"""Reading Parquet files, plain or compressed as a whole."""

import gzip
import tempfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from itertools import accumulate
from pathlib import Path
from typing import IO, Any

from quatrain.core.errors import UserError
from quatrain.corpora import bounds
from quatrain.corpora.file_contents import WHOLE, Stretch, unreadable

_ROWS = 1024
_BLOCK = 1 << 20


class ParquetRows:
    """An open Parquet file: its schema, the names of its columns, and its rows as often as wanted."""

    def __init__(self, file: Any) -> None:
        self._file = file
        self.schema = file.schema_arrow
        self.columns: list[str] = self.schema.names

    def rows(
        self, columns: Sequence[str] | None = None, stretch: Stretch | None = None
    ) -> Iterator[tuple[int, dict[str, Any]]]:
        """Yield (number from 1, row) with ``columns``, all of them where None; of a ``stretch`` of rows only those.

        Row groups outside of the stretch are not read.
        """
        start, stop, _ = stretch or WHOLE
        groups, number = self._groups(start, stop)
        for batch in self._file.iter_batches(batch_size=_ROWS, columns=columns, row_groups=groups):
            skipped = min(max(start - number, 0), batch.num_rows)
            number += skipped
            for row in batch.slice(skipped, max(stop - number, 0)).to_pylist():
                number += 1
                yield number, row
            if number >= stop:
                return

    @property
    def count(self) -> int:
        """How many rows there are."""
        return int(self._file.metadata.num_rows)

    def _groups(self, start: int, stop: int) -> tuple[list[int], int]:
        """The row groups that hold rows from ``start`` to ``stop``, and the rows before the first of them."""
        ends = list(accumulate(self._file.metadata.row_group(g).num_rows for g in range(self._file.num_row_groups)))
        chosen = [g for g, end in enumerate(ends) if end > start and (ends[g - 1] if g else 0) < stop]
        return chosen, ends[chosen[0] - 1] if chosen and chosen[0] else 0


@contextmanager
def open_parquet(path: Path, key: str = "data.source") -> Iterator[ParquetRows]:
    """Open a Parquet file; one whose name ends in ``.gz`` is decompressed into a temporary file that nobody sees.

    Raises:
        UserError: it cannot be opened, or (from within the ``with``) read to the end, or decompressed; or it unpacks
            beyond the limits of `quatrain.corpora.bounds`.
    """
    import pyarrow
    import pyarrow.parquet

    try:
        with ExitStack() as stack:
            source = stack.enter_context(_decompressed(path, key)) if path.name.lower().endswith(".gz") else path
            yield ParquetRows(stack.enter_context(pyarrow.parquet.ParquetFile(source)))
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise UserError(unreadable(path, error, key)) from error
    # Damaged text is told by Python where Arrow does not look at it.
    except (OSError, UnicodeDecodeError, pyarrow.ArrowException) as error:
        raise UserError(f"{key}={path} cannot be read as parquet ({error}); write it again.") from error


@contextmanager
def _decompressed(path: Path, key: str) -> Iterator[IO[bytes]]:
    bound = bounds.unpacked_bound(path)
    with tempfile.TemporaryFile() as out:
        with gzip.open(path, "rb") as packed:
            while block := packed.read(_BLOCK):
                if out.tell() + len(block) > bound:
                    raise bounds.beyond_bound(path, bound, key)
                out.write(block)
        out.seek(0)
        yield out
