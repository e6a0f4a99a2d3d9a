"""Causal language modelling: sliding windows over one stream of tokens."""

import math
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Literal

from torch.utils.data import DataLoader

from quatrain.core.errors import UserError
from quatrain.corpora.cleaning import Cleaning
from quatrain.corpora.text import TextCorpus
from quatrain.corpora.verse import log_probabilities_of
from quatrain.data.cache import fingerprint, prepare_once, read_meta
from quatrain.data.checks import check_windows
from quatrain.data.loaders import training_loader
from quatrain.data.module import LanguageData, fitted
from quatrain.data.sampler import TrainingBatches
from quatrain.data.text_rows import Texts, open_corpus, training_texts
from quatrain.data.token_file import TokenFile
from quatrain.data.token_streams import separator, write_streams
from quatrain.data.window_rows import EvaluationWindows, TrainingWindows


class Windows(LanguageData):
    """Windows of ``max_length`` tokens, ``stride`` apart, each with the same window one token later as its target.

    Training window i is tokens [i, i + L) and its target [i + 1, i + L + 1), for i in range(0, n - L, stride), where n
    is the length of the training split's stream. The corpus is split before windows are made, so no token is in two
    splits. Documents are joined by the tokenizer's end of text. Validation and test score every token but the first of
    the stream exactly once, whatever the stride (`EvaluationWindows`). Tokens lie in a memory-mapped file in the cache.

    Batches are `WindowBatch`.
    ``summary``: documents, characters (as scored), tokens and examples of each split, and the unigram perplexity of
    the validation text; of embedded verse in whole poems also the bits per character that its grammar states for that
    very text.

    Args:
        source: verse (embedded, made by a grammar), shakespeare, tinyshakespeare, a file, folder or glob (txt, jsonl,
            csv, tsv, parquet, also .gz), a URL, or hub:NAME. A folder with train.* and validation.* brings its own
            splits.
        documents: what one document is: the whole text, each paragraph (blank lines end it), each line, or each of the
            numbered sonnets.
        text_column: the column or field of a table or of jsonl that holds the text.
        sha256: the checksum that a download must have; needed for a URL.
        revision: branch, tag or commit of a hub name.
        cleaning: which rules mend or drop text.
        validation_share: share of the corpus held out for validation, where the source brings no split of its own.
        test_share: share held out for the test, likewise.
        split: random deals documents out; contiguous takes the head of the text for training, then validation, then
            test.
        split_seed: of how documents are dealt; apart from ``seed``, so that seeds are compared on one split.
        verse_size: poems of the embedded verse, where ``source`` is verse.
        verse_seed: of the embedded verse.
        max_length: tokens of a window.
        stride: tokens from one training window to the next; above ``max_length`` it leaves gaps; None: ``max_length``,
            windows that do not overlap.
        texts: a text or texts from memory, or texts by split, instead of ``source``.
    """

    def __init__(
        self,
        *,
        tokenizer: Any,
        source: str = "verse",
        documents: Literal["whole", "paragraphs", "lines", "sonnets"] = "whole",
        text_column: str = "text",
        sha256: str | None = None,
        revision: str | None = None,
        cleaning: Cleaning | None = None,
        validation_share: float = 0.1,
        test_share: float = 0.0,
        split: Literal["random", "contiguous"] = "contiguous",
        split_seed: int = 0,
        verse_size: int = 4000,
        verse_seed: int = 0,
        max_length: int = 256,
        stride: int | None = None,
        batch_size: int = 4,
        eval_batch_size: int | None = None,
        shuffle: bool = True,
        drop_last: bool = False,
        num_workers: int = 0,
        seed: int = 0,
        texts: str | list[str] | dict[str, list[str]] | None = None,
    ) -> None:
        super().__init__(
            recipe=tokenizer,
            batch_size=batch_size,
            eval_batch_size=eval_batch_size,
            num_workers=num_workers,
            shuffle=shuffle,
            drop_last=drop_last,
            seed=seed,
        )
        self.texts: Texts = texts
        self.source, self.documents = source, documents
        self.text_column, self.sha256, self.revision, self.cleaning = text_column, sha256, revision, cleaning
        self.validation_share, self.test_share = validation_share, test_share
        self.split, self.split_seed = split, split_seed
        self.verse_size, self.verse_seed = verse_size, verse_seed
        self.max_length, self.stride = max_length, stride
        self.refuse_mistakes()

    def check(self) -> list[str]:
        """Return a sentence for each argument that cannot be meant."""
        return check_windows(vars(self))

    def corpus(self) -> TextCorpus:
        """Return the cleaned, split text, as it is before it is encoded."""
        return open_corpus(self.texts, vars(self))

    def load(self) -> None:
        """Encode the corpus where that was not done before, and map its streams."""
        corpus = self.corpus()
        self.fingerprint = corpus.fingerprint
        tokenizer = fitted(self.recipe, lambda: training_texts(corpus), corpus.fingerprint)

        def build(folder: Path) -> dict[str, Any]:
            meta = write_streams(corpus, tokenizer, folder)
            if self.source == "verse" and self.texts is None and "validation" in meta:
                meta["validation"]["grammar_bits"] = grammar_bits(corpus.documents("validation"))
            return meta

        made_by = {"tokenizer": tokenizer.encoding_fingerprint, "separator": separator(tokenizer)}
        digest = fingerprint("streams", corpus=corpus.fingerprint, **made_by)
        folder = prepare_once("streams", digest, build)
        meta = read_meta(folder)
        streams = {split: TokenFile(folder, split) for split in meta}
        if mistakes := self._short(streams):
            raise UserError(mistakes)
        stride = self.stride or self.max_length
        self._tokenizer = tokenizer
        self.rows = {
            split: TrainingWindows(stream, length=self.max_length, stride=stride)
            if split == "train"
            else EvaluationWindows(stream, length=self.max_length, stride=stride, fill=tokenizer.pad_id)
            for split, stream in streams.items()
        }
        for split, numbers in meta.items():
            for name in ("documents", "characters", "tokens"):
                self.summary[f"{name}/{split}"] = numbers[name]
            self.summary[f"examples/{split}"] = len(self.rows[split])
        if "validation" in meta:
            held_out = meta["validation"]
            self.summary["unigram_perplexity"] = held_out["unigram_perplexity"]
            if held_out.get("grammar_bits") is not None:
                self.summary["grammar_bits_per_character"] = held_out["grammar_bits"] / held_out["characters"]

    def _short(self, streams: dict[str, TokenFile]) -> list[str]:
        found = []
        for split, stream in streams.items():
            tokens = stream.tokens
            if split == "train":
                found += short_for_a_window(len(tokens), self.max_length, "the training split of data.source")
            elif len(tokens) < 2:
                share = getattr(self, f"{split}_share")
                what = f"data.{split}_share={share}" if share and self.texts is None else "data.source"
                found.append(
                    f"{what} gives {split} {len(tokens)} tokens, too few to score one; give a larger share or a longer"
                    " text."
                )
        return found


