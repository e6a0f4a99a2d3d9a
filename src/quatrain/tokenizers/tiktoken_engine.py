"""Byte-level BPE by OpenAI's tiktoken: several times the rate of `tokenizers`, for tokenizers that `prove` takes."""

import threading
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from quatrain.tokenizers.engines import Engine
from quatrain.tokenizers.rank_proof import MergeRanks
from quatrain.tokenizers.special import END_OF_TEXT
from quatrain.tokenizers.threads import cores

MOST_THREADS = 8
"""More would wait for the thread that reads the text, and each takes 11 MB."""


class TiktokenEngine:
    """Encodes with tiktoken; a call stays in its thread and leaves Python free.

    Each thread has an encoding of its own, made in 12 ms: its regular expressions keep a pool of buffers of which the
    first thread is the owner, and threads that share one pass its state from core to core, which can cost more than
    the encoding itself.

    ``plain`` gives the engine for what tiktoken cannot read: about a million white spaces in a row.
    """

    name = "tiktoken"
    characters = 1 << 16

    def __init__(self, proved: MergeRanks, plain: Callable[[], Engine]) -> None:
        import tiktoken
        from tiktoken_ext.openai_public import r50k_pat_str  # type: ignore[import-untyped]

        # With no special string at all tiktoken would search for the empty one.
        special = proved.found or {END_OF_TEXT: len(proved.ids)}
        self.threads = min(cores(), MOST_THREADS)
        self._found = frozenset(proved.found)
        self._ids = None if _is_identity(proved.ids) else proved.ids
        self._plain = plain
        self._of_thread = threading.local()
        self._make = partial(
            tiktoken.Encoding, "proved", pat_str=r50k_pat_str, mergeable_ranks=proved.ranks, special_tokens=special
        )

    def __call__(self, texts: list[str]) -> list[np.ndarray]:
        """See `Engine`."""
        return [self._one(text) for text in texts]

    def _one(self, text: str) -> np.ndarray:
        try:
            ranks = self._encoding().encode_to_numpy(text, allowed_special=self._found, disallowed_special=())
        except ValueError:
            return self._plain()([text])[0]
        ids: np.ndarray = ranks.astype(np.int32) if self._ids is None else self._ids[ranks]
        return ids

    def _encoding(self) -> Any:
        """The encoding of this thread."""
        if not hasattr(self._of_thread, "encoding"):
            self._of_thread.encoding = self._make()
        return self._of_thread.encoding


def _is_identity(ids: np.ndarray) -> bool:
    return bool((ids == np.arange(len(ids))).all())
