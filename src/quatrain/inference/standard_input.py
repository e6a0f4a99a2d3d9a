"""Standard input as text, whole or line by line."""

from collections.abc import Iterator

from quatrain.core.errors import UserError
from quatrain.corpora import bounds
from quatrain.corpora.records import without_mark
from quatrain.inference.sources import STANDARD_INPUT, Source, find_source, numbered_lines


def standard_input_lines() -> Iterator[str]:
    """The lines of standard input as they come, without their ends, blank ones too.

    Raises:
        UserError: it is closed or cannot be read, or a line is no text in UTF-8 or beyond all measure.
    """
    return (line.removesuffix("\n").removesuffix("\r") for line in _standard_input())


def standard_input_text() -> str:
    """All of standard input without the line end at its end.

    Raises:
        UserError: as `standard_input_lines`, or all of it is longer than a line may be.
    """
    lines: list[str] = []
    left = bounds.LONGEST_LINE
    for line in _standard_input():
        left -= len(line)
        if left < 0:
            raise UserError(f"standard input has more than {bounds.LONGEST_LINE:,} characters; give a shorter text.")
        lines.append(line)
    return "".join(lines).removesuffix("\n").removesuffix("\r")


def _standard_input() -> Iterator[str]:
    source = find_source(STANDARD_INPUT, None)
    return (line for _, line in without_mark(_in_utf8(source)))


def _in_utf8(source: Source) -> Iterator[tuple[int, str]]:
    for number, line in numbered_lines(source):
        try:
            line.encode()
        except UnicodeEncodeError as error:
            place = len(line[: error.start].encode()) + 1
            raise UserError(
                f"{source.origin}, line {number} is no UTF-8 (at byte {place}); convert it to UTF-8."
            ) from error
        yield number, line