def grammar_bits(documents: Iterable[str]) -> float | None:
    """Return the information of embedded verse by its own grammar, below which no honest model of it comes.

    The grammar speaks of whole poems: None where a document is a part of one, or was changed by cleaning.
    """
    nats = 0.0
    for log in log_probabilities_of(documents):
        nats -= log
        if math.isinf(nats):
            return None
    return nats / math.log(2)


def window_loader(
    text: str,
    *,
    tokenizer: Any = None,
    batch_size: int = 4,
    max_length: int = 256,
    stride: int = 128,
    shuffle: bool = True,
    drop_last: bool = True,
    num_workers: int = 0,
    seed: int = 0,
) -> DataLoader[Any]:
    """Return a loader of `WindowBatch` over the whole of ``text``; nothing is held out and nothing written.

    ``tokenizer`` is a tokenizer or a recipe, tiktoken's GPT-2 if not given. Every epoch has another order, fixed by
    ``seed``.

    Raises:
        UserError: an argument that cannot be meant, or a text shorter than one window.
    """
    from quatrain.tokenizers.tokenizer import Tokenizer

    values = {"max_length": max_length, "stride": stride, "batch_size": batch_size, "num_workers": num_workers}
    if mistakes := check_windows({**values, "validation_share": 0, "test_share": 0, "verse_size": 1}):
        raise UserError(mistakes)
    if tokenizer is None:
        from quatrain.tokenizers.tiktoken_gpt2 import TiktokenGPT2

        tokenizer = TiktokenGPT2()
    ready = tokenizer if isinstance(tokenizer, Tokenizer) else tokenizer.fit(lambda: [text])
    tokens = ready.encode([text])[0]
    if mistakes := short_for_a_window(len(tokens), max_length, "the text"):
        raise UserError(mistakes)
    rows = TrainingWindows(tokens, length=max_length, stride=stride)
    batches = TrainingBatches(len(rows), batch_size=batch_size, drop_last=drop_last, shuffle=shuffle, seed=seed)
    return training_loader(rows, batches, num_workers=num_workers)


def short_for_a_window(tokens: int, max_length: int, what: str) -> list[str]:
    """Return a sentence where ``what`` holds too few tokens for one window and its target."""
    if tokens > max_length:
        return []
    fix = f"set data.max_length to at most {tokens - 1}, or name" if tokens > 1 else "name"
    return [
        f"data.max_length={max_length} needs {max_length + 1} tokens for one window and its target, but {what} has"
        f" {tokens}; {fix} a longer text."
    ]
