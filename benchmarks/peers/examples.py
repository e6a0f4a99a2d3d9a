"""What the peers train on: rows of ids from the same text and tokenizer that ours has, and the same sentence pairs."""

from pathlib import Path
from typing import Any

import numpy as np


def ids_of(text: Path, tokenizer: Any) -> list[int]:
    """The ids of a whole text without special tokens."""
    ids: list[int] = tokenizer(text.read_text(encoding="utf-8"), add_special_tokens=False)["input_ids"]
    return ids


def masked_rows(text: Path, tokenizer: Any, length: int, *, lines: bool) -> list[list[int]]:
    """Rows for masked language modelling with the special tokens at their ends.

    A row for each line that is not blank, cut at ``length`` ids; or the stream of the whole text cut into rows of
    ``length``, without its rest.
    """
    before, after = [tokenizer.cls_token_id], [tokenizer.sep_token_id]
    if lines:
        kept = [line for line in text.read_text(encoding="utf-8").split("\n") if line.strip()]
        encoded = tokenizer(kept, add_special_tokens=False)["input_ids"]
        return [[*before, *ids[: length - 2], *after] for ids in encoded]
    return [[*before, *ids, *after] for ids in cut(ids_of(text, tokenizer), length - 2)]


def cut(ids: list[int], length: int) -> list[list[int]]:
    """Whole rows of ``length`` ids; the rest is dropped."""
    return [ids[start : start + length] for start in range(0, len(ids) - length + 1, length)]


def windows(ids: list[int], length: int) -> tuple[np.ndarray, np.ndarray]:
    """Windows [rows, length] side by side, and the same one token later; the rest is dropped."""
    rows = (len(ids) - 1) // length
    stream = np.asarray(ids[: rows * length + 1], dtype=np.int64)
    return stream[:-1].reshape(rows, length), stream[1:].reshape(rows, length)


def pairs(folder: Path, tokenizer: Any, *, pad: bool) -> Any:
    """MRPC's splits, encoded as the run_glue example does: cut at 128 ids, and padded to 128 where ``pad``."""
    from datasets import load_dataset

    def encode(rows: dict[str, list[str]]) -> Any:
        padding = "max_length" if pad else False
        return tokenizer(rows["sentence1"], rows["sentence2"], truncation=True, max_length=128, padding=padding)

    files = {split: str(folder / f"{split}.jsonl") for split in ("train", "validation")}
    return load_dataset("json", data_files=files).map(encode, batched=True)
