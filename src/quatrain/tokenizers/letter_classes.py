"""Whether tiktoken and `tokenizers`, as installed, take the same characters for letters, numbers and white space.

Both find words by GPT-2's pattern, each with a library for regular expressions and tables of Unicode of its own. What
they make of a character that one of them does not know yet would differ; so the characters are tried.
"""

import functools
import itertools
from collections.abc import Sequence
from typing import Any

_PREFIXES = ("a", "1", "!")
"""A word of each class; a run of the same class goes on with it, and white space with none."""

# All that Unicode has given away, and the planes that it is filling. In what is left no character has a class.
_TRIED = (*range(0xD800), *range(0xE000, 0x40000), *range(0xE0000, 0xE1000))

_AT_ONCE = 1 << 12


@functools.cache
def same_words() -> bool:
    """Whether both cut a text of all characters into the same words, of the same classes; takes half a second.

    In the order of Unicode each run of one class is a word. So the text of all characters shows where classes change,
    and each run behind a letter, a digit and a mark shows which class it is.
    """
    from tokenizers.pre_tokenizers import ByteLevel

    pattern = ByteLevel(add_prefix_space=False)

    def words(text: str) -> list[str]:
        return [text[start:stop] for _, (start, stop) in pattern.pre_tokenize_str(text)]

    characters = "".join(map(chr, _TRIED))
    return agrees([words(characters[start : start + _AT_ONCE]) for start in range(0, len(characters), _AT_ONCE)], words)


def agrees(texts: Sequence[Sequence[str]], words: Any) -> bool:
    """Whether tiktoken cuts the joined ``texts`` into their words, and each word behind a prefix as ``words`` does."""
    import tiktoken
    from tiktoken_ext.openai_public import r50k_pat_str  # type: ignore[import-untyped]

    runs = list(dict.fromkeys(run for text in texts for run in text))
    behind = [prefix + run for run in runs for prefix in _PREFIXES]
    # Two words that follow each other are a token, too, so that words that are not told apart cannot go unseen.
    pairs = (first + second for text in texts for first, second in itertools.pairwise(text))
    ranks = {bytes([byte]): byte for byte in range(256)}
    for word in (*runs, *behind, *pairs):
        ranks.setdefault(word.encode(), len(ranks))
    encoding = tiktoken.Encoding("words", pat_str=r50k_pat_str, mergeable_ranks=ranks, special_tokens={})

    def same(text: Sequence[str]) -> bool:
        return bool(encoding.encode_ordinary("".join(text)) == [ranks.get(word.encode()) for word in text])

    return all(map(same, texts)) and all(same(words(word)) for word in behind)
