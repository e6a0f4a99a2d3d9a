"""Corpora that a short name stands for: a pinned public address and the sha256 of what lies there."""

import os
from typing import NamedTuple

MIRROR_VARIABLE = "QUATRAIN_MIRROR"
"""Names a server that holds the same paths, for machines that cannot reach the public one."""

_HOST = "https://raw.githubusercontent.com"


class NamedCorpus(NamedTuple):
    """One public text file at a fixed commit."""

    path: str
    sha256: str

    @property
    def url(self) -> str:
        """Where the file is fetched from: the public server, or the one that ``QUATRAIN_MIRROR`` names."""
        return os.environ.get(MIRROR_VARIABLE, _HOST).rstrip("/") + self.path


NAMED = {
    "shakespeare": NamedCorpus(
        "/GITenberg/Shakespeare-s-Sonnets_1041/b6da8a3e73e7081cf71c57e930001d0b92a8f644/1041.txt",
        "e3580b25135e2d89467dd4cef0ccdcdd5f50f8779247fc24612ef653d27dc9d5",
    ),
    "tinyshakespeare": NamedCorpus(
        "/karpathy/char-rnn/6f9487a6fe5b420b7ca9afb0d7c078e37c1d1b4e/data/tinyshakespeare/input.txt",
        "86c4e6aa9db7c042ec79f339dcb96d42b0075e16b8fc2e86bf0ca57e2dc565ed",
    ),
}
"""``shakespeare`` is Project Gutenberg's text of the Sonnets, ``tinyshakespeare`` one megabyte of the plays."""
