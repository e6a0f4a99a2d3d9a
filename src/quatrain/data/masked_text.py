"""Masked language modelling: lines, poems or blocks of text with hidden tokens."""

from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from quatrain.core.batches import IGNORED
from quatrain.core.errors import UserError
from quatrain.corpora.cleaning import Cleaning
from quatrain.corpora.text import TextCorpus
from quatrain.data.cache import fingerprint, prepare_once, read_meta
from quatrain.data.checks import check_masked_text
from quatrain.data.collate import Layout, Tokens
from quatrain.data.masking import Masking, MaskLabels
from quatrain.data.module import LanguageData, fitted
from quatrain.data.sampler import Key, rows_of
from quatrain.data.text_rows import Texts, open_corpus, training_texts, write_examples
from quatrain.data.token_file import TokenFile


class MaskedText(LanguageData):
    """Examples of text with the model's special tokens at their ends, some of their tokens hidden.

    Splits are made by document before examples are, so that no document is on two sides. Lines and poems longer than
    ``max_length`` are cut off and counted. Special tokens and padding are never masked. Masks depend on (``seed``,
    epoch, example) alone, those of validation and test on (``seed``, example).

    Batches are `MaskedBatch`, padded to the longest; with ``packing`` `PackedBatch`, of the same masks, without padding
    (blocks stay a table, as they are of one length). Lines of verse of one length are alike, and batches of them teach
    less than those of any length; so packing is a better way than ``bucketing`` alone where it can be had.
    ``summary``: documents, characters, examples, tokens (special ones too) and the share truncated of each split, and
    the unigram perplexity of the validation text.

    Args:
        source: verse (embedded, made by a grammar), shakespeare, tinyshakespeare, a file, folder or glob (txt, jsonl,
            csv, tsv, parquet, also .gz), a URL, or hub:NAME. A folder with train.* and validation.* brings its own
            splits.
        documents: what one document is: the whole text, each paragraph (blank lines end it), each line, or each of the
            numbered sonnets.
        example: line: one line of a document that is not blank; poem: one document; block: a row of ``max_length``
            tokens cut from the stream of a split, its documents joined by the tokenizer's end of text.
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
        max_length: tokens of an example, special ones too; what is longer is cut off.
        mask_probability: share of the tokens (of the words, with ``whole_words``) that are hidden and asked for.
        mask_rule: 80_10_10 puts the mask token in 80 % of the hidden places, a random token in 10 % and leaves 10 %;
            always puts the mask token.
        whole_words: whether words are hidden whole.
        labels: masked asks for what is hidden; all, in training, for every token that is not special.
        packing: rows of a batch one after another without padding, and batches of about the same number of tokens;
            auto: where the model can, which the run decides.
        texts: a text or texts from memory, or texts by split, instead of ``source``.
    """

    def __init__(
        self,
        *,
        tokenizer: Any,
        source: str = "verse",
        documents: Literal["whole", "paragraphs", "lines", "sonnets"] = "whole",
        example: Literal["line", "poem", "block"] = "poem",
        text_column: str = "text",
        sha256: str | None = None,
        revision: str | None = None,
        cleaning: Cleaning | None = None,
        validation_share: float = 0.1,
        test_share: float = 0.0,
        split: Literal["random", "contiguous"] = "random",
        split_seed: int = 0,
        verse_size: int = 4000,
        verse_seed: int = 0,
        max_length: int = 128,
        batch_size: int = 32,
        eval_batch_size: int | None = None,
        mask_probability: float = 0.15,
        mask_rule: Literal["80_10_10", "always"] = "80_10_10",
        whole_words: bool = False,
        labels: Literal["masked", "all"] = "masked",
        shuffle: bool = True,
        drop_last: bool = False,
        bucketing: bool = False,
        packing: bool | Literal["auto"] = False,
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
            bucketing=bucketing,
            packing=packing is True and example != "block",
            seed=seed,
        )
        self.texts: Texts = texts
        self.source, self.documents, self.example = source, documents, example
        self.text_column, self.sha256, self.revision, self.cleaning = text_column, sha256, revision, cleaning
        self.validation_share, self.test_share = validation_share, test_share
        self.split, self.split_seed = split, split_seed
        self.verse_size, self.verse_seed = verse_size, verse_seed
        self.max_length = max_length
        self.mask_probability, self.mask_rule, self.whole_words = mask_probability, mask_rule, whole_words
        self.labels = labels
        self.refuse_mistakes()

    def check(self) -> list[str]:
        """Return a sentence for each argument that cannot be meant."""
        return check_masked_text(vars(self))

    def rows_to_predict(self, split: str) -> "MaskedRows":
        """Return the rows of ``split`` padded, so that a prediction is that of one row."""
        rows = self.rows[split]
        assert isinstance(rows, MaskedRows)
        return rows.unpacked()

    def corpus(self) -> TextCorpus:
        """Return the cleaned, split text, as it is before it is encoded."""
        return open_corpus(self.texts, vars(self))

    def load(self) -> None:
        """Encode the corpus where that was not done before, and map its examples."""
        corpus = self.corpus()
        self.fingerprint = corpus.fingerprint
        tokenizer = fitted(self.recipe, lambda: training_texts(corpus), corpus.fingerprint)
        if mistakes := tokenizer.check_mask_token():
            raise UserError(mistakes)
        recipe: dict[str, Any] = {"example": self.example, "max_length": self.max_length}

        def build(folder: Path) -> dict[str, Any]:
            return {split: write_examples(corpus, split, tokenizer, folder, **recipe) for split in corpus.splits}

        digest = fingerprint("examples", corpus=corpus.fingerprint, tokenizer=tokenizer.fingerprint, **recipe)
        folder = prepare_once("examples", digest, build)
        meta = read_meta(folder)
        if empty := [split for split, numbers in meta.items() if not numbers["examples"]]:
            raise UserError(
                f"data.example={self.example} finds no example in the {split} split of data.source={self.source}; its"
                " text has no token, so name a source that holds text."
                for split in empty
            )
        self._tokenizer = tokenizer
        for split, numbers in meta.items():
            masking = self._masking(tokenizer, self.labels if split == "train" else "masked")
            file = TokenFile(folder, split)
            self.rows[split] = MaskedRows(file, masking, fill=tokenizer.pad_id, packing=self.packing)
            for name in ("documents", "characters", "examples", "tokens", "truncated"):
                self.summary[f"{name}/{split}"] = numbers[name]
        if "validation" in meta:
            self.summary["unigram_perplexity"] = meta["validation"]["unigram_perplexity"]

    def _masking(self, tokenizer: Any, labels: MaskLabels) -> Masking:
        special = np.zeros(tokenizer.vocab_size, dtype=bool)
        special[sorted(tokenizer.special_ids)] = True
        return Masking(
            probability=self.mask_probability,
            rule=self.mask_rule,
            mask_id=tokenizer.mask_id,
            special=special,
            word_starts=tokenizer.word_starts() if self.whole_words else None,
            labels=labels,
            seed=self.seed,
        )


