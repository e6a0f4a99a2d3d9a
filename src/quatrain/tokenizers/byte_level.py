"""GPT-2's way of writing bytes as visible characters (Radford et al. 2019), which vocab.json and merges.txt use."""

import functools
import itertools
import unicodedata

_APOSTROPHES = ("'", "\N{RIGHT SINGLE QUOTATION MARK}")


@functools.cache
def character_of_byte() -> dict[int, str]:
    """Map each of the 256 bytes to its character: visible Latin-1 to itself, the others to U+0100 onwards in order."""
    visible = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    hidden = [byte for byte in range(256) if byte not in set(visible)]
    return {byte: chr(byte) for byte in visible} | {byte: chr(0x100 + place) for place, byte in enumerate(hidden)}


@functools.cache
def byte_of_character() -> dict[str, int]:
    """The inverse of `character_of_byte`."""
    return {character: byte for byte, character in character_of_byte().items()}


def to_bytes(token: str) -> bytes:
    """Return the bytes that ``token`` stands for.

    Raises:
        KeyError: a character that stands for no byte.
    """
    table = byte_of_character()
    return bytes(table[character] for character in token)


def from_bytes(data: bytes) -> str:
    """Write ``data`` as GPT-2's vocabulary does."""
    table = character_of_byte()
    return "".join(table[byte] for byte in data)


def begins_word(token: str) -> bool:
    """Whether a token of byte-level BPE begins a word: after white space, or with a punctuation mark of any script.

    An apostrophe, typewritten or typographic, continues its word ("'s"), as does a mark that is written on a letter, or
    a part of a character.
    """
    table = byte_of_character()
    if token[:1] not in table:
        return True
    data = bytes(table[character] for character in itertools.takewhile(table.__contains__, token[:4]))
    try:
        first = data[: _length(data[0])].decode()
    except UnicodeDecodeError:
        return False
    return first not in _APOSTROPHES and unicodedata.category(first)[0] not in "LNM"


def _length(lead: int) -> int:
    """The bytes of the character in UTF-8 that begins with ``lead``."""
    return 1 if lead < 0xC0 else 2 if lead < 0xE0 else 3 if lead < 0xF0 else 4
