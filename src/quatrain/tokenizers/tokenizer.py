"""The one face of every tokenizer: encoding streams of text into int32 arrays, special ids, saving, a fingerprint."""

import functools
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from quatrain.core.errors import UserError
from quatrain.tokenizers.byte_level import begins_word
from quatrain.tokenizers.encoding import encoded
from quatrain.tokenizers.engines import EngineChoice, Engines
from quatrain.tokenizers.special import allowed_strings


class Tokenizer:
    """A fitted tokenizer.

    ``hf`` is the transformers tokenizer of the same ids (always there, also for tiktoken), for what transformers does
    itself: pairs, pipelines, exports. Its padding token is its end of text where it has no padding token of its own.
    ``allowed_special``: see `allowed_strings`. ``engine``: see `EngineChoice`; the ids are the same.
    """

    def __init__(
        self, hf: Any, *, allowed_special: str | Sequence[str] | None = None, engine: EngineChoice = "auto"
    ) -> None:
        if hf.pad_token is None and hf.eos_token is not None:
            hf.pad_token = hf.eos_token
        hf.backend_tokenizer.no_truncation()
        hf.backend_tokenizer.no_padding()
        self.hf = hf
        self.special_strings = _special_strings(hf)
        self.allowed_special = allowed_strings(allowed_special, self.special_strings)
        self._serialized: str = hf.backend_tokenizer.to_str()
        self.engines = Engines(self._serialized, self.allowed_special, engine)
        self._cuttable = _cuttable(json.loads(self._serialized), self.allowed_special)

    # -- ids

    @functools.cached_property
    def vocab_size(self) -> int:
        """Rows that a model's embedding needs: one more than the largest id (``len(hf)`` unless ids have gaps)."""
        return max(len(self.hf), 1 + max(self.hf.get_vocab().values()))

    @property
    def pad_id(self) -> int:
        """The padding token's id, for GPT-2 its end of text.

        Raises:
            UserError: the tokenizer has neither.
        """
        if self.hf.pad_token_id is None:
            raise UserError(
                "tokenizer.source names a tokenizer with no padding token and no end of text; add a pad_token to its"
                " tokenizer_config.json."
            )
        return int(self.hf.pad_token_id)

    @property
    def mask_id(self) -> int | None:
        """The id that hides a token, or None."""
        return self.hf.mask_token_id

    @property
    def bos_id(self) -> int | None:
        """The id that begins a text, or None."""
        return self.hf.bos_token_id

    @property
    def eos_id(self) -> int | None:
        """The id that ends a text, or None (BERT has none)."""
        return self.hf.eos_token_id

    @property
    def unk_id(self) -> int | None:
        """The id of what cannot be written in the vocabulary, or None."""
        return self.hf.unk_token_id

    @functools.cached_property
    def special_ids(self) -> frozenset[int]:
        """Ids of all special tokens, padding and the unknown token included."""
        return frozenset(int(self.hf.convert_tokens_to_ids(string)) for string in self.special_strings)

    def check_mask_token(self, key: str = "tokenizer.source") -> list[str]:
        """One sentence where the tokenizer has no mask token, as masked language modelling needs it, else nothing."""
        if self.mask_id is not None:
            return []
        return [
            f"{key} names a tokenizer without a mask token, which masked language modelling needs;"
            " take one of BERT's or RoBERTa's kind, or train one with tokenizer=bpe or tokenizer=wordpiece."
        ]

    # -- text

    def encode(self, texts: Sequence[str]) -> list[np.ndarray]:
        """Encode each text into an int32 array of ids, without the model's added special tokens.

        An allowed special string becomes its one id, every other special string is read as ordinary characters. Long
        texts are cut where no token can cross, so that memory stays flat. Lone surrogates become U+FFFD.
        """
        return list(self.encode_stream(texts))

    def encode_stream(self, texts: Iterable[str]) -> Iterator[np.ndarray]:
        """Encode texts as they come; one array for each, in order, as `encode` gives it.

        All cores encode while the next texts are read; a few megabytes of text are under way at a time.
        """
        return encoded(texts, self.engines, cuttable=self._cuttable)

    def decode(self, ids: Sequence[int] | np.ndarray) -> str:
        """Return the text of ``ids``, special tokens written out."""
        text = self.hf.decode(
            [int(token) for token in ids], skip_special_tokens=False, clean_up_tokenization_spaces=False
        )
        return str(text)

    def wrap(self) -> tuple[list[int], list[int]]:
        """Ids that the model's convention puts before and after one sequence: [CLS] .. [SEP], <s> .. </s>, or none."""
        plain, full = self._probe("a")
        start = _find(plain, full, 0)
        return full[:start], full[start + len(plain) :]

    def wrap_pair(self) -> tuple[list[int], list[int], list[int]]:
        """Ids before, between and after a pair of sequences, as `wrap`."""
        plain, full = self._probe("a", "a")
        first = _find(plain, full, 0)
        second = _find(plain, full, first + len(plain))
        return full[:first], full[first + len(plain) : second], full[second + len(plain) :]

    def _probe(self, *sequence: str) -> tuple[list[int], list[int]]:
        backend = self.hf.backend_tokenizer
        plain = backend.encode(sequence[0], add_special_tokens=False).ids
        return plain, backend.encode(*sequence, add_special_tokens=True).ids

    def word_starts(self) -> np.ndarray:
        """[vocab] bool: does the token begin a word, for masking whole words.

        Byte-level BPE: it starts with white space or a punctuation mark. WordPiece: no "##". Sentence pieces: "▁".
        Special tokens each stand for themselves.
        """
        pre_tokenizer = json.dumps(json.loads(self._serialized)["pre_tokenizer"])
        continues = self.hf.backend_tokenizer.model.__class__.__name__ == "WordPiece"
        starts = np.ones(self.vocab_size, dtype=bool)
        for token, index in self.hf.get_vocab().items():
            if index in self.special_ids:
                continue
            if continues:
                starts[index] = not token.startswith("##")
            elif '"Metaspace"' in pre_tokenizer:
                starts[index] = token.startswith("▁")
            else:
                starts[index] = begins_word(token)
        return starts

    # -- keeping

    @functools.cached_property
    def fingerprint(self) -> str:
        """sha256 of the content: tokenizer.json in canonical form, the roles of the special tokens, what is allowed."""
        content = {
            "tokenizer": json.loads(self._serialized),
            "roles": {role: str(token) for role, token in self.hf.special_tokens_map.items()},
            "allowed": sorted(self.allowed_special),
        }
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()

    @functools.cached_property
    def encoding_fingerprint(self) -> str:
        """sha256 of what decides the ids of `encode`: of two tokenizers that differ in what they put around a text too.

        Where a stream of texts is kept, what stands between them must be named besides.
        """
        content = json.loads(self._serialized) | {"post_processor": None}
        allowed = sorted(self.allowed_special)
        return hashlib.sha256(json.dumps([content, allowed], sort_keys=True).encode()).hexdigest()

    def save(self, folder: str | os.PathLike[str]) -> None:
        """Write tokenizer.json, tokenizer_config.json and vocab.json with merges.txt, or vocab.txt, into ``folder``.

        `AutoTokenizer.from_pretrained` loads it to the same class and ids. The folder is made where it is missing; each
        file replaces an older one whole.
        """
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(prefix=".tokenizer-", dir=folder))
        try:
            self.hf.save_pretrained(temporary)
            _name_class_for_all(temporary / "tokenizer_config.json")
            self.hf.backend_tokenizer.model.save(str(temporary))
            for file in sorted(temporary.iterdir()):
                file.replace(folder / file.name)
        finally:
            shutil.rmtree(temporary)


