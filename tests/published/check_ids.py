"""Compare our tokenizers with published ids, on published vocabularies that the repository does not hold.

    python tests/published/check_ids.py DATA

DATA holds gpt2_bpe/ and roberta_bpe/ (vocab.json, merges.txt), bert_vocab/bert-base-uncased-vocab.txt,
the_verdict/the-verdict.txt and tinyshakespeare/input.txt. One line for each check;
the exit code is 1 where one differs.
"""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from quatrain.tokenizers.pretrained import Pretrained
from quatrain.tokenizers.tiktoken_gpt2 import TiktokenGPT2

PAIR = ("This is the first sentence.", "This is the second one.")
PAIR_IDS = [101, 2023, 2003, 1996, 2034, 6251, 1012, 102, 2023, 2003, 1996, 2117, 2028, 1012, 102]

Check = tuple[str, Any, Any]  # what is compared, ours, the published


def gpt2(data: Path, recipe: Callable[..., Any]) -> Iterator[Check]:
    name = recipe.__name__
    tokenizer = recipe(source=str(data / "gpt2_bpe")).fit()
    yield f"{name}: Hello world", tokenizer.encode(["Hello world"])[0].tolist(), [15496, 995]
    yield f"{name}: transformers' face", tokenizer.hf("Hello world")["input_ids"], [15496, 995]
    yield f"{name}: end of text", tokenizer.encode(["<|endoftext|>"])[0].tolist(), [50256]
    yield f"{name}: entries", tokenizer.vocab_size, 50257
    for file, count in (("the_verdict/the-verdict.txt", 5145), ("tinyshakespeare/input.txt", 338025)):
        text = (data / file).read_bytes().decode()
        yield f"{name}: tokens of {file}", len(tokenizer.encode([text])[0]), count


def roberta(data: Path) -> Iterator[Check]:
    tokenizer = Pretrained(source=str(data / "roberta_bpe")).fit()
    before, after = tokenizer.wrap()
    ids = tokenizer.encode(["Hello world"])[0].tolist()
    yield "RoBERTa: Hello world", [*before, *ids, *after], [0, 31414, 232, 2]
    yield "RoBERTa: entries", tokenizer.vocab_size, 50265
    yield "RoBERTa: mask", tokenizer.mask_id, 50264
    yield "RoBERTa: mask in a text", 50264 in tokenizer.encode(["<mask>"])[0], False


def bert(data: Path) -> Iterator[Check]:
    tokenizer = Pretrained(source=str(data / "bert_vocab" / "bert-base-uncased-vocab.txt")).fit()
    pair = tokenizer.hf(*PAIR)
    yield "BERT uncased: pair", pair["input_ids"], PAIR_IDS
    yield "BERT uncased: token types", pair["token_type_ids"], [0] * 8 + [1] * 7
    before, between, after = tokenizer.wrap_pair()
    first, second = (ids.tolist() for ids in tokenizer.encode(PAIR))
    yield "BERT uncased: pair put together", [*before, *first, *between, *second, *after], PAIR_IDS
    yield "BERT uncased: entries", tokenizer.vocab_size, 30522


def main(data: Path) -> int:
    differing = 0
    for checks in (gpt2(data, Pretrained), gpt2(data, TiktokenGPT2), roberta(data), bert(data)):
        for what, ours, published in checks:
            same = ours == published
            differing += not same
            print(f"ok    {what}" if same else f"WRONG {what}: {ours}, published {published}")
    return int(differing > 0)


if __name__ == "__main__":
    if len(sys.argv) != 2 or not Path(sys.argv[1]).is_dir():
        sys.exit("usage: python tests/published/check_ids.py DATA (a folder with the published vocabularies)")
    sys.exit(main(Path(sys.argv[1])))
