"""Tokenizers trained from a corpus: byte-level BPE as RoBERTa and GPT-2 have it, WordPiece as BERT has it.

Both are deterministic: the same texts give the same bytes, whatever the number of threads.
"""

import hashlib
import itertools
import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Literal

from quatrain.core.errors import UserError
from quatrain.tokenizers import families
from quatrain.tokenizers.cutting import cut
from quatrain.tokenizers.special import check_special_tokens
from quatrain.tokenizers.tokenizer import Tokenizer

Texts = Callable[[], Iterable[str]]


class ByteLevelBPE:
    """Byte-level BPE (Radford et al. 2019) as RoBERTa has it; as GPT-2 has it where no ``<mask>`` is asked for.

    Any text can be written in it, so the unknown token never occurs.

    Args:
        vocab_size: how many tokens it has, special ones and the 256 bytes too; a small corpus gives fewer.
        min_frequency: least occurrences of a pair that is merged.
        special_tokens: they take the first ids, in this order.
        allowed_special: "all", or special strings that may stand in a text and become their tokens; None: the end of
            text ``<|endoftext|>`` where the tokenizer has it.
        engine: auto encodes byte-level BPE with tiktoken where its ids are proved to be the same, several times faster;
            tokenizers never does.
    """

    needs_training = True

    def __init__(
        self,
        *,
        vocab_size: int = 8000,
        min_frequency: int = 2,
        special_tokens: list[str] | tuple[str, ...] = ("<s>", "<pad>", "</s>", "<unk>", "<mask>"),
        allowed_special: str | list[str] | None = None,
        engine: Literal["auto", "tokenizers"] = "auto",
    ) -> None:
        self.vocab_size = vocab_size
        self.min_frequency = min_frequency
        self.special_tokens = tuple(special_tokens)
        self.allowed_special = allowed_special
        self.engine = engine
        self._family = families.ROBERTA if "<mask>" in self.special_tokens else families.GPT2
        least = 256 + len(self.special_tokens)
        sentences = check_special_tokens(self.special_tokens, self._family, "tokenizer.special_tokens")
        sentences += _check_sizes(vocab_size, least, "the 256 bytes", min_frequency)
        if sentences:
            raise UserError(sentences)

    def fingerprint(self) -> str:
        """sha256 of the recipe: its arguments but the engine, and the version of the trainer."""
        return _fingerprint(self)

    def fit(self, texts: Texts) -> Tokenizer:
        """Train on ``texts()``, read once as a stream.

        Raises:
            UserError: the corpus holds no character.
        """
        from tokenizers import Tokenizer as Backend
        from tokenizers import models, pre_tokenizers, trainers

        backend = Backend(models.BPE())
        backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
        trainer = trainers.BpeTrainer(
            vocab_size=self.vocab_size,
            min_frequency=self.min_frequency,
            special_tokens=list(self.special_tokens),
            initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
            show_progress=False,
        )
        backend.train_from_iterator(_training_texts(texts, self.special_tokens), trainer)
        model = json.loads(backend.to_str())["model"]
        build = families.roberta if self._family is families.ROBERTA else families.gpt2
        extra = [token for token in self.special_tokens if token not in self._family]
        merges = [(first, second) for first, second in model["merges"]]
        hf = build(model["vocab"], merges, extra)
        return Tokenizer(hf, allowed_special=self.allowed_special, engine=self.engine)


