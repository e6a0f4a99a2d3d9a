"""The rows that a model is asked about, checked one by one."""

import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, TextIO

from quatrain.core.errors import UserError
from quatrain.corpora.records import Refuse, lone_surrogate, missing_column
from quatrain.inference.sources import Source, numbered_rows

TEXT_OPTIONS = ("--text", "--text-pair")
"""What names the columns of the texts."""

SHOWN = 10
"""Bad rows that are told one by one."""

OR_SKIP = "or pass over such rows with --on-error skip"
_FIRST_BYTE, _LAST_BYTE = 0xDC80, 0xDCFF  # what surrogateescape makes of a byte that is not UTF-8


class Row(NamedTuple):
    """What is asked: where it stands, for a sentence; all its columns; and the text of it, or the pair of texts."""

    place: str
    columns: Mapping[str, Any]
    texts: tuple[str, ...]

    @property
    def characters(self) -> int:
        """How many it holds, in all its columns; a number counts as one."""
        return _characters(self.columns or self.texts)


Choose = Callable[[Source, Sequence[str]], tuple[str, ...]]
"""From the names of the columns of a source to those of the texts; raises UserError where they are not there."""

Check = Callable[[Mapping[str, Any]], str | None]
"""What else is wrong with the columns of a row, as the end of a sentence that begins with its place; None: nothing."""


class BadRows:
    """What is done about bad rows: the first ends the work, or, with ``skip``, they are counted and left out."""

    def __init__(self, *, skip: bool) -> None:
        self.skip, self.count = skip, 0
        self._sentences: list[str] = []

    def __call__(self, error: UserError) -> None:
        """Raise ``error``, or keep it."""
        if not self.skip:
            raise error
        self.count += 1
        if len(self._sentences) < SHOWN:
            self._sentences += error.sentences

    def tell(self, stream: TextIO | None = None) -> None:
        """Write what was left out, one line for each of the first `SHOWN` rows and one for their number."""
        if not self.count:
            return
        stream = stream or sys.stderr
        for sentence in self._sentences:
            print(f"skipped: {sentence}", file=stream)
        more = f"; the first {SHOWN} are told" if self.count > SHOWN else ""
        print(f"{self.count:,} bad row{'s' if self.count > 1 else ''} skipped{more}", file=stream)


def read_rows(source: Source, choose: Choose, refuse: Refuse, check: Check) -> Iterator[Row]:
    """Yield the rows of ``source``.

    The texts are those in the columns that ``choose`` names, given the columns of the first row. A row is bad that is
    not in the source's form, lacks a text, has one that is no text or blank, holds what is not UTF-8, or fails
    ``check``.

    Raises:
        UserError: the source cannot be read or holds no good row, its columns are not there, or a row is bad and
            ``refuse`` does not go on.
    """
    names: tuple[str, ...] | None = None
    number = good = 0
    for number, columns in numbered_rows(source, refuse):
        names = names or choose(source, list(columns))
        place = f"{source.origin}, {source.unit} {number}"
        if wrong := _mistake(columns, names, place) or _sentence(place, check(columns)):
            refuse(UserError(wrong))
            continue
        good += 1
        yield Row(place, columns, tuple(columns[name] for name in names))
    if not good:
        what = "good row, for all are bad" if number else "row"
        raise UserError(f"{source.origin} holds no {what}; give one that does.")


def _mistake(columns: Mapping[str, Any], names: Sequence[str], place: str) -> str | None:
    """The sentence for a row whose texts are missing or no texts, or that could not be written as UTF-8."""
    for option, name in zip(TEXT_OPTIONS, names, strict=False):
        if name not in columns:
            return missing_column(place, name, columns, option)
        if not isinstance(value := columns[name], str):
            shown = "null" if value is None else f"{type(value).__name__} {value!r:.40}"
            return f"{place}: column {name} is {shown}, not a text; mend the row, {OR_SKIP}."
        if not value.strip():
            return f"{place}: column {name} is empty; mend the row, {OR_SKIP}."
    for name, value in columns.items():
        if broken := lone_surrogate(name) or _half_pair(value):
            return f"{place}: column {name} holds {_told(broken)}, {OR_SKIP}."
    return None


def _characters(value: Any) -> int:
    if isinstance(value, str | bytes):
        return len(value)
    if isinstance(value, Mapping):
        return sum(map(_characters, value)) + sum(map(_characters, value.values()))
    return sum(map(_characters, value)) if isinstance(value, list | tuple) else 1


def _half_pair(value: Any) -> str | None:
    if isinstance(value, str):
        return lone_surrogate(value)
    if isinstance(value, list | dict):
        return lone_surrogate(json.dumps(value, ensure_ascii=False, default=str))
    return None


def _told(broken: str) -> str:
    code = int(broken.removeprefix("\\u"), 16)
    if _FIRST_BYTE <= code <= _LAST_BYTE:
        return f"the byte 0x{code & 0xFF:02x}, which is not UTF-8; save the file as UTF-8 (iconv -f LATIN1 -t UTF-8)"
    return f"{broken}, half of a pair and no character; mend the escape"


def _sentence(place: str, wrong: str | None) -> str | None:
    return f"{place} {wrong}" if wrong else None
