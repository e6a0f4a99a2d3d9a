"""A corpus of pairs in shards."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from quatrain.corpora.cleaning import CleaningReport
from quatrain.corpora.pair_assembly import finish_pairs
from quatrain.corpora.pair_rows import gather_pair_rows
from quatrain.corpora.pairs import UnreadPairs
from quatrain.corpora.processed_pairs import write_pair_files
from quatrain.corpora.shard_folder import PartPlace
from quatrain.corpora.shard_pairs import leaves_of, read_pair_parts, write_pair_part
from quatrain.corpora.sharded_text import code_digest, files_digest
from quatrain.corpora.sources import digest


class ShardedPairs:
    """Makes `PairCorpus` in parts; see `quatrain.corpora.sharded.Shardable`. Joining holds all rows in memory."""

    def __init__(self, pairs: UnreadPairs) -> None:
        self.name = pairs.source.name
        self._pairs = pairs

    @property
    def settings(self) -> str:
        """How rows are read, cleaned, dealt and labelled, and the code of it."""
        source, recipe, cleaning = self._pairs
        said = (source.to_deal, source.scheme, source.text_columns, source.label_column, source.may_be_empty)
        return digest("pairs", repr(said), repr(recipe), repr(cleaning.switches()), code_digest())

    def input(self) -> str:
        """Over names, sizes and times of files; else over what the source says of its content."""
        leaves = leaves_of(self._pairs)
        files = files_digest([(leaf.split, file) for leaf in leaves for file in leaf.stream.files])
        return digest(files, *(f"{leaf.split} {leaf.stream.origin} {leaf.stream.content}" for leaf in leaves))

    def notes(self, shards: int) -> list[str]:
        """Which large files are not cut."""
        leaves = leaves_of(self._pairs)
        weights = [leaf.extent().weight for leaf in leaves]
        return [
            f"{leaf.stream.origin} ({leaf.split}) is not cut; all of it is the work of one shard."
            for leaf, weight in zip(leaves, weights, strict=True)
            if leaf.stream.cut is None and weight * shards > sum(weights)
        ]

    def make(self, shard: int, shards: int, folder: Path) -> dict[str, Any]:
        """Write the clean rows of the shard's slice of the input."""
        return write_pair_part(self._pairs, shard, shards, folder)

    def join(self, parts: Sequence[PartPlace], folder: Path) -> str:
        """Write what `write_pairs` writes."""
        source, recipe, cleaning = self._pairs
        report = CleaningReport()
        clean = read_pair_parts(self._pairs, parts, report)
        drop = cleaning.duplicate_lines
        rows = {
            split: gather_pair_rows(source.splits[split], found, drop_duplicates=drop, report=report)
            for split, found in clean.items()
        }
        corpus = finish_pairs(source, recipe, rows, report)
        write_pair_files(corpus, folder)
        return corpus.fingerprint

    def is_published(self, report: dict[str, Any]) -> bool:
        """Whether the fingerprint is the same; reads all rows, but only where the name is."""
        if report.get("name") != self.name or "label_names" not in report:
            return False
        return bool(report.get("fingerprint") == self._pairs.read().fingerprint)
