"""Cutting a long text where no token can cross, so that its pieces are encoded in parallel and with flat memory."""

import re
from collections.abc import Iterator

PIECE = 1 << 16
"""Least characters of a piece."""

# GPT-2's pattern attaches a single space to what follows it, and BERT's words end at it. Letters or digits on either
# side keep clear of special strings and of runs of white space, where a look-ahead decides.
_SEAM = re.compile(r"[^\W_](?= [^\W_])")


def cut(text: str, size: int = PIECE) -> Iterator[str]:
    """Yield pieces whose concatenation is ``text``, each of at least ``size`` characters except perhaps the last.

    A cut lies before a single space between two letters or digits; a text without such a place stays whole. For
    byte-level BPE with GPT-2's pattern and for BERT's WordPiece, the pieces' tokens are the text's tokens.
    """
    start = 0
    while len(text) - start > 2 * size:
        seam = _SEAM.search(text, start + size - 1)
        if seam is None:
            break
        yield text[start : seam.end()]
        start = seam.end()
    yield text[start:] if start else text
