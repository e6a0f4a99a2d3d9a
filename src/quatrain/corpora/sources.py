"""Where raw text comes from: the embedded verse, named corpora, files, URLs, the hub, and memory."""

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple, Protocol
from urllib.parse import urlsplit

from quatrain.core.errors import UserError
from quatrain.corpora.cleaning import Origin
from quatrain.corpora.download import download, file_sha256
from quatrain.corpora.files import SPLITS, SUFFIXES, check_file, list_files, missing, suffix_of, text_blocks
from quatrain.corpora.named import NAMED
from quatrain.corpora.records import records

VERSE = "verse"
HUB = "hub:"

_SHA256 = re.compile(r"[0-9a-fA-F]{64}")


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
        """The texts in order; memory stays flat when the blocks of one are used before the next is asked for."""
        ...

    def fingerprint(self) -> str:
        """Hexadecimal sha256 over what decides the texts and their order."""
        ...


def check_source(source: str, key: str = "data.source", sha256: str | None = None) -> list[str]:
    """What is wrong with a source, one sentence each, without downloading anything or reading more than 64 KiB a file.

    ``key`` names the setting in the sentences; the hash is called ``data.sha256`` beside ``data.source``.
    """
    hash_key = f"{key.rpartition('.')[0]}.sha256".lstrip(".")
    if sha256 is not None and not _SHA256.fullmatch(sha256):
        return [f"{hash_key}={sha256} is no sha256; give 64 hexadecimal digits."]
    if sha256 is not None and (source == VERSE or source in NAMED or source.startswith(HUB)):
        return [f"{hash_key} belongs to a URL or a file, and {key}={source} is neither; leave it out."]
    if source == VERSE or source in NAMED:
        return []
    if source.startswith(HUB):
        return _check_hub(source, key)
    if "://" in source:
        return _check_url(source, key, hash_key, sha256)
    if not source.strip():
        return [f"{key} is empty; name {VERSE}, {', '.join(NAMED)}, a file, a folder, a glob, a URL or hub:NAME."]
    return _check_files(source, key)


def _check_files(source: str, key: str) -> list[str]:
    try:
        files = list_files(source)
        empty_folder = not files and Path(source).expanduser().is_dir()
    except (OSError, RuntimeError) as error:  # a name too long, a folder that is closed, ~someone unknown
        return [
            f"{key}={source:.200} cannot be looked up ({getattr(error, 'strerror', None) or error}); check the path."
        ]
    if empty_folder:
        return [f"{key}={source} is a folder without a file to read; allowed are {', '.join(SUFFIXES)}."]
    if not files:
        return [missing(source, key, (VERSE, *NAMED))]
    return [sentence for _, path in files if (sentence := check_file(path, key))]


def _check_hub(source: str, key: str) -> list[str]:
    from quatrain.corpora.hub import is_hub_name

    name = source.removeprefix(HUB).partition(":")[0]
    if is_hub_name(name):
        return []
    return [f"{key}={source} names no dataset of the hub; write hub:OWNER/NAME, or hub:OWNER/NAME:CONFIG."]


def _check_url(source: str, key: str, hash_key: str, sha256: str | None) -> list[str]:
    parts = urlsplit(source)
    if parts.scheme not in ("http", "https") or not parts.netloc:
        return [f"{key}={source} is no address that can be fetched; it must begin with http:// or https://."]
    wrong = []
    if suffix_of(parts.path) is None:
        wrong.append(f"{key}={source} has an ending that is not read; allowed are {', '.join(SUFFIXES)}.")
    if sha256 is None:
        wrong.append(f"{key}={source} needs {hash_key}=HASH, the sha256 of the file, so that runs can be repeated.")
    return wrong


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

        return HubSource(source.removeprefix(HUB), text_column, revision, key)
    if source in NAMED:
        named = NAMED[source]
        return FileSource(
            [(None, download(named.url, named.sha256, suffix=".txt", key=key, name=source))], source, text_column, key
        )
    if "://" in source:
        path = urlsplit(source).path
        file = download(source, str(sha256), suffix=suffix_of(path) or "", key=key)
        return FileSource([(None, file)], _stem(path), text_column, key)
    files = list_files(source)
    _check_hash(files, sha256, key)
    return FileSource(files, _stem(source), text_column, key)


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


