"""Text of data, models and files made harmless for a terminal."""

import re

_BIDI = "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"
_CONTROLS = re.compile(f"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029{_BIDI}\ud800-\udfff\ufeff]")
"""C0 controls (but tab and line feed), C1, Unicode's line ends, what turns the direction of text, halves of pairs."""


def printable(text: str) -> str:
    """Return ``text`` with every character that would command a terminal written as its escape (``\\x1b``).

    Line feeds, tabs and all that is ordinary Unicode stay, emoji and their joiners too.
    """
    return text if text.isascii() and text.isprintable() else _CONTROLS.sub(_escaped, text)


def one_line(text: str) -> str:
    """Return `printable` text with its line feeds escaped too, so that it cannot pass for a line of our own."""
    return printable(text).replace("\n", "\\n")


def _escaped(found: re.Match[str]) -> str:
    code = ord(found[0])
    return {"\r": "\\r"}.get(found[0]) or (f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}")
