"""A corpus of text in shards."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from quatrain.corpora.cache import cache_folder
from quatrain.corpora.shard_folder import PartPlace
from quatrain.corpora.shard_join import join_text_parts
from quatrain.corpora.shard_part import Part
from quatrain.corpora.shard_sources import why_uncut
from quatrain.corpora.shard_text import write_text_part
from quatrain.corpora.sources import FileSource, Source, digest
from quatrain.corpora.text import TextCorpus


class ShardedText:
    """Makes `TextCorpus` in parts; see `quatrain.corpora.sharded.Shardable`."""

    def __init__(self, corpus: TextCorpus) -> None:
        self.name = corpus.name
        self._corpus = corpus

    @property
    def settings(self) -> str:
        """How documents are made and dealt, and the code of it."""
        making = self._corpus.making
        column = making.source.column if isinstance(making.source, FileSource) else ""
        return digest("text", repr(self._corpus.recipe), column, code_digest())

    def input(self) -> str:
        """Over names, sizes and times of files; else the source's own fingerprint, which reads no text."""
        return source_digest(self._corpus.making.source)

    def notes(self, shards: int) -> list[str]:
        """Which large files are not cut."""
        return why_uncut(self._corpus.making, shards)

    def make(self, shard: int, shards: int, folder: Path) -> dict[str, Any]:
        """Write the documents of the shard's slice of the input."""
        return write_text_part(self._corpus.making, shard, shards, folder)

    def join(self, parts: Sequence[PartPlace], folder: Path) -> str:
        """Write what `write_text` writes."""
        join_text_parts(self._corpus, [Part(part.folder, part.account) for part in parts], folder)
        return self._corpus.fingerprint

    def is_published(self, report: dict[str, Any]) -> bool:
        """Whether recipe and fingerprint are the same; reads the input only where the recipe is."""
        if report.get("corpus") != self.name or report.get("recipe") != self._corpus.recipe:
            return False
        return bool(report.get("fingerprint") == self._corpus.fingerprint)


def source_digest(source: Source) -> str:
    """Changes with the input, without reading files: their names, sizes and times tell."""
    if isinstance(source, FileSource):
        return files_digest([(str(split), path) for split, path in source.files])
    return source.fingerprint()


def files_digest(files: Sequence[tuple[str, Path]]) -> str:
    """A digest of what each file is for, its name, size and time; a download is named after its content."""
    parts = []
    for split, path in files:
        found = path.stat()
        time = 0 if path.absolute().is_relative_to(cache_folder()) else found.st_mtime_ns
        parts.append(f"{split} {path} {found.st_size} {time}")
    return digest("files", *parts)


def code_digest() -> str:
    """Over the code of this room, so that no part outlives a change of it."""
    return digest(*(path.read_text("utf-8") for path in sorted(Path(__file__).parent.glob("*.py"))))
