"""Tables and lines for a terminal, of text that others wrote: every cell is escaped and knows no markup."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, Literal

from quatrain.core.terminal import one_line

if TYPE_CHECKING:
    from rich.table import Table
    from rich.text import Text


def line(value: str) -> "Text":
    """``value`` in one line."""
    from rich.text import Text

    return Text(one_line(value))


def cut(values: Iterable[str]) -> "Table":
    """Each of ``values`` in one line, cut to the width that there is."""
    from rich.table import Table

    made = Table.grid()
    made.add_column(no_wrap=True, overflow="ellipsis")
    for value in values:
        made.add_row(line(value))
    return made


def heading(value: str) -> "Text":
    """``value`` in bold, below an empty line."""
    from rich.text import Text

    return Text(f"\n{one_line(value)}", style="bold")


def grid(lines: Iterable[tuple[str, str]]) -> "Table":
    """Names and their values beside them, which are folded where they are too long."""
    from rich.table import Table

    made = Table.grid(padding=(0, 2))
    made.add_column(no_wrap=True)
    made.add_column(overflow="fold")
    for name, value in lines:
        made.add_row(line(name), line(value))
    return made


def table(
    headings: Sequence[str], rows: Iterable[Sequence[str]], *, left: Sequence[str], header: bool = True
) -> "Table":
    """A table whose cells are cut where they are too long; columns that are not in ``left`` are set to the right."""
    from rich.table import Table

    made = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, show_header=header)
    for name in headings:
        justify: Literal["left", "right"] = "left" if name in left else "right"
        made.add_column(line(name), no_wrap=True, overflow="ellipsis", justify=justify)
    for row in rows:
        made.add_row(*map(line, row))
    return made


def number(value: Any) -> str:
    """A number for reading, yes or no, anything else as it is."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if not isinstance(value, int | float):
        return str(value)
    return f"{value:,}" if isinstance(value, int) else f"{value:.4g}"
