"""From rows to rows with answers, one by one, in flat memory."""

import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from quatrain.core.errors import UserError
from quatrain.core.progress_line import ProgressLine
from quatrain.inference.columns import Columns
from quatrain.inference.outputs import Destination, opened
from quatrain.inference.rows import BadRows, Choose, Row, read_rows
from quatrain.inference.sources import Source

Ask = Callable[[Iterable[Row]], Iterator[tuple[Row, Sequence[Any]]]]
"""From rows to each of them, in order, with the values of the added columns."""


def pass_rows(
    what: str,
    source: Source,
    destination: Destination,
    *,
    choose: Choose,
    bad: BadRows,
    added: Sequence[str],
    ask: Ask,
) -> int:
    """Write each row of ``source`` with what ``ask`` adds to it; return how many.

    A terminal shows how far it is, as ``what``, unless the rows themselves go to one. What standard output gets is
    handed on before more rows are read, so that no answer waits for rows that come late.

    Raises:
        UserError: as `read_rows` and ``ask``, or a row cannot be written.
        NotNow: the destination cannot be written.
    """
    columns = Columns(destination.form, added)
    rows = read_rows(source, choose, bad, columns.refusal)
    if destination.path is None:
        rows = _handing_on(rows)
    shows = destination.path is not None or not sys.stdout.isatty()
    done = 0
    try:
        with ProgressLine(what, unit="rows", millions=False) as line, opened(destination, columns, source) as writer:
            for row, values in ask(rows):
                writer.write(row, values)
                done += 1
                if shows:
                    line.show(done, done)
    except UserError:
        bad.tell()  # what was skipped may tell why
        raise
    return done


def _handing_on(rows: Iterable[Row]) -> Iterator[Row]:
    """``rows``; before each is read, standard output is flushed of the answers to those before."""
    for row in rows:
        yield row
        sys.stdout.flush()