class WordPiece:
    """WordPiece (Devlin et al. 2019) as BERT has it, its pieces chosen by BPE as the `tokenizers` library does it.

    After the special tokens come all characters of the corpus, at the start and inside of words; then what is merged.

    Args:
        vocab_size: how many tokens it has, special ones and all characters too; a small corpus gives fewer.
        min_frequency: least occurrences of a pair that is merged.
        special_tokens: they take the first ids, in this order.
        lowercase: whether letters become small and lose their accents, as in BERT uncased.
        allowed_special: "all", or special strings that may stand in a text and become their tokens; None: the end of
            text ``<|endoftext|>`` where the tokenizer has it.
    """

    needs_training = True

    def __init__(
        self,
        *,
        vocab_size: int = 8000,
        min_frequency: int = 2,
        special_tokens: list[str] | tuple[str, ...] = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"),
        lowercase: bool = True,
        allowed_special: str | list[str] | None = None,
    ) -> None:
        self.vocab_size = vocab_size
        self.min_frequency = min_frequency
        self.special_tokens = tuple(special_tokens)
        self.lowercase = lowercase
        self.allowed_special = allowed_special
        sentences = check_special_tokens(self.special_tokens, families.BERT, "tokenizer.special_tokens")
        sentences += _check_sizes(vocab_size, len(self.special_tokens) + 1, "one character", min_frequency)
        if sentences:
            raise UserError(sentences)

    def fingerprint(self) -> str:
        """sha256 of the recipe: its arguments and the version of the trainer."""
        return _fingerprint(self)

    def fit(self, texts: Texts) -> Tokenizer:
        """Train on ``texts()``, read twice as a stream.

        The trainer numbers characters in the order of a hash table, different in each process, and breaks ties by
        these numbers. So a first pass finds the characters, and the second is given them in order.

        Raises:
            UserError: the corpus holds no character, or more characters than ``vocab_size`` can hold.
        """
        characters = sorted(set(self._train(texts, 0, self.special_tokens)) - set(self.special_tokens))
        first = (*self.special_tokens, *characters)
        if len(first) > self.vocab_size:
            raise UserError(
                f"tokenizer.vocab_size={self.vocab_size} is too small: the special tokens and the characters of the"
                f" corpus, at the start and inside of words, are {len(first)}; take more."
            )
        vocabulary = self._train(texts, self.vocab_size, first)
        extra = [token for token in self.special_tokens if token not in families.BERT]
        hf = families.bert(vocabulary, self.lowercase, extra)
        return Tokenizer(hf, allowed_special=self.allowed_special)

    def _train(self, texts: Texts, size: int, first: Sequence[str]) -> dict[str, int]:
        from tokenizers import Tokenizer as Backend
        from tokenizers import models, normalizers, pre_tokenizers, trainers

        backend = Backend(models.WordPiece(unk_token="[UNK]"))
        backend.normalizer = normalizers.BertNormalizer(lowercase=self.lowercase)
        backend.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
        trainer = trainers.WordPieceTrainer(
            vocab_size=size, min_frequency=self.min_frequency, special_tokens=list(first), show_progress=False
        )
        backend.train_from_iterator(_training_texts(texts, self.special_tokens), trainer)
        vocabulary: dict[str, int] = json.loads(backend.to_str())["model"]["vocab"]
        return vocabulary


def _training_texts(texts: Texts, special_tokens: Sequence[str]) -> Iterator[str]:
    """The texts without special strings, which are no language to learn from."""
    pieces = _split_at(texts(), special_tokens)
    first = next((piece for piece in pieces if piece.strip()), None)
    if first is None:
        raise UserError("tokenizer cannot be trained: the training split of data.source holds no text; name another.")
    return itertools.chain([first], pieces)


def _split_at(texts: Iterable[str], strings: Sequence[str]) -> Iterator[str]:
    pattern = re.compile("|".join(map(re.escape, strings)))
    for text in texts:
        # The trainer works on some hundred strings at once, at many times their size. No special token has white space,
        # so none is cut in two, and words are counted as in the whole text.
        for piece in cut(text):
            yield from pattern.split(piece.encode(errors="replace").decode() if not piece.isascii() else piece)


def _check_sizes(vocab_size: int, least: int, what: str, min_frequency: int) -> list[str]:
    sentences = []
    if vocab_size < least:
        sentences.append(
            f"tokenizer.vocab_size={vocab_size} is too small: the special tokens and {what} need {least}; take at"
            " least that many."
        )
    if min_frequency < 1:
        sentences.append(f"tokenizer.min_frequency={min_frequency} must be at least 1, the count of a pair to merge.")
    return sentences


def _fingerprint(recipe: Any) -> str:
    from importlib.metadata import version

    # The engine changes no id.
    arguments = {name: value for name, value in vars(recipe).items() if not name.startswith("_") and name != "engine"}
    content = [type(recipe).__name__, arguments, version("tokenizers"), version("transformers")]
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
