"""What turns text into ids: the `tokenizers` library, or, where it is proved to give the same ids, tiktoken.

The ids do not depend on the engine, so fingerprints do not tell it; prepared data notes who wrote it.
"""

import functools
from typing import TYPE_CHECKING, Any, Literal, Protocol

import numpy as np

from quatrain.tokenizers.special import ordinary_backend

if TYPE_CHECKING:
    from quatrain.tokenizers.rank_proof import MergeRanks

EngineChoice = Literal["auto", "tokenizers"]
"""``auto``: tiktoken where the ids are proved to be the same; ``tokenizers``: never."""


class Engine(Protocol):
    """Encodes texts; may be called from several threads at once."""

    name: str
    """Who encodes."""
    threads: int
    """How many calls pay at once."""
    characters: int
    """How much text a call should get."""

    def __call__(self, texts: list[str]) -> list[np.ndarray]:
        """Return the ids of each text without added special tokens, int32."""


class BackendEngine:
    """Encodes with the `tokenizers` library, which divides a call among all threads that it is given."""

    name = "tokenizers"
    threads = 1
    characters = 1 << 20

    def __init__(self, serialized: str, allowed: frozenset[str]) -> None:
        self._backend = ordinary_backend(serialized, allowed)

    def __call__(self, texts: list[str]) -> list[np.ndarray]:
        """See `Engine`."""
        encodings = self._backend.encode_batch_fast(texts, add_special_tokens=False)
        return [np.array(encoding.ids, dtype=np.int32) for encoding in encodings]


class Engines:
    """The engines of one tokenizer, made when they are first wanted. Travels to other processes without them.

    ``serialized``: the content of its tokenizer.json; ``allowed``: special strings that become their one id in a text,
    as every other special string does not.
    """

    def __init__(self, serialized: str, allowed: frozenset[str], choice: EngineChoice) -> None:
        self._arguments = (serialized, allowed, choice)

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), self._arguments

    @functools.cached_property
    def plain(self) -> Engine:
        """That of the `tokenizers` library, at hand at once."""
        serialized, allowed, _ = self._arguments
        return BackendEngine(serialized, allowed)

    @functools.cached_property
    def fast(self) -> Engine:
        """The fastest one, which takes up to half a second to prove and make."""
        from quatrain.tokenizers.letter_classes import same_words
        from quatrain.tokenizers.tiktoken_engine import TiktokenEngine

        proved = self._proved
        if self._arguments[2] == "tokenizers" or isinstance(proved, str) or not same_words():
            return self.plain
        return TiktokenEngine(proved, lambda: self.plain)

    @property
    def used(self) -> str:
        """The name of the fastest one that was wanted so far."""
        return (self.fast if "fast" in vars(self) else self.plain).name

    @property
    def refusal(self) -> str | None:
        """Why the ids are not proved to be tiktoken's, or None where they are."""
        return self._proved if isinstance(self._proved, str) else None

    @functools.cached_property
    def _proved(self) -> "MergeRanks | str":
        from quatrain.tokenizers.rank_proof import prove

        return prove(*self._arguments[:2])
