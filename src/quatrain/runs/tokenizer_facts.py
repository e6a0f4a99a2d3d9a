"""A tokenizer in a few plain values: its class, its size and its special tokens. Of anyone's, as far as it tells."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

LONGEST = 5
"""How many of the longest tokens are told."""

BEYOND = 1 << 32
"""No tokenizer has such an id, or can be asked for it."""


def tokenizer_facts(tokenizer: Any) -> dict[str, Any]:
    """Return ``class``, ``vocabulary`` (entries) and ``special_tokens``, each with its ``token``, ``id`` and ``roles``.

    ``tokenizer`` is ours, one of transformers', or what a data module of the user's own has; what it does not tell is
    None or empty.
    """
    hf = of_transformers(tokenizer)
    if hf is None:
        return {"class": type(tokenizer).__name__, "vocabulary": _size(tokenizer), "special_tokens": []}
    roles = _roles(hf.special_tokens_map)
    strings = {*roles, *map(str, hf.all_special_tokens), *getattr(tokenizer, "special_strings", ())}
    special = [
        {"token": string, "id": int(hf.convert_tokens_to_ids(string)), "roles": roles.get(string, [])}
        for string in strings
    ]
    return {
        "class": type(hf).__name__,
        "vocabulary": _size(tokenizer),
        "special_tokens": sorted(special, key=lambda one: int(one["id"])),
    }


def of_transformers(tokenizer: Any) -> Any:
    """The tokenizer of transformers that ``tokenizer`` is or holds; None where there is none."""
    hf = getattr(tokenizer, "hf", tokenizer)
    return hf if hasattr(hf, "convert_ids_to_tokens") and hasattr(hf, "special_tokens_map") else None


def token_strings(tokenizer: Any, ids: Iterable[int]) -> list[str | None] | None:
    """Return each id as the vocabulary writes it, None for one that it lacks; None without such a vocabulary."""
    hf = of_transformers(tokenizer)
    if hf is None:
        return None
    found = (hf.convert_ids_to_tokens(int(one)) if 0 <= one < BEYOND else None for one in ids)
    return [None if token is None else str(token) for token in found]


def text_of(tokenizer: Any, ids: Sequence[int]) -> str | None:
    """Return ``ids`` decoded, special tokens written out; None where the tokenizer does not know them all."""
    tokens = token_strings(tokenizer, ids)
    if tokens is None or None in tokens:
        return None
    hf = of_transformers(tokenizer)
    return str(hf.decode(list(ids), clean_up_tokenization_spaces=False))


def longest_tokens(tokenizer: Any, count: int = LONGEST) -> list[str]:
    """Return the longest tokens but special ones, the longest first, each decoded."""
    vocabulary = tokenizer.hf.get_vocab().items()
    ordinary = (
        (len(token.removeprefix("##")), index) for token, index in vocabulary if index not in tokenizer.special_ids
    )
    longest = sorted(ordinary, key=lambda one: (-one[0], one[1]))[:count]
    return [tokenizer.decode([index]) for _, index in longest]


def kind_of(tokenizer: Any) -> str:
    """How ``tokenizer``, ours, makes tokens: ``byte-level BPE``, ``WordPiece``, ``Unigram``, ..."""
    backend = tokenizer.hf.backend_tokenizer
    kind = type(backend.model).__name__
    return f"byte-level {kind}" if "ByteLevel" in repr(backend.pre_tokenizer) else kind


def special_lines(special_tokens: Iterable[Mapping[str, Any]]) -> str:
    """The special tokens of `tokenizer_facts` in one line: ``<s> 0 (bos, cls), <pad> 1 (pad)``."""
    shown = (
        f"{one['token']} {one['id']}" + (f" ({', '.join(one['roles'])})" if one["roles"] else "")
        for one in special_tokens
    )
    return ", ".join(shown) or "none"


def _roles(named: Mapping[str, Any]) -> dict[str, list[str]]:
    """By token, what it is used as: ``{"</s>": ["eos", "sep"]}``."""
    roles: dict[str, list[str]] = {}
    for role, tokens in named.items():
        for token in tokens if isinstance(tokens, list | tuple) else [tokens]:
            roles.setdefault(str(token), []).append(role.removesuffix("_token").removesuffix("_tokens"))
    return roles


def _size(tokenizer: Any) -> int | None:
    if tokenizer is of_transformers(tokenizer):  # whose vocab_size leaves out what was added
        return None if tokenizer is None else len(tokenizer)
    told = getattr(tokenizer, "vocab_size", None)
    return told if isinstance(told, int) else None
