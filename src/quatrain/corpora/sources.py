"""Where raw text comes from: the embedded verse, named corpora, files, URLs, the hub, and memory."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from pathlib import Path
from typing import NamedTuple, Protocol

from quatrain.core.errors import UserError
from quatrain.corpora.cleaning import Origin
from quatrain.corpora.download import download
from quatrain.corpora.file_contents import Stretch, check_file, text_blocks
from quatrain.corpora.file_hashes import file_sha256
from quatrain.corpora.files import SPLITS, SUFFIXES, list_files, missing, suffix_of
from quatrain.corpora.hub import HUB
from quatrain.corpora.locations import (
    check_hash,
    check_hash_form,
    check_hub_name,
    check_url,
    fetch,
    is_url,
    looked_up,
    stem_of,
)
from quatrain.corpora.named import NAMED
from quatrain.corpora.records import lone_surrogate, records

VERSE = "verse"


class RawText(NamedTuple):
    """One text as it stands in its source."""

    blocks: Iterable[str]  # the text, in blocks of any size
    origin: Origin
    split: str | None  # where the source says so itself


class Source(Protocol):
    """A place that raw texts are read from, as often as wanted."""

    name: str

    @property
    def splits(self) -> tuple[str, ...] | None:
        """Those that the source brings itself; None where it brings none."""
        ...

    def texts(self) -> Iterator[RawText]:
        """The texts, split after split in the order of `SPLITS`.

        Memory stays flat when the blocks of one text are used before the next is asked for.
        """
        ...

    def fingerprint(self) -> str:
        """Hexadecimal sha256 over what decides the texts and their order."""
        ...


def check_source(source: str, key: str = "data.source", sha256: str | None = None) -> list[str]:
    """What is wrong with a source, one sentence each, without downloading anything or reading more than 64 KiB a file.

    ``key`` names the setting in the sentences; the hash is called ``data.sha256`` beside ``data.source``.
    """
    made = (VERSE, *NAMED)
    if wrong := check_hash_form(source, key, sha256, made):
        return wrong
    if source in made:
        return []
    if source.startswith(HUB):
        return check_hub_name(source, key)
    if not source.strip():
        return [f"{key} is empty; name {', '.join(made)}, a file, a folder, a glob, a URL or hub:NAME."]
    try:
        return check_url(source, key, sha256, SUFFIXES) if is_url(source) else _check_files(source, key)
    except UserError as error:
        return error.sentences


def _check_files(source: str, key: str) -> list[str]:
    with looked_up(source, key):
        files = list_files(source, key)
        if not files and Path(source).expanduser().is_dir():
            return [f"{key}={source} is a folder without a file to read; allowed are {', '.join(SUFFIXES)}."]
        if not files:
            return [missing(source, key, (VERSE, *NAMED))]
    return [sentence for _, path in files if (sentence := check_file(path, key))]


def find_source(
    source: str,
    *,
    text_column: str = "text",
    sha256: str | None = None,
    revision: str | None = None,
    verse_size: int = 4000,
    verse_seed: int = 0,
    key: str = "data.source",
) -> Source:
    """The source that a setting names, checked; a URL or a named corpus is downloaded where the cache lacks it.

    Raises:
        UserError: what `check_source` finds, a file that differs from ``sha256``, or what `download` raises.
    """
    if wrong := check_source(source, key, sha256):
        raise UserError(wrong)
    if source == VERSE:
        return VerseSource(verse_size, verse_seed)
    if source.startswith(HUB):
        from quatrain.corpora.hub_text import HubSource

        return HubSource(source, text_column, revision, key)
    if source in NAMED:
        named = NAMED[source]
        return FileSource(
            [(None, download(named.url, named.sha256, suffix=".txt", key=key, name=source))], source, text_column, key
        )
    if is_url(source):
        file, name = fetch(source, sha256, key)
        return FileSource([(None, file)], stem_of(name), text_column, key)
    files = list_files(source, key)
    check_hash([file for _, file in files], sha256, key)
    return FileSource(files, stem_of(source), text_column, key)


def source_fingerprint(
    source: str,
    *,
    text_column: str = "text",
    sha256: str | None = None,
    revision: str | None = None,
    verse_size: int = 4000,
    verse_seed: int = 0,
) -> str:
    """Hexadecimal sha256 over the raw content that ``source`` stands for; see `find_source`."""
    return find_source(
        source,
        text_column=text_column,
        sha256=sha256,
        revision=revision,
        verse_size=verse_size,
        verse_seed=verse_seed,
    ).fingerprint()


def digest(*parts: str) -> str:
    """Hexadecimal sha256 over texts, kept apart."""
    return hashlib.sha256(repr(parts).encode("utf-8")).hexdigest()


def is_plain(path: Path) -> bool:
    """Whether a file is one text, and not one of records."""
    return (suffix_of(path.name) or "").removesuffix(".gz") == ".txt"


class FileSource:
    """Files on this machine, with the split that each is for."""

    def __init__(self, files: list[tuple[str | None, Path]], name: str, text_column: str, key: str) -> None:
        self.name = name
        found = {split for split, _ in files}
        self.splits = None if None in found else tuple(split for split in SPLITS if split in found)
        self.files = files
        self.column = text_column
        self.key = key

    def texts(self) -> Iterator[RawText]:
        """A plain file is one text; a record file has one in each row."""
        return chain.from_iterable(self.texts_of(number) for number in range(len(self.files)))

    def texts_of(self, number: int, stretch: Stretch | None = None) -> Iterator[RawText]:
        """The texts of one file, or of a stretch of it."""
        split, path = self.files[number]
        if is_plain(path):
            line = 1 + stretch.before if stretch else 1
            yield RawText(text_blocks(path, self.key, stretch=stretch), Origin(str(path), line), split)
        else:
            for line, text in records(path, self.column, self.key, stretch):
                yield RawText((text,), Origin(str(path), line, plain=False), split)

    def fingerprint(self) -> str:
        """Over the files' bytes and order, their kinds and splits; not their names or place."""
        parts = [f"{split} {suffix_of(path.name)} {file_sha256(path)}" for split, path in self.files]
        return digest("files", self.column, *parts)


