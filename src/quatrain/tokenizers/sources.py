"""What ``tokenizer.source`` names, found without importing transformers: files here, or a name at the hub."""

import difflib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from quatrain.core.brought_files import keep_inside, megabytes
from quatrain.core.errors import UserError
from quatrain.tokenizers.vocabulary import read_json, read_merges, read_vocab_json, read_vocab_txt

Kind = Literal["tokenizer", "bpe", "wordpiece"]

TOKENIZER_FILES = (
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "vocab.json",
    "merges.txt",
    "vocab.txt",
    "config.json",
)
"""The files that are read of a tokenizer's folder, and fetched from the hub."""

LARGEST_FILE = 256 * 10**6
"""Bytes of a file that is read; the largest that are published have some 35 million."""


@dataclass(frozen=True)
class LocalSource:
    """A tokenizer's files.

    ``kind``: a folder that transformers reads itself ("tokenizer"), or only vocab.json with merges.txt ("bpe"), or
    only a vocabulary with one token a line ("wordpiece"). ``files``: by the names of `TOKENIZER_FILES`.
    """

    kind: Kind
    files: dict[str, Path]


def check_tokenizer_source(source: str, key: str = "tokenizer.source") -> list[str]:
    """Return what is wrong with ``source``, one sentence each; a hub name is not asked for at the hub."""
    try:
        if is_local(source, key):
            _check_content(find_local(source, key), key)
    except UserError as error:
        return error.sentences
    return []


def is_local(source: str, key: str = "tokenizer.source") -> bool:
    """Whether ``source`` lies here (True) or has the form of a hub name (False).

    Raises:
        UserError: it is neither, or the folder that it would lie in is here but it is not.
    """
    from quatrain.corpora.hub import is_hub_name

    if not isinstance(source, str) or not source.strip():
        raise UserError(f"{key}={source!r} names nothing; write a hub name or a folder with a tokenizer's files.")
    path = Path(source).expanduser()
    if path.exists():
        return True
    if is_hub_name(source) and not (len(path.parts) > 1 and path.parent.is_dir()):
        return False
    near = [entry.name for entry in path.parent.iterdir()] if path.parent.is_dir() else []
    nearest = difflib.get_close_matches(path.name, near, n=1)
    hint = f"; did you mean {path.parent / nearest[0]}?" if nearest else "; check the spelling."
    raise UserError(f"{key}={source} does not exist{hint}")


def find_local(source: str | os.PathLike[str], key: str = "tokenizer.source") -> LocalSource:
    """Return the tokenizer's files at a folder, a run directory of ours (its export/ or tokenizer/) or a file.

    Every file lies in the folder that brings it and has at most `LARGEST_FILE` bytes.

    Raises:
        UserError: there is no tokenizer, a part of one, or several; or a file is too large or lies elsewhere.
    """
    path = Path(source).expanduser()
    if path.is_dir() and (path / "config.yaml").is_file():
        path = keep_inside(_of_run(path, key), path, key)
    found = _in_folder(path, str(path), key) if path.is_dir() else _single_file(path, key)
    for file in found.files.values():
        if path.is_dir():
            keep_inside(file, path, key)
        if (size := file.stat().st_size) > LARGEST_FILE:
            raise UserError(
                f"{key}: {file} has {megabytes(size)}, and at most {megabytes(LARGEST_FILE)} are read of a tokenizer's"
                " file; name another tokenizer."
            )
    return found


def _in_folder(path: Path, source: str, key: str) -> LocalSource:
    files = {name: path / name for name in TOKENIZER_FILES if (path / name).is_file()}
    if "tokenizer.json" in files:
        return LocalSource("tokenizer", files)
    if "vocab.json" in files and "merges.txt" in files:
        return LocalSource("tokenizer" if "tokenizer_config.json" in files else "bpe", files)
    for name, other in (("vocab.json", "merges.txt"), ("merges.txt", "vocab.json")):
        if name in files:
            raise UserError(f"{key}={source} has {name} but no {other} beside it; both are needed, add it.")
    if "vocab.txt" in files:
        return LocalSource("tokenizer" if "tokenizer_config.json" in files else "wordpiece", files)
    named = sorted(file for file in path.glob("*vocab.txt") if file.is_file())
    if len(named) == 1:
        return LocalSource("wordpiece", {"vocab.txt": named[0]})
    if named:
        listed = ", ".join(file.name for file in named)
        raise UserError(
            f"{key}={source} holds {len(named)} vocabularies ({listed}); name one, such as {key}={named[0]}."
        )
    raise UserError(
        f"{key}={source} holds no tokenizer; it needs tokenizer.json, or vocab.json with merges.txt, or vocab.txt."
    )


def _single_file(path: Path, key: str) -> LocalSource:
    if path.name.endswith("vocab.txt"):
        return LocalSource("wordpiece", {"vocab.txt": path})
    raise UserError(
        f"{key}={path} is a file, but only a BERT vocabulary (*vocab.txt) can be named by itself; for any other"
        f" tokenizer name its folder, {key}={path.parent}."
    )


def _of_run(run: Path, key: str) -> Path:
    for name in ("export", "tokenizer"):
        if any((run / name / file).is_file() for file in ("tokenizer.json", "vocab.json", "vocab.txt")):
            return run / name
    raise UserError(
        f"{key}={run} is a run that has not yet saved a tokenizer (no export/ or tokenizer/ in it); let it finish"
        " or name another."
    )


def _check_content(found: LocalSource, key: str) -> None:
    for name, file in found.files.items():
        if name.endswith(".json") and name != "vocab.json":
            read_json(file, key)
    if found.kind == "bpe" or ("merges.txt" in found.files and "tokenizer.json" not in found.files):
        read_merges(found.files["merges.txt"], read_vocab_json(found.files["vocab.json"], key), key)
    if found.kind == "wordpiece":
        read_vocab_txt(found.files["vocab.txt"], key)