def _check_hash(files: list[tuple[str | None, Path]], sha256: str | None, key: str) -> None:
    if sha256 is None:
        return
    if len(files) != 1:
        raise UserError(f"data.sha256 is the hash of one file, but {key} names {len(files)}; leave it out.")
    found = file_sha256(files[0][1])
    if found != sha256.lower():
        raise UserError(
            f"{key}={files[0][1]} has sha256 {found}, where data.sha256={sha256} was given; "
            "correct the hash or name the file that it belongs to."
        )


def _stem(source: str) -> str:
    name = Path(source.rstrip("/")).name
    return re.sub(r"[^\w.-]+", "", name.removesuffix(suffix_of(name) or "")) or "text"


def digest(*parts: str) -> str:
    """Hexadecimal sha256 over texts, kept apart."""
    return hashlib.sha256(repr(parts).encode("utf-8")).hexdigest()


class FileSource:
    """Files on this machine, with the split that each is for."""

    def __init__(self, files: list[tuple[str | None, Path]], name: str, text_column: str, key: str) -> None:
        self.name = name
        found = {split for split, _ in files}
        self.splits = None if None in found else tuple(split for split in SPLITS if split in found)
        self._files = files
        self._column = text_column
        self._key = key

    def texts(self) -> Iterator[RawText]:
        """A plain file is one text; a record file has one in each row."""
        for split, path in self._files:
            if (suffix_of(path.name) or "").removesuffix(".gz") == ".txt":
                yield RawText(text_blocks(path, self._key), Origin(str(path), 1), split)
            else:
                for line, text in records(path, self._column, self._key):
                    yield RawText((text,), Origin(str(path), line, plain=False), split)

    def fingerprint(self) -> str:
        """Over the files' bytes and order, their kinds and splits; not their names or place."""
        parts = [f"{split} {suffix_of(path.name)} {file_sha256(path)}" for split, path in self._files]
        return digest("files", self._column, *parts)


class VerseSource:
    """The embedded verse, made as it is read."""

    def __init__(self, size: int, seed: int) -> None:
        if size < 1:
            raise UserError(f"data.verse_size={size} makes no poem; take 1 or more.")
        self.name = VERSE
        self.splits = None
        self._size = size
        self._seed = seed

    def texts(self) -> Iterator[RawText]:
        """The poems; the line of an origin is the poem's number."""
        from quatrain.corpora.verse import poems

        for number, poem in enumerate(poems(self._size, self._seed), 1):
            yield RawText((poem,), Origin(VERSE, number, plain=False), None)

    def fingerprint(self) -> str:
        """Over the grammar, the number of poems and the seed."""
        from quatrain.corpora.verse import grammar_fingerprint

        return digest(VERSE, grammar_fingerprint(), str(self._size), str(self._seed))


class MemorySource:
    """Texts at hand, in splits or not."""

    def __init__(self, texts: Mapping[str | None, Iterable[str]], name: str) -> None:
        self.name = name
        self._texts = {split: list(held) for split, held in texts.items()}
        unknown = [str(split) for split in self._texts if split not in (None, *SPLITS)]
        if unknown:
            raise UserError(f"The texts' split {unknown[0]} is unknown; allowed are {', '.join(SPLITS)}.")
        self.splits = None if None in self._texts else tuple(split for split in SPLITS if self._texts.get(split))
        for held in self._texts.values():
            for number, text in enumerate(held, 1):
                if not isinstance(text, str):
                    raise UserError(f"Text {number} is a {type(text).__name__}, not a str; hand over texts.")

    def texts(self) -> Iterator[RawText]:
        """The texts; the line of an origin is the text's number."""
        for split in self.splits or (None,):
            for number, text in enumerate(self._texts[split], 1):
                yield RawText((text,), Origin("memory", number, plain=False), split)

    def fingerprint(self) -> str:
        """Over the texts and their splits."""
        hashes = (f"{raw.split} {digest(*raw.blocks)}" for raw in self.texts())
        return digest("memory", *hashes)
