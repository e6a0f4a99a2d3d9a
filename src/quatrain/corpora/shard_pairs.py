"""One shard of a corpus of pairs: its rows, checked and cleaned, one JSON list a line; and all of them read back."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from quatrain.core.errors import UserError
from quatrain.corpora.cleaning import CleaningReport, plain_report
from quatrain.corpora.file_contents import WHOLE, Stretch, count_lines
from quatrain.corpora.pair_assembly import row_cleaner, wrong_label
from quatrain.corpora.pair_files import NumberedRows, RowStream
from quatrain.corpora.pair_labels import plain_label
from quatrain.corpora.pair_rows import CleanRow, Mistakes
from quatrain.corpora.pairs import UnreadPairs
from quatrain.corpora.shard_cuts import Bytes, Extent, Slice, Uncut, slices
from quatrain.corpora.shard_folder import PartPlace

ROWS = "rows.jsonl"


class Leaf(NamedTuple):
    """One file, or other source of rows, of a split: the ``part`` of the split's stream with this number."""

    split: str
    part: int
    stream: RowStream

    def extent(self) -> Extent:
        """How it is cut."""
        if self.stream.cut is not None:
            return self.stream.cut.extent()
        return Uncut(sum(file.stat().st_size for file in self.stream.files) or 1)


def leaves_of(pairs: UnreadPairs) -> list[Leaf]:
    """All that is read, in order."""
    return [
        Leaf(split, number, part)
        for split, stream in pairs.source.splits.items()
        for number, part in enumerate(stream.parts or (stream,))
    ]


def write_pair_part(pairs: UnreadPairs, shard: int, shards: int, folder: Path) -> dict[str, Any]:
    """Write the shard's rows into ``folder``; return an account of each slice that they came from.

    Raises:
        UserError: rows are wrong; with a sentence for each, up to a few.
    """
    leaves = leaves_of(pairs)
    extents = [leaf.extent() for leaf in leaves]
    mistakes = Mistakes()
    with (folder / ROWS).open("w", encoding="utf-8", newline="\n") as file:
        accounts = []
        for piece in slices(extents, shard, shards):
            account = _Slice(pairs, leaves[piece.number], extents[piece.number], piece)
            for row in account.rows(mistakes):
                file.write(json.dumps([row.number, row.position, row.label, row.idx, *row.texts]) + "\n")
            accounts.append(account.plain())
    mistakes.raise_any()
    return {"slices": accounts}


class _Slice:
    """The rows of one slice, and the account of them."""

    def __init__(self, pairs: UnreadPairs, leaf: Leaf, extent: Extent, piece: Slice) -> None:
        self._pairs, self._leaf, self._extent, self._piece = pairs, leaf, extent, piece
        self._report = CleaningReport()
        self._read = self._written = 0

    def rows(self, mistakes: Mistakes) -> Iterator[CleanRow]:
        """The clean rows; in a file that is cut by bytes their lines count from the slice's start."""
        own = Mistakes()
        relative = isinstance(self._extent, Bytes) and self._piece.start > 0
        try:
            yield from self._clean(0, own if relative else mistakes)
            own.raise_any()
        except UserError:
            if isinstance(self._extent, Bytes) and relative:
                # Told again with the lines of the file.
                for _ in self._clean(count_lines(self._extent.path, 0, self._piece.start), mistakes):
                    pass
                mistakes.raise_any()
            raise

    def plain(self) -> dict[str, Any]:
        """What the joining must know."""
        lines = 0
        if isinstance(self._extent, Bytes) and self._piece.stop < self._extent.end:
            lines = count_lines(self._extent.path, self._piece.start, self._piece.stop)
        return {
            "leaf": self._piece.number,
            "relative": isinstance(self._extent, Bytes),
            "read": self._read,
            "written": self._written,
            "lines": lines,
            "report": plain_report(self._report),
        }

    def _clean(self, before: int, mistakes: Mistakes) -> Iterator[CleanRow]:
        split, part, stream = self._leaf
        source, recipe, cleaning = self._pairs
        cleaner = row_cleaner(split, source, recipe, cleaning)
        whole = source.splits[split]
        numbered = ((whole.number(part, number), row) for number, row in self._counted(self._stretch(stream, before)))
        for row in cleaner.clean(whole, numbered, self._report, mistakes):
            label = row.label
            if not isinstance(label, str | int | float | None):
                try:
                    label = plain_label(label)
                except ValueError as error:
                    mistakes.add(wrong_label(whole.place(row.number), error, recipe))
                    continue
            self._written += 1
            yield row._replace(label=label)

    def _stretch(self, stream: RowStream, before: int) -> NumberedRows:
        if stream.cut is None:
            return stream.read()
        return stream.cut.read(Stretch(self._piece.start, min(self._piece.stop, WHOLE.stop), before))

    def _counted(self, rows: NumberedRows) -> NumberedRows:
        self._read = 0
        for row in rows:
            self._read += 1
            yield row


def read_pair_parts(
    pairs: UnreadPairs, parts: Sequence[PartPlace], report: CleaningReport
) -> dict[str, list[CleanRow]]:
    """The clean rows of each split, numbered and placed as in the whole input; ``report`` takes what was changed."""
    leaves = leaves_of(pairs)
    rows: dict[str, list[CleanRow]] = {split: [] for split in pairs.source.splits}
    places = dict.fromkeys(rows, 0)
    lines = dict.fromkeys(range(len(leaves)), 0)
    for part in parts:
        with (part.folder / ROWS).open(encoding="utf-8", newline="\n") as file:
            for told in part.account["slices"]:
                leaf = leaves[told["leaf"]]
                before = lines[told["leaf"]] if told["relative"] else 0
                report.add_plain(told["report"], before)
                for _ in range(told["written"]):
                    number, position, label, idx, *texts = json.loads(file.readline())
                    row = CleanRow(number + before, places[leaf.split] + position, tuple(texts), label, idx)
                    rows[leaf.split].append(row)
                places[leaf.split] += told["read"]
                lines[told["leaf"]] += told["lines"]
    return rows
