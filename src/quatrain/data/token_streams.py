"""A split as one stream of token ids: documents encoded as they are read, joined by the end of text, and counted."""

from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from quatrain.core.progress_line import ProgressLine
from quatrain.corpora.text import TextCorpus
from quatrain.data.token_file import TokenWriter, token_dtype
from quatrain.tokenizers.tokenizer import Tokenizer

Ids = NDArray[Any]

_CHARACTERS_AT_ONCE = 1 << 20


@dataclass
class Tally:
    """What was counted while a split was written."""

    vocab_size: int
    documents: int = 0
    characters: int = 0
    truncated: int = 0
    token_counts: NDArray[np.int64] = field(init=False)

    def __post_init__(self) -> None:
        self.token_counts = np.zeros(self.vocab_size, dtype=np.int64)

    def count(self, ids: Ids) -> None:
        """Add to the tokens' counts."""
        self.token_counts += np.bincount(ids, minlength=self.vocab_size)

    def unigram_perplexity(self, special_ids: Iterable[int]) -> float:
        """Return exp(entropy) of the counts without special tokens: what guessing by frequency alone reaches."""
        counts = self.token_counts.copy()
        counts[sorted(special_ids)] = 0
        shares = counts[counts > 0] / max(1, counts.sum())
        return float(np.exp(-(shares * np.log(shares)).sum()))


def write_streams(corpus: TextCorpus, tokenizer: Tokenizer, folder: Path) -> dict[str, dict[str, Any]]:
    """Write each split as one stream, documents joined by the end-of-text id, in one pass; return their numbers.

    ``characters`` are those of the tokens that evaluation scores: all of the text but what the first token spells.
    ``engine`` tells who encoded, for the record.
    """
    dtype = token_dtype(tokenizer.vocab_size)
    with ExitStack() as stack:
        streams = {
            split: _Stream(tokenizer, stack.enter_context(TokenWriter(folder, split, dtype))) for split in corpus.splits
        }
        total = sum(corpus.characters(split) for split in streams)
        line = stack.enter_context(ProgressLine("encoding", total=total, unit="tokens"))
        done = tokens = 0
        for split, characters, ends, ids in _encoded(corpus.stream(), tokenizer):
            streams[split].add(characters, ends, ids)
            done, tokens = done + characters, tokens + len(ids)
            line.show(done, tokens)
        return {split: stream.finish() for split, stream in streams.items()}


def split_stream(corpus: TextCorpus, split: str, tokenizer: Tokenizer, tally: Tally) -> Iterator[Ids]:
    """The tokens of a split in arrays of any length; a long document is never whole in memory."""
    joined = _Joined(tokenizer, tally)
    pieces = ((split, piece, ends) for piece, ends in corpus.pieces(split))
    for _, characters, ends, ids in _encoded(pieces, tokenizer):
        joined.add(characters, ends, ids)
        if joined.is_full() and (full := joined.take()) is not None:
            yield full
    if (rest := joined.take()) is not None:
        yield rest


def separator(tokenizer: Tokenizer) -> int | None:
    """Return the id that stands between documents: the end of text, else what ends one sequence (BERT's [SEP])."""
    if tokenizer.eos_id is not None:
        return tokenizer.eos_id
    _, after = tokenizer.wrap()
    return after[-1] if after else None


class _Stream:
    """Writes one split, in arrays of about a million characters."""

    def __init__(self, tokenizer: Tokenizer, writer: TokenWriter) -> None:
        self._tokenizer, self._writer = tokenizer, writer
        self._tally = Tally(tokenizer.vocab_size)
        self._joined = _Joined(tokenizer, self._tally)
        self._first: Ids | None = None

    def add(self, characters: int, ends: bool, ids: Ids) -> None:
        self._joined.add(characters, ends, ids)
        if self._joined.is_full():
            self._write()

    def finish(self) -> dict[str, Any]:
        self._write()
        special = self._tokenizer.special_ids
        first = self._first
        unscored = 0 if first is None or int(first[0]) in special else len(self._tokenizer.decode(first))
        return {
            "documents": self._tally.documents,
            "characters": self._tally.characters - unscored,
            "tokens": self._writer.tokens,
            "unigram_perplexity": self._tally.unigram_perplexity(special),
            "engine": self._tokenizer.engines.used,
        }

    def _write(self) -> None:
        if (ids := self._joined.take()) is None:
            return
        if self._first is None and len(ids):
            self._first = ids[:1]
        self._tally.count(ids)
        self._writer.append([ids])


class _Joined:
    """Joins what documents give, (characters, whether the document ends, ids), into arrays."""

    def __init__(self, tokenizer: Tokenizer, tally: Tally) -> None:
        between = separator(tokenizer)
        self._joint = np.asarray([] if between is None else [between], dtype=np.int32)
        self._tally = tally
        self._begins = True
        self._parts: list[Ids] = []
        self._size = 0

    def add(self, characters: int, ends: bool, ids: Ids) -> None:
        if self._begins and self._tally.documents:
            self._parts.append(self._joint)
        self._tally.documents += self._begins
        self._tally.characters += characters
        self._parts.append(ids)
        self._begins = ends
        self._size += characters

    def is_full(self) -> bool:
        return self._size >= _CHARACTERS_AT_ONCE

    def take(self) -> Ids | None:
        """What was joined since the last time; None where nothing was added."""
        if not self._parts:
            return None
        ids = np.concatenate(self._parts)
        self._parts, self._size = [], 0
        return ids


def _encoded(stream: Iterable[tuple[str, str, bool]], tokenizer: Tokenizer) -> Iterator[tuple[str, int, bool, Ids]]:
    """Turn (split, piece, whether it ends its document) into (split, characters, whether it ends its document, ids)."""
    told: deque[tuple[str, int, bool]] = deque()

    def texts() -> Iterator[str]:
        for split, piece, ends in stream:
            told.append((split, len(piece), ends))
            yield piece

    for ids in tokenizer.encode_stream(texts()):
        yield *told.popleft(), ids
