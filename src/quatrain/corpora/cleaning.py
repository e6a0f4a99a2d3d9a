"""Mending text: what may be changed, rule by rule, and the account of what was.

The rules here look at characters and keep the text byte-exact where they find nothing. They run in an order that makes
cleaning idempotent: line ends, byte-order marks, control characters, then NFC (which makes none of the others).
"""

import re
import unicodedata
from collections.abc import Mapping
from itertools import islice
from typing import Any, NamedTuple

RULES = {
    "newlines": "line ends replaced by \\n (CRLF, CR, NEL, LS, PS)",
    "byte_order_mark": "byte-order marks removed",
    "control_characters": "control characters removed (all but tab and line ends)",
    "unicode_nfc": "lines brought into Unicode NFC",
    "gutenberg_frame": "lines of a Project Gutenberg header or licence dropped",
    "title_lines": "lines before the first poem's heading dropped",
    "blank_lines": "blank lines dropped",
    "duplicate_lines": "lines dropped that had stood before",
    "empty_documents": "documents dropped that held no text",
    "incomplete_rows": "rows dropped whose text or label was empty",
}
"""What the number of each rule in a `CleaningReport` counts."""

EXAMPLES = 5
"""Examples kept for each rule."""

_EXCERPT = 40
_LINE_END = re.compile("\r\n?|[\x85\u2028\u2029]")
_MARK = re.compile("\ufeff")
# Line ends, NEL among them, are the business of `newlines` alone.
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f]")
# The same in UTF-8: those of one byte, and those of two.
_CONTROL_BYTES = bytes([*range(0x09), 0x0B, 0x0C, *range(0x0E, 0x20), 0x7F])
_CONTROL_PAIR = re.compile(rb"\xc2[\x80-\x84\x86-\x9f]")


class Cleaning:
    """Which rules mend or drop text; True lets a rule work, False leaves the text to it as it is.

    Args:
        newlines: turn CRLF, CR, NEL, LS and PS into ``\\n``.
        unicode_nfc: compose characters (Unicode normalization form C).
        byte_order_mark: drop U+FEFF.
        control_characters: drop the characters of category Cc but tab and line ends.
        blank_lines: drop lines that hold only white space (between lines of one document).
        duplicate_lines: drop a line that stood before anywhere in the corpus; keeps 8 to 32 bytes for each line.
        gutenberg_frame: drop the header and the licence around a Project Gutenberg text.
    """

    def __init__(
        self,
        *,
        newlines: bool = True,
        unicode_nfc: bool = True,
        byte_order_mark: bool = True,
        control_characters: bool = True,
        blank_lines: bool = False,
        duplicate_lines: bool = False,
        gutenberg_frame: bool = True,
    ) -> None:
        self.newlines = newlines
        self.unicode_nfc = unicode_nfc
        self.byte_order_mark = byte_order_mark
        self.control_characters = control_characters
        self.blank_lines = blank_lines
        self.duplicate_lines = duplicate_lines
        self.gutenberg_frame = gutenberg_frame

    def switches(self) -> dict[str, bool]:
        """Each rule and whether it works."""
        return dict(vars(self))

    def characters(self, text: str, report: "CleaningReport", origin: "Origin") -> str:
        """Apply the rules about single characters to ``text``, which begins at ``origin``; idempotent."""
        if self.newlines and any(end in text for end in "\r\x85\u2028\u2029"):
            text = _replace("newlines", _LINE_END, "\n", text, report, origin)
        if self.byte_order_mark and "\ufeff" in text:
            text = _replace("byte_order_mark", _MARK, "", text, report, origin)
        if self.control_characters and _holds_control(text):
            text = _replace("control_characters", _CONTROL, "", text, report, origin)
        if self.unicode_nfc and not (text.isascii() or unicodedata.is_normalized("NFC", text)):
            text = _compose(text, report, origin)
        return text


class Origin(NamedTuple):
    """Where a text begins: a file (or another source) and a line, counted from 1.

    ``plain`` tells that the text's lines are the file's; else the whole text stands in one record at that line.
    """

    file: str
    line: int
    plain: bool = True

    def after(self, text: str) -> "Origin":
        """The origin of what follows ``text``."""
        return self._replace(line=self.line + text.count("\n")) if self.plain else self

    def at(self, lines: int) -> "Origin":
        """The origin of what begins ``lines`` further down."""
        return self._replace(line=self.line + lines) if self.plain else self


