"""Ours and the peers train on the very same ids, and one rule scores them all."""

import math
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch
import transformers

import score
from examples import cut, ids_of, masked_rows, windows
from quatrain.corpora.verse import poems
from quatrain.data.masked_text import MaskedText
from quatrain.data.windows import Windows
from quatrain.tokenizers.pretrained import Pretrained
from quatrain.tokenizers.trained import ByteLevelBPE
from stage import write_nanogpt

LENGTH = 32


@pytest.fixture(scope="module")
def texts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("texts")
    for split, seed in (("train", 1), ("validation", 2)):
        (folder / f"{split}.txt").write_text("\n\n".join(poems(60, seed)), encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bpe")
    ByteLevelBPE(vocab_size=400).fit(lambda: poems(60, 1)).save(folder)
    return folder


@pytest.fixture(scope="module")
def tokenizer(folder: Path) -> Any:
    return transformers.AutoTokenizer.from_pretrained(folder)


def our_rows(data: Any, split: str) -> list[list[int]]:
    batch = data.rows[split].__getitems__([(0, number) for number in range(len(data.rows[split]))])
    hidden = np.where(batch["labels"] >= 0, batch["labels"], batch["input_ids"])
    return [ids[real.astype(bool)].tolist() for ids, real in zip(hidden, batch["attention_mask"], strict=True)]


@pytest.mark.parametrize("example", ["line", "block"])
def test_masked_rows_are_those_of_ours(texts: Path, folder: Path, tokenizer: Any, example: Any) -> None:
    recipe = Pretrained(source=str(folder))
    data = MaskedText(tokenizer=recipe, source=str(texts), documents="whole", example=example, max_length=LENGTH)
    data.setup()
    for split in ("train", "validation"):
        theirs = masked_rows(texts / f"{split}.txt", tokenizer, LENGTH, lines=example == "line")
        ours = our_rows(data, split)
        assert theirs == ours[: len(theirs)]
        assert 0 <= len(ours) - len(theirs) <= (example == "block")  # the short rest of the last block


def test_windows_and_nanogpts_files_are_those_of_ours(
    texts: Path, folder: Path, tokenizer: Any, tmp_path: Path
) -> None:
    recipe = Pretrained(source=str(folder))
    data = Windows(tokenizer=recipe, source=str(texts), documents="whole", max_length=LENGTH, stride=LENGTH)
    data.setup()
    write_nanogpt(texts, data.tokenizer, tmp_path / "data", padded=False)
    for split, name in (("train", "train"), ("validation", "val")):
        stream = ids_of(texts / f"{split}.txt", tokenizer)
        assert data.rows[split].tokens.tolist() == stream
        assert np.fromfile(tmp_path / "data" / f"{name}.bin", dtype=np.uint16).tolist() == stream
    inputs, targets = windows(stream, LENGTH)
    ours = data.rows["validation"].__getitems__([(-1, number) for number in range(len(inputs))])
    assert (ours["input_ids"] == inputs).all()
    assert (ours["target"] == targets).all()


def test_rows_that_are_cut_are_whole() -> None:
    assert cut(list(range(7)), 3) == [[0, 1, 2], [3, 4, 5]]


def test_a_model_that_knows_nothing_scores_the_logarithm_of_the_vocabulary(texts: Path, tokenizer: Any) -> None:
    rows = masked_rows(texts / "validation.txt", tokenizer, LENGTH, lines=True)
    batches = score.masked_batches(rows, tokenizer, 16)
    size = len(tokenizer)
    assert score.mean_loss(lambda batch, _: torch.zeros(*batch["input_ids"].shape, size), batches) == pytest.approx(
        math.log(size), rel=1e-4
    )


def test_masks_are_the_same_each_time_and_hide_fifteen_in_a_hundred(texts: Path, tokenizer: Any) -> None:
    rows = masked_rows(texts / "validation.txt", tokenizer, LENGTH, lines=False)
    once, again = (score.masked_batches(rows, tokenizer, 16) for _ in range(2))
    for (seen, wanted), (seen_again, wanted_again) in zip(once, again, strict=True):
        assert torch.equal(seen["input_ids"], seen_again["input_ids"])
        assert torch.equal(wanted, wanted_again)
    asked = torch.cat([(wanted != score.IGNORED).flatten() for _, wanted in once]).float().mean()
    assert 0.12 < asked < 0.16  # special tokens are never hidden


def test_a_checkpoint_of_nanogpt_is_scored_by_the_model_of_its_checkout(
    texts: Path, tokenizer: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class GPT(torch.nn.Module):
        def __init__(self, config: Any) -> None:
            super().__init__()
            self.table = torch.nn.Parameter(torch.randn(config["vocab_size"]))

        def forward(self, ids: torch.Tensor, targets: torch.Tensor) -> tuple[torch.Tensor, None]:
            return self.table.expand(*ids.shape, -1), None

    checkout = ModuleType("model")
    checkout.GPT, checkout.GPTConfig = GPT, dict  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "model", checkout)
    monkeypatch.setattr(sys, "path", list(sys.path))
    table = torch.zeros(len(tokenizer))
    kept = {"model": {"_orig_mod.table": table}, "model_args": {"vocab_size": len(tokenizer)}}
    torch.save(kept, tmp_path / "ckpt.pt")
    batches = score.window_batches(ids_of(texts / "validation.txt", tokenizer), LENGTH, rows=3)
    assert sum(len(targets) for _, targets in batches) == 3
    loss = score.mean_loss(score.load("clm", tmp_path / "ckpt.pt", tmp_path), batches)
    assert loss == pytest.approx(math.log(len(tokenizer)), rel=1e-4)
