"""Sentences and sentence pairs with labels: GLUE's tasks and a user's own."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

from quatrain.core.errors import UserError
from quatrain.corpora.cleaning import Cleaning, CleaningReport
from quatrain.corpora.glue import GLUE_TASKS
from quatrain.corpora.pairs import PairCorpus, UnreadPairs, open_pairs, pairs_from_memory
from quatrain.data.cache import fingerprint, prepare_once, read_meta
from quatrain.data.checks import check_pairs
from quatrain.data.encoded_pairs import ROWS_AT_ONCE, PairRows, write_pair_rows
from quatrain.data.forks import quiet_forks
from quatrain.data.module import LanguageData, fitted
from quatrain.data.pair_encoding import PairEncoder

FEW_ROWS, OF_MANY = 5, 100
"""A class with fewer rows than the first, where a split has more than the second, is likely a mistake."""


class SentencePairs(LanguageData):
    """Rows of one text or two with a class or a score.

    Texts are encoded once, in batches, and padded per batch. Labels -1 (GLUE's tests) become IGNORED, NaN for scores:
    predicted, not scored. Batches are `PairBatch`.
    After `setup` also: ``num_labels`` (1 for a score), ``label_names`` (None for a score), ``regression``, ``metrics``;
    ``monitor`` is GLUE's choice among them, else accuracy, for scores Pearson's correlation.
    MNLI has two validation sets: `val_dataloader` then returns a list, ``validation_names`` their names.
    ``summary``: examples, tokens, the share truncated and the share of the largest class of each split.

    Args:
        source: verse (embedded pairs, made by a grammar), a file, folder or glob (jsonl, csv, tsv, parquet,
            also .gz), a folder of MRPC as it was published, a URL, or hub:NAME. Where it has splits, they are kept.
        glue_task: one of GLUE's tasks, for its columns, classes and metrics; None: a task of the user's own.
        text_columns: one column or two that hold the text; None: the task's, or the usual names.
        label_column: the column of the class, or of the score.
        label_names: the classes in the order of their numbers; None: the source's own or the task's, or else what
            training holds.
        sha256: the checksum that a download must have; needed for a URL.
        revision: branch, tag or commit of a hub name.
        cleaning: which rules mend or drop text.
        validation_share: share of the corpus held out for validation, where the source brings no split of its own.
        test_share: share held out for the test, likewise.
        split_seed: of how rows are dealt; apart from ``seed``, so that seeds are compared on one split.
        incomplete_rows: refuse tells the rows whose text is empty, or whose label is (which the test split alone may
            lack); drop leaves them out, and counts them in the report of quatrain preprocess.
        verse_size: pairs of the embedded verse, where ``source`` is verse.
        verse_seed: of the embedded verse.
        max_length: tokens of a row, special ones too; of two texts the longer is cut first.
        use_token_types: whether batches tell which text a token is of; None: where the tokenizer's model takes that.
        num_proc: processes that encode.
        rows: mappings from memory, or such rows by split, instead of ``source``.
    """

    def __init__(
        self,
        *,
        tokenizer: Any,
        source: str = "verse",
        glue_task: str | None = None,
        text_columns: list[str] | None = None,
        label_column: str = "label",
        label_names: list[str] | None = None,
        sha256: str | None = None,
        revision: str | None = None,
        cleaning: Cleaning | None = None,
        validation_share: float = 0.1,
        test_share: float = 0.1,
        split_seed: int = 0,
        incomplete_rows: Literal["refuse", "drop"] = "refuse",
        verse_size: int = 4000,
        verse_seed: int = 0,
        max_length: int = 128,
        batch_size: int = 32,
        eval_batch_size: int | None = None,
        use_token_types: bool | None = None,
        num_proc: int = 1,
        shuffle: bool = True,
        drop_last: bool = False,
        bucketing: bool = False,
        num_workers: int = 0,
        seed: int = 0,
        rows: Any = None,
    ) -> None:
        super().__init__(
            recipe=tokenizer,
            batch_size=batch_size,
            eval_batch_size=eval_batch_size,
            num_workers=num_workers,
            shuffle=shuffle,
            drop_last=drop_last,
            bucketing=bucketing,
            seed=seed,
        )
        self.source, self.given_rows, self.glue_task = source, rows, glue_task
        self._class_counts: list[int] = []
        self._left_out = ""
        self.text_columns, self.label_column, self.given_label_names = text_columns, label_column, label_names
        self.sha256, self.revision, self.cleaning = sha256, revision, cleaning
        self.validation_share, self.test_share, self.split_seed = validation_share, test_share, split_seed
        self.incomplete_rows = incomplete_rows
        self.verse_size, self.verse_seed = verse_size, verse_seed
        self.max_length, self.use_token_types, self.num_proc = max_length, use_token_types, num_proc
        self.label_names: tuple[str, ...] | None = None
        self.num_labels, self.regression = 0, False
        self.metrics: tuple[str, ...] = ()
        self.refuse_mistakes()

    def check(self) -> list[str]:
        """Return a sentence for each argument that cannot be meant."""
        return check_pairs(vars(self))

    def load(self) -> None:
        """Encode the rows where that was not done before, and map them."""
        corpus = self.corpus()
        self.fingerprint = corpus.fingerprint
        self._left_out = _left_out(corpus.report)
        tokenizer = fitted(self.recipe, lambda: training_texts(corpus), corpus.fingerprint)
        token_types = self.use_token_types
        if token_types is None:
            token_types = "token_type_ids" in tokenizer.hf.model_input_names
        encoder = PairEncoder(
            tokenizer, pairs=len(corpus.text_columns) == 2, max_length=self.max_length, token_types=token_types
        )
        if encoder.room < len(corpus.text_columns):
            least = self.max_length - encoder.room + len(corpus.text_columns)
            raise UserError(
                f"data.max_length={self.max_length} leaves no room for text beside the"
                f" {self.max_length - encoder.room} special tokens of a row; give at least {least}."
            )

        def build(folder: Path) -> dict[str, Any]:
            return {split: self._write(corpus, split, encoder, folder) for split in corpus.splits}

        digest = fingerprint(
            "pairs",
            corpus=corpus.fingerprint,
            tokenizer=tokenizer.fingerprint,
            max_length=self.max_length,
            token_types=token_types,
        )
        folder = prepare_once("pairs", digest, build)
        self._tokenizer = tokenizer
        self._describe(corpus)
        for split, numbers in read_meta(folder).items():
            rows = PairRows(folder, split, regression=self.regression, fill=tokenizer.pad_id)
            self.rows[split] = rows
            self.summary |= {f"{name}/{split}": value for name, value in numbers.items()}
            if (share := rows.majority_share()) is not None:
                self.summary[f"majority_share/{split}"] = share
            if split == "train" and not self.regression:
                self._class_counts = rows.class_counts(self.num_labels)

    def notes(self) -> list[str]:
        """What to know of the data before it is trained on: rows left out, classes with next to no training rows."""
        labelled = sum(self._class_counts)
        notes = [self._left_out] if self._left_out else []
        if self.label_names is None or labelled < OF_MANY:
            return notes
        return notes + [
            f"The label {name} is that of {count} of {labelled:,} training rows; is it misspelled?"
            for name, count in zip(self.label_names, self._class_counts, strict=True)
            if count < FEW_ROWS
        ]

    def corpus(self) -> PairCorpus:
        """Return the cleaned, split rows, as they are before they are encoded; one that stands for rows, as is."""
        if isinstance(self.given_rows, PairCorpus):
            return self.given_rows
        if self.given_rows is not None:
            return pairs_from_memory(self.given_rows, **self._how())
        return self.unread().read()

    def unread(self) -> UnreadPairs:
        """Return the source of the rows and how they become a corpus; local files are not read.

        Raises:
            UserError: the rows come from memory, or the source is refused.
        """
        if self.given_rows is not None:
            raise UserError("data.rows are read as a whole; name a file or a folder with data.source instead.")
        return open_pairs(
            self.source,
            sha256=self.sha256,
            revision=self.revision,
            verse_size=self.verse_size,
            verse_seed=self.verse_seed,
            **self._how(),
        )

    def _how(self) -> dict[str, Any]:
        return {
            "glue_task": self.glue_task,
            "text_columns": self.text_columns,
            "label_column": self.label_column,
            "label_names": self.given_label_names,
            "cleaning": self.cleaning,
            "validation_share": self.validation_share,
            "test_share": self.test_share,
            "split_seed": self.split_seed,
            "incomplete_rows": self.incomplete_rows,
        }

    def _describe(self, corpus: PairCorpus) -> None:
        self.label_names = corpus.label_names
        self.regression = corpus.label_names is None
        self.num_labels = 1 if corpus.label_names is None else len(corpus.label_names)
        task = GLUE_TASKS[self.glue_task] if self.glue_task else None
        self.metrics = task.metrics if task else _usual_metrics(self.num_labels, self.regression)
        sets = [split.removeprefix("validation") for split in corpus.splits if split.startswith("validation")]
        # The first set is val, so that its metrics have the same names in every task.
        self.validation_names = ("val", *(f"val{name}" for name in sets[1:]))
        self.monitor = (f"val/{task.monitor}", task.monitor_mode) if task else (f"val/{self.metrics[0]}", "max")

    def _write(self, corpus: PairCorpus, split: str, encoder: PairEncoder, folder: Path) -> dict[str, Any]:
        rows = corpus.splits[split]
        with quiet_forks(self.num_proc if self.num_proc > 1 else 0):
            mapped = rows.map(
                encoder,
                batched=True,
                batch_size=ROWS_AT_ONCE,
                num_proc=self.num_proc if self.num_proc > 1 else None,
                remove_columns=list(corpus.text_columns),
                # Its own way would pickle the tokenizer to name the result.
                new_fingerprint=fingerprint("pairs", folder=folder.name, split=split)[:16],
                desc=f"encoding {split}",
            ).with_format("numpy")
        return write_pair_rows(mapped, split, encoder, folder)


def _left_out(report: CleaningReport) -> str:
    """What is told of the rows that ``data.incomplete_rows=drop`` left out; empty where there are none."""
    rule = "incomplete_rows"
    if rule not in report.counts:
        return ""
    count, places = report.counts[rule], [f"{one.file}, line {one.line}" for one in report.examples.get(rule, ())]
    rows = "1 row" if count == 1 else f"{count:,} rows"
    at = f", the first at {places[0]}" if count > 1 and places else f", {places[0]}" if places else ""
    return f"{rows} without a text or a label left out{at} (data.incomplete_rows=drop)"


def training_texts(corpus: PairCorpus) -> Iterator[str]:
    """Return the texts of the training rows, one column after another."""
    for column in corpus.text_columns:
        yield from corpus.columns["train"][column]


def _usual_metrics(num_labels: int, regression: bool) -> tuple[str, ...]:
    if regression:
        return ("pearson", "spearman")
    return ("accuracy", "f1") if num_labels == 2 else ("accuracy",)