class MaskedRows:
    """Rows of a token file, masked and then padded or packed by the batch: `MaskedBatch` or `PackedBatch` arrays."""

    def __init__(self, file: TokenFile, masking: Masking, *, fill: int, packing: bool = False) -> None:
        self.file, self.masking, self.fill, self.packing = file, masking, fill, packing

    def __len__(self) -> int:
        """Count the examples."""
        return len(self.file)

    def lengths(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the number of tokens of each of ``rows``."""
        return self.file.lengths(rows)

    def unpacked(self) -> "MaskedRows":
        """Return the same rows, padded."""
        return MaskedRows(self.file, self.masking, fill=self.fill)

    def __getitems__(self, keys: list[Key]) -> dict[str, Any]:
        """Return the examples of ``keys``, padded to the longest or one after another in one row."""
        epochs, rows, fillers = rows_of(keys)
        flat, lengths = self.file.gather(rows)
        layout = Layout(lengths)
        ids, labels = self.masking(flat, layout, epochs=epochs, examples=rows)
        if fillers.any():
            labels[fillers[layout.rows]] = IGNORED
        lay = packed if self.packing else padded
        return {**lay(ids, labels, layout, self.fill), "example_ids": np.where(fillers, -1 - rows, rows)}


def padded(ids: Tokens, labels: Tokens, layout: Layout, fill: int) -> dict[str, Any]:
    """Return masked ids and labels [tokens] as the `MaskedBatch` of their examples, without example_ids."""
    table = layout.padded(labels, IGNORED)
    return {
        "input_ids": layout.padded(ids, fill),
        "attention_mask": layout.attention_mask(),
        "labels": table,
        "scored_places": np.flatnonzero(table != IGNORED),
    }


def packed(ids: Tokens, labels: Tokens, layout: Layout, fill: int) -> dict[str, Any]:
    """Return them as the `PackedBatch` of their examples, without example_ids; nothing is filled."""
    return {
        "input_ids": ids[None],
        "position_ids": layout.positions[None],
        "labels": labels[None],
        "scored_places": np.flatnonzero(labels != IGNORED),
        "cu_seqlens": np.append(layout.starts, len(ids)).astype(np.int32),
        "max_seqlen": layout.longest,
    }