class Example(NamedTuple):
    """One place that a rule changed; ``after`` is None where the line was dropped."""

    file: str
    line: int
    before: str
    after: str | None


def plain_report(report: "CleaningReport") -> dict[str, Any]:
    """A report as plain values, that `add_plain` takes over."""
    return {
        "counts": report.counts,
        "examples": {rule: list(map(list, held)) for rule, held in report.examples.items()},
    }


class CleaningReport:
    """How often each rule worked (`RULES` says what is counted), and the first places where it did."""

    def __init__(self) -> None:
        self.counts: dict[str, int] = {}
        self.examples: dict[str, list[Example]] = {}

    def add(self, rule: str, count: int = 1) -> None:
        """Count ``count`` more changes by ``rule``."""
        self.counts[rule] = self.counts.get(rule, 0) + count

    def room(self, rule: str) -> int:
        """How many more examples of ``rule`` are wanted."""
        return EXAMPLES - len(self.examples.get(rule, ()))

    def show(self, rule: str, origin: Origin, before: str, after: str | None) -> None:
        """Keep an example, cut to a readable length, while there is room."""
        if self.room(rule) > 0:
            shown = None if after is None else after[: 2 * _EXCERPT]
            example = Example(origin.file, origin.line, before[: 2 * _EXCERPT], shown)
            self.examples.setdefault(rule, []).append(example)

    def add_plain(self, report: Mapping[str, Any], lines: int = 0) -> None:
        """Take over the account of what came next, as `plain_report` gives it, all of it ``lines`` further down."""
        for rule, count in report["counts"].items():
            self.add(rule, count)
        for rule, examples in report["examples"].items():
            for file, line, *rest in examples[: self.room(rule)]:
                self.examples.setdefault(rule, []).append(Example(file, line + lines, *rest))

    def drop(self, rule: str, origin: Origin, before: str) -> None:
        """Count and show one dropped line or document."""
        self.add(rule)
        self.show(rule, origin, before, None)

    def to_dict(self) -> dict[str, Any]:
        """Plain values: for each rule that worked its ``count``, ``what`` it counts, and its ``examples``."""
        return {
            rule: {
                "count": self.counts[rule],
                "what": what,
                "examples": [example._asdict() for example in self.examples.get(rule, ())],
            }
            for rule, what in RULES.items()
            if rule in self.counts
        }


def _holds_control(text: str) -> bool:
    """Whether `_CONTROL` finds something; told from the bytes, which takes a quarter of the time."""
    data = text.encode("utf-8", "surrogatepass")
    if len(data.translate(None, _CONTROL_BYTES)) < len(data):
        return True
    return not text.isascii() and _CONTROL_PAIR.search(data) is not None


def _replace(rule: str, pattern: re.Pattern[str], by: str, text: str, report: CleaningReport, origin: Origin) -> str:
    for match in islice(pattern.finditer(text), report.room(rule)):
        start = max(text.rfind("\n", 0, match.start()) + 1, match.start() - _EXCERPT)
        line_end = text.find("\n", match.start())
        stop = min(match.end() + _EXCERPT, line_end + 1 if line_end >= 0 else len(text))
        before = text[start:stop]
        above = text[: match.start()]
        # Only this rule sees line ends that are about to become \n; left as they are, they end no line.
        ends = _LINE_END.sub("\n", above) if rule == "newlines" else above
        report.show(rule, origin.at(ends.count("\n")), before, pattern.sub(by, before))
    changed, count = pattern.subn(by, text)
    report.add(rule, count)
    return changed


def _compose(text: str, report: CleaningReport, origin: Origin) -> str:
    # Line by line gives the same as at once, for a line end never composes with its neighbours.
    lines = text.split("\n")
    for number, line in enumerate(lines):
        composed = unicodedata.normalize("NFC", line)
        if composed != line:
            report.add("unicode_nfc")
            report.show("unicode_nfc", origin.at(number), line, composed)
            lines[number] = composed
    return "\n".join(lines)
