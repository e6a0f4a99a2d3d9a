"""From rows to rows with answers, one by one, in flat memory."""

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

    A terminal shows how far it is, as ``what``.

    Raises:
        UserError: as `read_rows` and ``ask``, or a row cannot be written.
        NotNow: the destination cannot be written.
    """
    columns = Columns(destination.form, added)
    rows = read_rows(source, choose, bad, columns.refusal)
    done = 0
    try:
        with ProgressLine(what, unit="rows", millions=False) as line, opened(destination, columns, source) as writer:
            for row, values in ask(rows):
                writer.write(row, values)
                done += 1
                line.show(done, done)
    except UserError:
        bad.tell()  # what was skipped may tell why
        raise
    return done