class VerseSource:
    """The embedded verse, made as it is read."""

    def __init__(self, size: int, seed: int) -> None:
        if size < 1:
            raise UserError(f"data.verse_size={size} makes no poem; take 1 or more.")
        self.name = VERSE
        self.splits = None
        self.size = size
        self._seed = seed

    def texts(self) -> Iterator[RawText]:
        """The poems; the line of an origin is the poem's number."""
        return self.texts_of(Stretch(0, self.size))

    def texts_of(self, stretch: Stretch) -> Iterator[RawText]:
        """A stretch of the poems."""
        from quatrain.corpora.verse import poems

        for number, poem in enumerate(poems(stretch.stop, self._seed, stretch.start), stretch.start + 1):
            yield RawText((poem,), Origin(VERSE, number, plain=False), None)

    def fingerprint(self) -> str:
        """Over the grammar, the number of poems and the seed."""
        from quatrain.corpora.verse import grammar_fingerprint

        return digest(VERSE, grammar_fingerprint(), str(self.size), str(self._seed))


class MemorySource:
    """Texts at hand, in splits or not."""

    def __init__(self, texts: Mapping[str | None, Iterable[str]], name: str) -> None:
        self.name = name
        self._texts = {split: list(held) for split, held in texts.items()}
        unknown = [str(split) for split in self._texts if split not in (None, *SPLITS)]
        if unknown:
            raise UserError(f"The texts' split {unknown[0]} is unknown; allowed are {', '.join(SPLITS)}.")
        self.splits = None if None in self._texts else tuple(split for split in SPLITS if self._texts.get(split))
        if self.splits is not None and "train" not in self.splits:
            raise UserError("The texts hold nothing for train; hand over texts for train beside the others.")
        for held in self._texts.values():
            for number, text in enumerate(held, 1):
                if not isinstance(text, str):
                    raise UserError(f"Text {number} is a {type(text).__name__}, not a str; hand over texts.")
                if broken := lone_surrogate(text):
                    raise UserError(
                        f"Text {number}: it holds {broken}, half of a pair and no character; mend it, as by "
                        "text.encode('utf-16', 'surrogatepass').decode('utf-16', 'replace')."
                    )

    def texts(self) -> Iterator[RawText]:
        """The texts; the line of an origin is the text's number."""
        for split in self.splits or (None,):
            for number, text in enumerate(self._texts[split], 1):
                yield RawText((text,), Origin("memory", number, plain=False), split)

    def fingerprint(self) -> str:
        """Over the texts and their splits."""
        hashes = (f"{raw.split} {digest(*raw.blocks)}" for raw in self.texts())
        return digest("memory", *hashes)
