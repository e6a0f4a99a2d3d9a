"""From a text corpus to token files: one stream per split, or one row per example."""

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from quatrain.core.progress_line import ProgressLine
from quatrain.corpora.text import TextCorpus, load_text, text_from_memory
from quatrain.data.token_file import TokenWriter, token_dtype
from quatrain.tokenizers.tokenizer import Tokenizer

Example = Literal["line", "poem", "block"]
Ids = NDArray[Any]

_CHARACTERS_AT_ONCE = 1 << 20
_TOKENS_AT_ONCE = 1 << 18
_CHOICE = ("documents", "cleaning", "validation_share", "test_share", "split", "split_seed")
_PLACE = ("text_column", "sha256", "revision", "verse_size", "verse_seed")


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


def open_corpus(texts: str | list[str] | dict[str, list[str]] | None, choice: Mapping[str, Any]) -> TextCorpus:
    """Open the corpus that a data module's arguments name (``choice``), or ``texts`` from memory."""
    how = {name: choice[name] for name in _CHOICE}
    if texts is not None:
        return text_from_memory(texts, **how)
    where = {name: choice[name] for name in _PLACE}
    return load_text(choice["source"], **where, **how)


def training_texts(corpus: TextCorpus) -> Iterator[str]:
    """Return the training split in pieces of about a megabyte, never a long document whole."""
    return (piece for piece, _ in corpus.pieces("train"))


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


def write_examples(
    corpus: TextCorpus, split: str, tokenizer: Tokenizer, folder: Path, *, example: Example, max_length: int
) -> dict[str, Any]:
    """Write a split as rows of at most ``max_length`` ids, special tokens at their ends; return its numbers.

    ``line``: a line that is not blank. ``poem``: a whole document. ``block``: the stream of the split cut into rows,
    the last of them shorter. ``truncated`` counts lines and poems that were cut; blocks lose nothing.
    """
    tally = Tally(tokenizer.vocab_size)
    before, after = (np.asarray(part, dtype=np.int32) for part in tokenizer.wrap())
    room = max_length - len(before) - len(after)
    if example == "block":
        batches = _blocks(_stream(corpus, split, tokenizer, tally), room)
    else:
        batches = _batched(tokenizer.encode_stream(_texts(corpus, split, example, tally)))
    line = ProgressLine(f"encoding the {split} split", total=corpus.characters(split), unit="tokens")
    with TokenWriter(folder, split, token_dtype(tokenizer.vocab_size)) as writer, line:
        for batch in batches:
            line.show(tally.characters, writer.tokens)
            rows = [row for row in batch if len(row)]
            tally.truncated += sum(len(row) > room for row in rows)
            kept = [row[:room] for row in rows]
            if kept:
                tally.count(np.concatenate(kept))
            writer.append([np.concatenate([before, row, after]) for row in kept])
    return {
        "documents": tally.documents,
        "characters": tally.characters,
        "examples": writer.rows,
        "tokens": writer.tokens,
        "truncated": tally.truncated / max(1, writer.rows),
        "unigram_perplexity": tally.unigram_perplexity(tokenizer.special_ids),
    }


def separator(tokenizer: Tokenizer) -> int | None:
    """Return the id that stands between documents: the end of text, else what ends one sequence (BERT's [SEP])."""
    if tokenizer.eos_id is not None:
        return tokenizer.eos_id
    _, after = tokenizer.wrap()
    return after[-1] if after else None


def _texts(corpus: TextCorpus, split: str, example: Example, tally: Tally) -> Iterator[str]:
    for document in corpus.documents(split):
        tally.documents += 1
        tally.characters += len(document)
        if example == "poem":
            yield document
        else:
            yield from (line for line in document.split("\n") if line.strip())


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


def _stream(corpus: TextCorpus, split: str, tokenizer: Tokenizer, tally: Tally) -> Iterator[Ids]:
    """The tokens of a split in arrays of any length; a long document is never whole in memory."""
    joined = _Joined(tokenizer, tally)
    pieces = ((split, piece, ends) for piece, ends in corpus.pieces(split))
    for _, characters, ends, ids in _encoded(pieces, tokenizer):
        joined.add(characters, ends, ids)
        if joined.is_full() and (full := joined.take()) is not None:
            yield full
    if (rest := joined.take()) is not None:
        yield rest


def _encoded(stream: Iterable[tuple[str, str, bool]], tokenizer: Tokenizer) -> Iterator[tuple[str, int, bool, Ids]]:
    """Turn (split, piece, whether it ends its document) into (split, characters, whether it ends its document, ids)."""
    told: deque[tuple[str, int, bool]] = deque()

    def texts() -> Iterator[str]:
        for split, piece, ends in stream:
            told.append((split, len(piece), ends))
            yield piece

    for ids in tokenizer.encode_stream(texts()):
        yield *told.popleft(), ids


def _blocks(stream: Iterable[Ids], room: int) -> Iterator[list[Ids]]:
    """Cut a stream into lists of arrays of ``room`` tokens; the last of all may be shorter."""
    held = np.zeros(0, dtype=np.int32)
    for ids in stream:
        held = np.concatenate([held, ids])
        whole = len(held) - len(held) % room
        yield list(held[:whole].reshape(-1, room))
        held = held[whole:]
    yield [held]


def _batched(rows: Iterable[Ids]) -> Iterator[list[Ids]]:
    """Lists of rows of some hundred thousand tokens together."""
    batch: list[Ids] = []
    size = 0
    for row in rows:
        batch.append(row)
        size += len(row)
        if size >= _TOKENS_AT_ONCE:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch
