"""GPT-2's tokenizer from OpenAI's tiktoken, or from its two files: the ids of transformers, through tiktoken."""

import hashlib
import json
import os
import tempfile
import urllib.request
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from quatrain.core.errors import NotNow, UserError
from quatrain.tokenizers import families
from quatrain.tokenizers.byte_level import from_bytes
from quatrain.tokenizers.sources import find_local, is_local
from quatrain.tokenizers.tokenizer import Tokenizer
from quatrain.tokenizers.vocabulary import read_merges, read_vocab_json

_KEY = "tokenizer.source"
_ADDRESS = "https://openaipublic.blob.core.windows.net/gpt-2/encodings/main/"
_DOWNLOADS = (_ADDRESS + "vocab.bpe", _ADDRESS + "encoder.json")
_TIMEOUT = 5.0

Ranks = dict[bytes, int]


class TiktokenGPT2:
    """OpenAI's tiktoken encoding "gpt2".

    Args:
        source: a folder with GPT-2's vocab.json and merges.txt; None: tiktoken downloads its own copy.
        allowed_special: "all", or special strings that may stand in a text and become their tokens; None: the end of
            text ``<|endoftext|>``.
    """

    needs_training = False

    def __init__(self, *, source: str | None = None, allowed_special: str | list[str] | None = None) -> None:
        self.source = source
        self.allowed_special = allowed_special

    def fingerprint(self) -> str:
        """sha256 of the arguments, and of the files where a folder is named."""
        content: list[Any] = [type(self).__name__, self.allowed_special]
        for file in self._files() or ():
            content.append(hashlib.sha256(file.read_bytes()).hexdigest())
        return hashlib.sha256(json.dumps(content).encode()).hexdigest()

    def fit(self, texts: Callable[[], Iterable[str]] | None = None) -> Tokenizer:
        """Build it; ``texts`` is not read.

        Raises:
            UserError: the folder holds no GPT-2 vocabulary; NotNow where the download is out of reach.
        """
        files = self._files()
        if files is None:
            vocabulary, merges = _as_vocabulary(_downloaded())
        else:
            vocabulary = read_vocab_json(files[0], _KEY)
            merges = read_merges(files[1], vocabulary, _KEY)
        tokenizer = Tokenizer(families.gpt2(vocabulary, merges), allowed_special=self.allowed_special)
        if refusal := tokenizer.engines.refusal:
            raise UserError(
                f"{_KEY}={self.source} is no tokenizer that tiktoken is proved to give the ids of: {refusal}; load it"
                " with tokenizer=pretrained."
            )
        return tokenizer

    def _files(self) -> tuple[Path, Path] | None:
        if self.source is None:
            return None
        if not is_local(self.source, _KEY):
            raise UserError(
                f"{_KEY}={self.source} is no folder here; tiktoken needs one with GPT-2's vocab.json and merges.txt, or"
                " null to download its own copy."
            )
        files = find_local(self.source, _KEY).files
        if "vocab.json" not in files or "merges.txt" not in files:
            raise UserError(f"{_KEY}={self.source} holds no vocab.json with merges.txt, which tiktoken is built from.")
        return files["vocab.json"], files["merges.txt"]


def _downloaded() -> Any:
    import tiktoken

    if not all(_is_cached(address) for address in _DOWNLOADS):
        _reach(_ADDRESS + "vocab.bpe")
    try:
        return tiktoken.get_encoding("gpt2")
    except Exception as error:  # requests', the disk's and tiktoken's own
        raise _unreachable(error) from error


def _is_cached(address: str) -> bool:
    default = str(Path(tempfile.gettempdir()) / "data-gym-cache")
    folder = os.environ.get("TIKTOKEN_CACHE_DIR", os.environ.get("DATA_GYM_CACHE_DIR", default))
    return (Path(folder) / hashlib.sha1(address.encode()).hexdigest()).is_file()


def _reach(address: str) -> None:
    """Ask once with a time-out: tiktoken's own download has none."""
    try:
        with urllib.request.urlopen(urllib.request.Request(address, method="HEAD"), timeout=_TIMEOUT):
            return
    except OSError as error:
        raise _unreachable(error) from error


def _unreachable(error: Exception) -> NotNow:
    return NotNow(
        f"{_KEY}=null lets tiktoken download GPT-2's vocabulary, which cannot be reached ({error}); name a folder with"
        f" vocab.json and merges.txt by {_KEY}=DIR, or try again with a network."
    )


def _as_vocabulary(encoding: Any) -> tuple[dict[str, int], list[tuple[str, str]]]:
    """The vocab.json and merges.txt that an encoding was made from."""
    ranks: Ranks = {token: encoding.encode_single_token(token) for token in encoding.token_byte_values()}
    special = {string: encoding.encode_single_token(string) for string in encoding.special_tokens_set}
    mergeable = {token: rank for token, rank in ranks.items() if rank not in special.values()}
    vocabulary = {from_bytes(token): rank for token, rank in mergeable.items()} | special
    ordered = sorted((token for token in mergeable if len(token) > 1), key=mergeable.__getitem__)
    halves = (_last_merge(token, mergeable) for token in ordered)
    return vocabulary, [(from_bytes(first), from_bytes(second)) for first, second in halves]


def _last_merge(token: bytes, ranks: Ranks) -> tuple[bytes, bytes]:
    """The two tokens that the merge of ``token`` joins: what BPE leaves of its bytes without that last merge."""
    parts = [token[place : place + 1] for place in range(len(token))]
    while len(parts) > 2:
        best = min(range(len(parts) - 1), key=lambda place: ranks.get(parts[place] + parts[place + 1], len(ranks)))
        parts[best : best + 2] = [parts[best] + parts[best + 1]]
    return parts[0], parts[1]
