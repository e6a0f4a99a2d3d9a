"""Reading vocabulary files: vocab.json, merges.txt, vocab.txt and tokenizer.json, with a sentence for each defect."""

import json
from pathlib import Path
from typing import Any

from quatrain.core.errors import UserError
from quatrain.tokenizers.families import BERT


def read_json(file: Path, key: str) -> dict[str, Any]:
    """Return the object in ``file``.

    Raises:
        UserError: the file is not UTF-8, not JSON or holds no object.
    """
    try:
        content = json.loads(_text(file, key))
    except (ValueError, RecursionError) as error:
        line = f" line {error.lineno}" if isinstance(error, json.JSONDecodeError) else ""
        raise UserError(f"{key}: {file}{line} is not JSON ({error}); fetch the file again.") from error
    if not isinstance(content, dict):
        raise UserError(f"{key}: {file} holds no JSON object; name a folder with a tokenizer's files.")
    return content


def read_vocab_json(file: Path, key: str) -> dict[str, int]:
    """Return the ids of the tokens in a vocab.json.

    Raises:
        UserError: as `read_json`; or an id is no whole number, negative or given twice.
    """
    vocabulary = read_json(file, key)
    if not vocabulary:
        raise UserError(f"{key}: {file} holds no token; fetch the file again.")
    for token, index in vocabulary.items():
        if not isinstance(index, int) or isinstance(index, bool) or index < 0:
            raise UserError(f"{key}: {file} gives {token!r} the id {index!r}; an id is a whole number from 0.")
    if len(set(vocabulary.values())) < len(vocabulary):
        raise UserError(f"{key}: {file} gives one id to several tokens; fetch the file again.")
    return vocabulary


def read_merges(file: Path, vocabulary: dict[str, int], key: str) -> list[tuple[str, str]]:
    """Return the merges of a merges.txt in their order.

    Raises:
        UserError: a line has not two parts, or a part or the merged token is not in the vocabulary.
    """
    merges = []
    for number, line in enumerate(_text(file, key).split("\n"), start=1):
        line = line.rstrip("\r")
        if not line or (number == 1 and line.startswith("#version")):
            continue
        parts = line.split(" ")
        if len(parts) != 2 or not all(parts):
            raise UserError(f"{key}: {file} line {number} is {line!r}; a merge is two tokens with a space between.")
        for token in (*parts, "".join(parts)):
            if token not in vocabulary:
                raise UserError(
                    f"{key}: {file} line {number} uses {token!r}, which is not in the vocab.json beside it;"
                    " take both files from the same tokenizer."
                )
        merges.append((parts[0], parts[1]))
    return merges


def read_vocab_txt(file: Path, key: str) -> dict[str, int]:
    """Return the ids of the tokens of a BERT vocabulary, one token a line.

    Raises:
        UserError: a token stands twice, or one of BERT's special tokens is missing.
    """
    lines = _text(file, key).split("\n")
    if lines[-1] == "":
        lines.pop()
    vocabulary: dict[str, int] = {}
    for index, line in enumerate(lines):
        token = line.rstrip("\r")
        if token in vocabulary:
            raise UserError(
                f"{key}: {file} line {index + 1} repeats {token!r} of line {vocabulary[token] + 1}; a vocabulary holds"
                " each token once."
            )
        vocabulary[token] = index
    missing = [token for token in BERT if token not in vocabulary]
    if missing:
        raise UserError(f"{key}: {file} is no BERT vocabulary, it lacks {', '.join(missing)}; name another file.")
    return vocabulary


def looks_uncased(vocabulary: dict[str, int]) -> bool:
    """Whether a BERT vocabulary holds no upper-case letter outside of ``[...]``, as the uncased ones."""
    return not any(token != token.lower() for token in vocabulary if not token.startswith("["))


def _text(file: Path, key: str) -> str:
    try:
        return file.read_bytes().decode("utf-8")
    except UnicodeDecodeError as error:
        raise UserError(f"{key}: {file} is not UTF-8 (byte {error.start}); fetch the file again.") from error
    except OSError as error:
        raise UserError(f"{key}: {file} cannot be read ({error.strerror}); check its permissions.") from error
