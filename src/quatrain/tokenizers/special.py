"""Special strings in ordinary text: which of them become their one id, and which are read as plain characters."""

import json
from collections.abc import Iterable, Sequence
from typing import Any

from quatrain.core.errors import UserError

END_OF_TEXT = "<|endoftext|>"


def allowed_strings(
    allowed_special: str | Sequence[str] | None, known: Iterable[str], key: str = "tokenizer.allowed_special"
) -> frozenset[str]:
    """Return the special strings that may stand in a text.

    ``allowed_special`` is ``"all"``, a list of the tokenizer's special tokens (``known``), or None, which allows
    ``<|endoftext|>`` where the tokenizer has it.

    Raises:
        UserError: one sentence for each string that is no special token of the tokenizer.
    """
    known = frozenset(known)
    if allowed_special is None:
        return known & {END_OF_TEXT}
    if allowed_special == "all":
        return known
    wanted = [allowed_special] if isinstance(allowed_special, str) else list(allowed_special)
    unknown = [string for string in wanted if string not in known]
    if unknown:
        raise UserError(
            f"{key} names {string!r}, which is no special token of this tokenizer;"
            f" it has {', '.join(sorted(known)) or 'none'}, and 'all' allows each of them."
            for string in unknown
        )
    return frozenset(wanted)


def check_special_tokens(tokens: Sequence[str], required: Sequence[str], key: str) -> list[str]:
    """Return what is wrong with the special tokens of a tokenizer to be trained, one sentence each.

    A token must mix letters or digits with other characters, as ``<pad>`` and ``[PAD]`` do: pre-tokenizers split such
    a string, so ordinary text can never be merged into it.
    """
    shown = ", ".join(map(str, tokens))
    sentences = []
    missing = [token for token in required if token not in tokens]
    if missing:
        sentences.append(
            f"{key}=[{shown}] lacks {', '.join(missing)}; the model's convention needs {', '.join(required)}."
        )
    if len(set(tokens)) < len(tokens):
        sentences.append(f"{key}=[{shown}] names a token twice; each may stand once.")
    for token in tokens:
        plain = [character.isalnum() for character in token]
        if any(character.isspace() for character in token) or not any(plain) or all(plain):
            sentences.append(
                f"{key} names {token!r}; a special token mixes letters or digits with punctuation and has no white"
                " space, such as <pad> or [PAD], so that ordinary text never becomes one."
            )
    return sentences


def ordinary_backend(serialized: str, allowed: frozenset[str]) -> Any:
    """Build a `tokenizers.Tokenizer` that reads every special token but the ``allowed`` ones as ordinary text.

    ``serialized`` is the content of a tokenizer.json. Special tokens are skipped by ``encode_special_tokens``; the
    allowed ones lose the mark "special" in this copy and so are still found, with their own stripping of spaces.
    """
    from tokenizers import Tokenizer

    content = json.loads(serialized)
    for token in content["added_tokens"]:
        if token["content"] in allowed:
            token["special"] = False
    _bar_special_pieces(content)
    backend = Tokenizer.from_str(json.dumps(content, ensure_ascii=False))
    backend.encode_special_tokens = True
    return backend


def _bar_special_pieces(content: dict[str, Any]) -> None:
    """A unigram model would find the piece ``<s>`` in text: make it dearer than any other way to spell it."""
    if content["model"]["type"] != "Unigram":
        return
    special = {token["content"] for token in content["added_tokens"] if token["special"]}
    content["model"]["vocab"] = [
        [piece, -1e6 if piece in special else score] for piece, score in content["model"]["vocab"]
    ]
