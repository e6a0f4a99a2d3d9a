"""A corpus of text: documents in splits, cleaned, streamed, with a fingerprint.

corpus = load_text("sonnets.txt", documents="sonnets", validation_share=0.1)
for poem in corpus.documents("train"): ...
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache, cached_property
from pathlib import Path
from typing import Any, NamedTuple, get_args

from quatrain.core.errors import UserError
from quatrain.core.progress_line import ProgressLine
from quatrain.corpora.cleaning import Cleaning, CleaningReport
from quatrain.corpora.documents import DocumentReader, Documents
from quatrain.corpora.files import SPLITS
from quatrain.corpora.layout import Layout, Scan
from quatrain.corpora.sources import MemorySource, Source, digest, find_source
from quatrain.corpora.splits import BOUNDARY_DOCUMENTS, Shares, Split, divide, find_cuts, targets

_CODE = (
    "cleaning",
    "cutting",
    "documents",
    "duplicates",
    "files",
    "gutenberg",
    "hub_text",
    "layout",
    "parquet",
    "records",
    "sonnets",
    "sources",
    "splits",
    "text",
)


class Making(NamedTuple):
    """What a corpus is made of, and how; as the arguments of `TextCorpus`."""

    source: Source
    documents: Documents
    cleaning: Cleaning
    shares: Shares

    def lay_out(self, scan: Scan, read: Callable[[], Iterable[tuple[str | None, str, bool]]]) -> Layout:
        """Where each document of a full scan goes; ``read`` gives the pieces again: (split, piece, whether it ends).

        Raises:
            UserError: a split gets nothing.
        """
        few = self.documents == "whole" and scan.count < BOUNDARY_DOCUMENTS
        if self.shares.split == "contiguous" and few:
            train = ((piece, ends) for split, piece, ends in read() if split in (None, "train"))
            return scan.cut_layout(find_cuts(train, targets(scan.characters, scan.shares)))
        return scan.dealt_layout()


class TextCorpus:
    """Cleaned documents in splits, read from their source as often as wanted; see `load_text`.

    The first look at splits, counts, report or documents reads the source once from end to end. Memory stays flat: one
    piece of about a megabyte, and 17 bytes for each document.

    Args:
        source: where the raw texts come from.
        documents: what a document is.
        cleaning: the rules that mend the text.
        shares: how documents are dealt to the splits that the source does not bring itself.
    """

    def __init__(self, source: Source, *, documents: Documents, cleaning: Cleaning, shares: Shares) -> None:
        if documents not in get_args(Documents):
            raise UserError(f"data.documents={documents} is unknown; allowed are {', '.join(get_args(Documents))}.")
        if wrong := shares.wrong():
            raise UserError(wrong)
        self.name = source.name
        self.making = Making(source, documents, cleaning, shares)

    @cached_property
    def fingerprint(self) -> str:
        """Hexadecimal sha256 over raw content, cleaning, documents, split recipe and the code that applies them."""
        recipe = json.dumps(self.recipe, sort_keys=True)
        return digest("text", self.making.source.fingerprint(), recipe, _code_fingerprint())

    @property
    def recipe(self) -> dict[str, Any]:
        """How documents are made of the raw text, in plain values: documents, cleaning and shares."""
        return {
            "documents": self.making.documents,
            "cleaning": self.making.cleaning.switches(),
            "shares": self.making.shares._asdict(),
        }

    @property
    def splits(self) -> tuple[str, ...]:
        """Those of train, validation and test that hold something."""
        return tuple(split for split in SPLITS if self.layout.documents[split])

    @property
    def report(self) -> CleaningReport:
        """What cleaning changed and dropped in the whole corpus."""
        return self.layout.report

    def characters(self, split: str) -> int:
        """The characters of all documents of a split; 0 for a split that holds nothing."""
        return self.layout.characters[split]

    def count(self, split: str) -> int:
        """The documents of a split; 0 for one that holds nothing."""
        return self.layout.documents[split]

    def documents(self, split: str) -> Iterator[str]:
        """The documents of a split, in the order of the source, each as one string.

        Raises:
            UserError: the split holds nothing.
        """
        return _whole_documents(self.pieces(split))

    def pieces(self, split: str) -> Iterator[tuple[str, bool]]:
        """The documents of a split in pieces of about a megabyte: (piece, whether it ends its document).

        Pieces are cut only where no tokenizer sees a difference (see `cutting`), so their tokens joined are the
        document's; a document shorter than a piece comes in one.

        Raises:
            UserError: the split holds nothing.
        """
        if split not in self.splits:
            raise UserError(f"The corpus {self.name} has no {split} split; it holds {', '.join(self.splits)}.")
        return ((piece, ends) for found, piece, ends in self.stream() if found == split)

    def stream(self) -> Iterator[tuple[str, str, bool]]:
        """All splits in one pass, in the order of the source: (split, piece, whether it ends its document)."""
        layout = self.layout
        if layout.cuts:
            yield from divide(self._joined(), layout.cuts)
            return
        number = 0
        for piece, ends in self._joined():
            yield SPLITS[layout.dealt[number]], piece, ends
            number += ends

    def _joined(self) -> Iterator[tuple[str, bool]]:
        return ((piece, ends) for _, piece, ends in self._read(CleaningReport()))

    def _read(self, report: CleaningReport) -> Iterator[tuple[str | None, str, bool]]:
        source, documents, cleaning, _ = self.making
        reader = DocumentReader(documents=documents, cleaning=cleaning, report=report)
        for raw in source.texts():
            for piece, ends in reader.read(raw.blocks, raw.origin):
                yield raw.split, piece, ends

    @cached_property
    def layout(self) -> Layout:
        """Where each document goes; found by a pass over the source."""
        report = CleaningReport()
        scan = Scan(self.making.shares, report, self.making.source.splits or ())
        with ProgressLine("reading", unit="characters") as line:
            characters = 0
            for split, piece, ends in self._read(report):
                scan.add(split, piece, ends)
                characters += len(piece)
                line.show(0, characters)
        return self.making.lay_out(scan, lambda: self._read(CleaningReport()))


def _whole_documents(pieces: Iterable[tuple[str, bool]]) -> Iterator[str]:
    parts: list[str] = []
    for piece, ends in pieces:
        parts.append(piece)
        if ends:
            yield "".join(parts)
            parts = []


@cache
def _code_fingerprint() -> str:
    """Over the source code that decides which text comes out, so that a cache never outlives a change of it."""
    return digest(*(Path(__file__).with_name(f"{name}.py").read_text("utf-8") for name in _CODE))


def load_text(
    source: str,
    *,
    documents: Documents = "whole",
    text_column: str = "text",
    sha256: str | None = None,
    revision: str | None = None,
    cleaning: Cleaning | None = None,
    validation_share: float = 0.1,
    test_share: float = 0.0,
    split: Split = "random",
    split_seed: int = 0,
    verse_size: int = 4000,
    verse_seed: int = 0,
) -> TextCorpus:
    """Open a corpus. The source is checked (and downloaded) at once, and read when the corpus is first looked into.

    Args:
        source: ``verse`` (embedded, made as it is read), ``shakespeare`` or ``tinyshakespeare`` (pinned downloads), a
            file, a folder or a glob (txt, jsonl, csv, tsv, parquet; gz of each), a URL, ``hub:OWNER/NAME`` or
            ``hub:OWNER/NAME:CONFIG``. A folder (a glob, a hub dataset) that holds ``train.*``, ``validation.*``
            (``valid``, ``dev``) or ``test.*`` brings its own splits; of validation and test the missing ones are dealt
            out of train by their shares.
        documents: a plain file is one document (``whole``) or many: ``paragraphs`` (between blank lines), ``lines``,
            or ``sonnets`` (numbered poems). Rows of the other formats are divided likewise.
        text_column: the column of record files that holds the text.
        sha256: of the file that a URL (where it must be given) or a path names.
        revision: commit, tag or branch of a hub dataset.
        cleaning: the rules that mend the text; all of `Cleaning`'s defaults where None.
        validation_share: share of documents (``random``) or characters (``contiguous``) that is held out, in [0, 1).
        test_share: the same for the test split.
        split: ``random`` deals distinct documents, equal ones to the same side; ``contiguous`` takes validation and
            test from the end of the stream: between documents, but inside of the text at white space where there are
            fewer than ten whole texts.
        split_seed: another seed deals otherwise.
        verse_size: poems of the embedded verse.
        verse_seed: seed of the embedded verse.

    Raises:
        UserError: the source or a setting is wrong. Faults inside of the text (encoding, columns, rows, a split
            without a document) come when it is first read.
    """
    shares = Shares(validation_share, test_share, split, split_seed)
    found = find_source(
        source,
        text_column=text_column,
        sha256=sha256,
        revision=revision,
        verse_size=verse_size,
        verse_seed=verse_seed,
    )
    return TextCorpus(found, documents=documents, cleaning=cleaning or Cleaning(), shares=shares)


def text_from_memory(
    texts: str | Iterable[str] | Mapping[str, Iterable[str]],
    *,
    documents: Documents = "whole",
    cleaning: Cleaning | None = None,
    validation_share: float = 0.1,
    test_share: float = 0.0,
    split: Split = "random",
    split_seed: int = 0,
    name: str = "memory",
) -> TextCorpus:
    """A corpus of texts at hand: one, several, or several for each split (by the names train, validation, test).

    The other arguments are those of `load_text`.

    Raises:
        UserError: a setting is wrong, a text is no str or no Unicode, or texts by split hold none for train.
    """
    held: dict[str | None, Iterable[str]] = {}
    if isinstance(texts, Mapping):
        held.update(texts)
    else:
        held[None] = [texts] if isinstance(texts, str) else texts
    shares = Shares(validation_share, test_share, split, split_seed)
    return TextCorpus(MemorySource(held, name), documents=documents, cleaning=cleaning or Cleaning(), shares=shares)
