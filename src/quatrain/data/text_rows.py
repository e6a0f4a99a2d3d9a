"""From a text corpus to a token file with a row for each example."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

import numpy as np

from quatrain.core.progress_line import ProgressLine
from quatrain.corpora.text import TextCorpus, load_text, text_from_memory
from quatrain.data.token_file import TokenWriter, token_dtype
from quatrain.data.token_streams import Ids, Tally, split_stream
from quatrain.tokenizers.tokenizer import Tokenizer

Example = Literal["line", "poem", "block"]

_TOKENS_AT_ONCE = 1 << 18
_CHOICE = ("documents", "cleaning", "validation_share", "test_share", "split", "split_seed")
_PLACE = ("text_column", "sha256", "revision", "verse_size", "verse_seed")


Texts = str | list[str] | dict[str, list[str]] | TextCorpus | None
"""Texts from memory, or a corpus that is open already."""


def open_corpus(texts: Texts, choice: Mapping[str, Any]) -> TextCorpus:
    """Return the corpus that a data module's arguments name (``choice``), or that of ``texts``."""
    if isinstance(texts, TextCorpus):
        return texts
    how = {name: choice[name] for name in _CHOICE}
    if texts is not None:
        return text_from_memory(texts, **how)
    where = {name: choice[name] for name in _PLACE}
    return load_text(choice["source"], **where, **how)


def training_texts(corpus: TextCorpus) -> Iterator[str]:
    """Return the training split in pieces of about a megabyte, never a long document whole."""
    return (piece for piece, _ in corpus.pieces("train"))


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
        batches = _blocks(split_stream(corpus, split, tokenizer, tally), room)
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


def _texts(corpus: TextCorpus, split: str, example: Example, tally: Tally) -> Iterator[str]:
    for document in corpus.documents(split):
        tally.documents += 1
        tally.characters += len(document)
        if example == "poem":
            yield document
        else:
            yield from (line for line in document.split("\n") if line.strip())


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
