"""Joining the parts of a text corpus to the files that `write_text` writes, to the byte."""

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

import numpy as np

from quatrain.corpora.files import SPLITS
from quatrain.corpora.layout import Layout, Scan
from quatrain.corpora.processed import write_pieces, write_report
from quatrain.corpora.shard_part import Part
from quatrain.corpora.shard_stream import chunks, pieces, texts
from quatrain.corpora.shard_survey import Survey
from quatrain.corpora.splits import Key, divide
from quatrain.corpora.text import TextCorpus

_TRAIN = SPLITS.index("train")
_NOWHERE = 255


def join_text_parts(corpus: TextCorpus, parts: Sequence[Part], folder: Path) -> None:
    """Write the splits and the report of ``corpus`` into ``folder``, out of all its parts in order.

    Raises:
        UserError: a split gets no document.
    """
    survey = Survey(parts, corpus.making)
    scan = Scan(corpus.making.shares, survey.report, corpus.making.source.splits or ())
    if scan.shares.split == "random" and scan.shares.held_out:
        _find_keys(survey, scan.shares.seed)
    scan.take(survey.lengths[survey.alive], survey.keys[survey.alive], survey.splits[survey.alive])
    layout = corpus.making.lay_out(scan, lambda: pieces(survey))
    if layout.cuts:
        held = [split for split in SPLITS if layout.documents[split]]
        joined = ((piece, ends) for _, piece, ends in pieces(survey))
        write_pieces(divide(joined, layout.cuts), held, folder)
    else:
        _copy(survey, layout, folder)
    write_report(corpus, layout, folder)


def _find_keys(survey: Survey, seed: int) -> None:
    """The keys of documents that lie in several parts or have lost lines."""
    wanted = survey.stale & survey.alive & (survey.splits == _TRAIN)
    if not wanted.any():
        return
    for document, found in texts(survey, wanted):
        key = Key(seed)
        for text in found:
            key.update(text)
        survey.keys[document] = key.value()


def _copy(survey: Survey, layout: Layout, folder: Path) -> None:
    """Copy each document to the file of its split."""
    where = np.full(len(survey.alive), _NOWHERE, np.uint8)
    where[survey.alive] = layout.dealt
    with ExitStack() as stack:
        files = {
            number: stack.enter_context((folder / f"{split}.jsonl").open("wb"))
            for number, split in enumerate(SPLITS)
            if layout.documents[split]
        }
        for chunk in chunks(survey):
            splits = where[chunk.documents]
            for number, file in files.items():
                if (wanted := splits == number).any():
                    file.write(chunk.chosen(wanted))
