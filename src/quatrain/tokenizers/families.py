"""Building transformers' tokenizers of the three families from a vocabulary in memory.

Given file names, transformers 5 silently builds a vocabulary of five; so it is handed the content and counted.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from quatrain.tokenizers.special import END_OF_TEXT

Merges = Sequence[tuple[str, str]]

ROBERTA = ("<s>", "<pad>", "</s>", "<unk>", "<mask>")
BERT = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
GPT2 = (END_OF_TEXT,)


def roberta(vocabulary: Mapping[str, int], merges: Merges, extra: Sequence[str] = ()) -> Any:
    """RoBERTa's tokenizer; as in the published one, ``<mask>`` takes the space on its left."""
    from tokenizers import AddedToken
    from transformers import RobertaTokenizerFast

    mask = AddedToken("<mask>", lstrip=True, normalized=False, special=True)
    return RobertaTokenizerFast(
        vocab=dict(vocabulary), merges=list(merges), mask_token=mask, extra_special_tokens=list(extra)
    )


def gpt2(vocabulary: Mapping[str, int], merges: Merges, extra: Sequence[str] = ()) -> Any:
    """GPT-2's tokenizer, with the end of text as padding; a vocabulary without ``<|endoftext|>`` grows by it."""
    from transformers import GPT2TokenizerFast

    return GPT2TokenizerFast(
        vocab=dict(vocabulary), merges=list(merges), pad_token=END_OF_TEXT, extra_special_tokens=list(extra)
    )


def bert(vocabulary: Mapping[str, int], lowercase: bool, extra: Sequence[str] = ()) -> Any:
    """BERT's and DistilBERT's tokenizer; lower-casing strips accents too, as in the original."""
    from transformers import BertTokenizerFast

    return BertTokenizerFast(vocab=dict(vocabulary), do_lower_case=lowercase, extra_special_tokens=list(extra))
