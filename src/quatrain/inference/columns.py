"""The columns of what is written: those of the rows, and behind them what is added."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from quatrain.core.errors import UserError

PREFIX = "predicted_"
"""Before the name of an added column where the rows have one of that name, as labelled rows have ``label``."""

_TEARS = frozenset("\t\n\r")


class Columns:
    """Those of the first row and, behind them, the added ones, in a file format ``form``.

    ``wanted``: what the added ones are to be called; `PREFIX` comes before a name that the first row has.
    ``own``, ``added``: their names, once `refusal` has seen the first row.
    """

    def __init__(self, form: str, wanted: Sequence[str]) -> None:
        self.form, self.wanted = form, tuple(wanted)
        self.own: tuple[str, ...] = ()
        self.added: tuple[str, ...] = ()
        if (torn := self._torn(wanted)) is not None:
            raise UserError(f"The label {torn!r} has a tab or a line's end, which .tsv cannot hold; write .jsonl.")

    def refusal(self, columns: Mapping[str, Any]) -> str | None:
        """Why a row cannot be written beside the first, as the end of a sentence that begins with its place, or None.

        Raises:
            UserError: no row can, because of its columns' names.
        """
        if not self.added:
            self._begin(columns)
        if any(name in columns for name in self.added):
            return f"has a column that is to be added ({', '.join(self.added)}) and the first row lacks; rename it."
        if self.form == "jsonl":
            return None
        if len(columns) > len(self.own) or columns.keys() - self.own:
            extra = ", ".join(columns.keys() - self.own)
            return f"has columns ({extra:.200}) that the first row lacks; write .jsonl, where rows may differ."
        if (torn := self._torn(columns.values())) is not None:
            return f"holds {torn!r:.40}, with a tab or a line's end, which .tsv cannot hold; write .csv or .jsonl."
        return None

    def _begin(self, columns: Mapping[str, Any]) -> None:
        self.own = tuple(columns)
        self.added = tuple(f"{PREFIX}{name}" if name in columns else name for name in self.wanted)
        if taken := [name for name in self.added if name in columns]:
            raise UserError(
                f"The rows have columns {taken[0].removeprefix(PREFIX)} and {taken[0]} already; rename one."
            )
        if (torn := self._torn(columns)) is not None:
            raise UserError(f"The column {torn!r} has a tab or a line's end in its name; write .csv or .jsonl.")

    def _torn(self, values: Iterable[Any]) -> str | None:
        """The first text that a line of tab-separated values cannot hold, where it is to hold them."""
        if self.form != "tsv":
            return None
        return next((value for value in values if isinstance(value, str) and not _TEARS.isdisjoint(value)), None)
