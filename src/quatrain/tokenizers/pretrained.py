"""Tokenizers that exist already: at the hub, in a folder, or in a run of ours."""

import hashlib
import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Literal

from quatrain.core.errors import NotNow, UserError
from quatrain.tokenizers import families
from quatrain.tokenizers.sources import TOKENIZER_FILES, LocalSource, find_local, is_local
from quatrain.tokenizers.staged import load_staged
from quatrain.tokenizers.tokenizer import Tokenizer
from quatrain.tokenizers.vocabulary import looks_uncased, read_merges, read_vocab_json, read_vocab_txt

_KEY = "tokenizer.source"


class Pretrained:
    """BERT, DistilBERT, RoBERTa, GPT-2 or any other fast tokenizer.

    Only data is read, never code.

    Args:
        source: a hub name, a folder with tokenizer.json or vocab.json and merges.txt or vocab.txt, a single vocabulary
            file (*vocab.txt), or a run directory.
        revision: branch, tag or commit of a hub name.
        lowercase: overrides BERT's lower-casing; None: the folder's own word for it, and for a vocabulary alone where
            that has no upper-case letter.
        allowed_special: "all", or special strings that may stand in a text and become their tokens; None: the end of
            text ``<|endoftext|>`` where the tokenizer has it.
        engine: auto encodes byte-level BPE with tiktoken where its ids are proved to be the same, several times faster;
            tokenizers never does.
    """

    needs_training = False

    def __init__(
        self,
        *,
        source: str,
        revision: str | None = None,
        lowercase: bool | None = None,
        allowed_special: str | list[str] | None = None,
        engine: Literal["auto", "tokenizers"] = "auto",
    ) -> None:
        self.source = source
        self.revision = revision
        self.lowercase = lowercase
        self.allowed_special = allowed_special
        self.engine = engine

    def fingerprint(self) -> str:
        """sha256 of the arguments but the engine, and of the files where they lie here; the hub is not asked."""
        content: list[Any] = [type(self).__name__, self.lowercase, self.allowed_special]
        if is_local(self.source, _KEY):
            files = find_local(self.source, _KEY).files
            content += [[name, hashlib.sha256(file.read_bytes()).hexdigest()] for name, file in sorted(files.items())]
        else:
            content += [self.source, self.revision]
        return hashlib.sha256(json.dumps(content).encode()).hexdigest()

    def fit(self, texts: Callable[[], Iterable[str]] | None = None) -> Tokenizer:
        """Load it; ``texts`` is not read.

        Raises:
            UserError: what is wrong with the source; NotNow where the hub cannot be reached.
        """
        folder = self.source if is_local(self.source, _KEY) else _fetch(self.source, self.revision)
        found = find_local(folder, _KEY)
        try:
            hf = _load(found, self.lowercase)
        except UserError:
            raise
        except Exception as error:  # whatever transformers raises for a file that it cannot take
            raise UserError(
                f"{_KEY}={self.source} holds a tokenizer that cannot be loaded ({_first_line(error)}); fetch its files"
                " again or name another."
            ) from error
        if self.lowercase is not None and type(hf.backend_tokenizer.model).__name__ != "WordPiece":
            raise UserError(
                f"tokenizer.lowercase={self.lowercase} is for BERT's kind of tokenizer, but {_KEY}={self.source} is a"
                f" {type(hf).__name__}; leave it null."
            )
        return Tokenizer(hf, allowed_special=self.allowed_special, engine=self.engine)


def _fetch(name: str, revision: str | None) -> Path:
    from quatrain.corpora.hub import resolve_commit

    commit = resolve_commit(name, "model", revision, _KEY)
    from huggingface_hub import snapshot_download

    try:
        return Path(snapshot_download(name, revision=commit, allow_patterns=list(TOKENIZER_FILES)))
    except Exception as error:  # any of the many errors of the network
        raise NotNow(
            f"{_KEY}={name} could not be fetched from the hub ({_first_line(error)}); try again, or name a local folder"
            f" with {_KEY}=DIR."
        ) from error


def _load(found: LocalSource, lowercase: bool | None) -> Any:
    if found.kind == "tokenizer":
        return load_staged(found, lowercase, _KEY)
    if found.kind == "bpe":
        vocabulary = read_vocab_json(found.files["vocab.json"], _KEY)
        merges = read_merges(found.files["merges.txt"], vocabulary, _KEY)
        return (families.roberta if "<mask>" in vocabulary else families.gpt2)(vocabulary, merges)
    vocabulary = read_vocab_txt(found.files["vocab.txt"], _KEY)
    return families.bert(vocabulary, looks_uncased(vocabulary) if lowercase is None else lowercase)


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0].rstrip(".")
