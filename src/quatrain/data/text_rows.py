"""From a text corpus to token files: one stream per split, or one row per example."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from quatrain.corpora.text import TextCorpus, load_text, text_from_memory
from quatrain.data.token_file import TokenWriter, token_dtype
from quatrain.tokenizers.tokenizer import Tokenizer

Example = Literal["line", "poem", "block"]
Ids = NDArray[Any]

_CHARACTERS_AT_ONCE = 1 << 20
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


def write_stream(corpus: TextCorpus, split: str, tokenizer: Tokenizer, folder: Path) -> dict[str, Any]:
    """Write a split as one stream, documents joined by the end-of-text id; return its numbers.

    ``characters`` are those of the tokens that evaluation scores: all of the text but what the first token spells.
    """
    tally = Tally(tokenizer.vocab_size)
    first: Ids | None = None
    with TokenWriter(folder, split, token_dtype(tokenizer.vocab_size)) as writer:
        for ids in _stream(corpus, split, tokenizer, tally):
            if first is None and len(ids):
                first = ids[:1]
            tally.count(ids)
            writer.append([ids])
    unscored = 0 if first is None or int(first[0]) in tokenizer.special_ids else len(tokenizer.decode(first))
    return {
        "documents": tally.documents,
        "characters": tally.characters - unscored,
        "tokens": writer.tokens,
        "unigram_perplexity": tally.unigram_perplexity(tokenizer.special_ids),
    }


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
        batches = map(tokenizer.encode, _batched(_texts(corpus, split, example, tally), len))
    with TokenWriter(folder, split, token_dtype(tokenizer.vocab_size)) as writer:
        for batch in batches:
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


def _stream(corpus: TextCorpus, split: str, tokenizer: Tokenizer, tally: Tally) -> Iterator[Ids]:
    """The tokens of a split in arrays of any length; a long document is never whole in memory."""
    between = separator(tokenizer)
    joint = np.asarray([] if between is None else [between], dtype=np.int32)
    begins = True
    for batch in _batched(corpus.pieces(split), lambda piece: len(piece[0])):
        parts: list[Ids] = []
        for (text, ends), ids in zip(batch, tokenizer.encode([text for text, _ in batch]), strict=True):
            if begins and tally.documents:
                parts.append(joint)
            tally.documents += begins
            tally.characters += len(text)
            parts.append(ids)
            begins = ends
        yield np.concatenate(parts)


def _blocks(stream: Iterable[Ids], room: int) -> Iterator[list[Ids]]:
    """Cut a stream into lists of arrays of ``room`` tokens; the last of all may be shorter."""
    held = np.zeros(0, dtype=np.int32)
    for ids in stream:
        held = np.concatenate([held, ids])
        whole = len(held) - len(held) % room
        yield list(held[:whole].reshape(-1, room))
        held = held[whole:]
    yield [held]


def _batched(items: Iterable[Any], size_of: Callable[[Any], int]) -> Iterator[list[Any]]:
    """Lists of items of about a million characters together, so that encoding fills all threads in flat memory."""
    batch: list[Any] = []
    size = 0
    for item in items:
        batch.append(item)
        size += size_of(item)
        if size >= _CHARACTERS_AT_ONCE:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch
