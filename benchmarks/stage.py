"""Prepares what ours and the peers are both given, so that they train on the very same ids.

python benchmarks/stage.py bpe --text TRAIN.txt --size 8192 --out DIR       train a byte-level BPE, RoBERTa's kind
python benchmarks/stage.py pretrained --source DATA/gpt2_bpe --out DIR      a published vocabulary as a folder
python benchmarks/stage.py nanogpt --text DIR --tokenizer DIR --out DIR     train.bin, val.bin and meta.pkl
"""

import argparse
import pickle
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from quatrain.tokenizers.pretrained import Pretrained
from quatrain.tokenizers.tokenizer import Tokenizer
from quatrain.tokenizers.trained import ByteLevelBPE


def main() -> None:
    """Make one of them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["bpe", "pretrained", "nanogpt"])
    parser.add_argument("--text", type=Path)
    parser.add_argument("--size", type=int, default=8192)
    parser.add_argument("--source")
    parser.add_argument("--tokenizer")
    parser.add_argument("--padded", action="store_true", help="leave the size of the vocabulary to nanoGPT: 50,304")
    parser.add_argument("--out", type=Path, required=True)
    asked = parser.parse_args()

    def text() -> Iterator[str]:
        yield asked.text.read_text(encoding="utf-8")

    if asked.what == "bpe":
        ByteLevelBPE(vocab_size=asked.size).fit(text).save(asked.out)
    elif asked.what == "pretrained":
        Pretrained(source=asked.source).fit(lambda: iter(())).save(asked.out)
    else:
        write_nanogpt(asked.text, Pretrained(source=asked.tokenizer).fit(lambda: iter(())), asked.out, asked.padded)


def write_nanogpt(texts: Path, tokenizer: Tokenizer, out: Path, padded: bool) -> None:
    """Write the data folder that nanoGPT's train.py reads; meta.pkl tells it the size of the vocabulary."""
    out.mkdir(parents=True)
    for split, name in (("train", "train"), ("validation", "val")):
        ids = tokenizer.encode([(texts / f"{split}.txt").read_text(encoding="utf-8")])[0]
        ids.astype(np.uint16).tofile(out / f"{name}.bin")
    if not padded:
        (out / "meta.pkl").write_bytes(pickle.dumps({"vocab_size": tokenizer.vocab_size}))


if __name__ == "__main__":
    main()