def _name_class_for_all(settings: Path) -> None:
    """transformers before 5 knows the plain class by its older name alone, and 5 takes that too."""
    content = json.loads(settings.read_text(encoding="utf-8"))
    if content.get("tokenizer_class") == "TokenizersBackend":
        content["tokenizer_class"] = "PreTrainedTokenizerFast"
        settings.write_text(json.dumps(content, indent=2, sort_keys=True) + "\n", encoding="utf-8")


def _special_strings(hf: Any) -> frozenset[str]:
    added = (str(token) for token in hf.added_tokens_decoder.values() if token.special)
    return frozenset(map(str, hf.all_special_tokens)) | frozenset(added)


def _cuttable(content: dict[str, Any], allowed: frozenset[str]) -> bool:
    """Whether `cut` leaves the tokens as they are; unknown kinds of tokenizers are never cut."""
    pre_tokenizer = content["pre_tokenizer"] or {}
    normalizer = (content["normalizer"] or {}).get("type")
    byte_level = (
        pre_tokenizer.get("type") == "ByteLevel"
        and not pre_tokenizer["add_prefix_space"]
        and pre_tokenizer.get("use_regex", True)
        and normalizer is None
    )
    bert = pre_tokenizer.get("type") == "BertPreTokenizer" and normalizer in (None, "BertNormalizer")
    spaced = any(" " in token["content"] or token["rstrip"] for token in content["added_tokens"])
    return (byte_level or bert) and not spaced and not any(" " in string for string in allowed)


def _find(part: list[int], whole: list[int], start: int) -> int:
    return next(place for place in range(start, len(whole) + 1) if whole[place : place + len(part)] == part)
