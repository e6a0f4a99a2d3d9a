"""Held-out loss of trained models, all by the same rule on the same text, whoever trained them.

    python benchmarks/peers/score.py mlm --text VALIDATION.txt --tokenizer DIR --models DIR DIR
    python benchmarks/peers/score.py clm --text VALIDATION.txt --tokenizer DIR --models DIR CKPT.pt --nanogpt DIR

In float32. mlm: of 15 % of the tokens, the same places and the same replacements for each model. clm: of each token of
windows laid side by side. A model is a folder that transformers loads, or a checkpoint of nanoGPT. The last line
printed is a JSON object: nats a token by model, in the order of --models.
"""

import argparse
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ.setdefault("HF_HUB_OFFLINE", "1")

import torch
import transformers
from torch import Tensor
from torch.nn.functional import cross_entropy

from examples import ids_of, masked_rows, windows

IGNORED = -100
IDS_AT_ONCE = 2048
DEVICE = "cuda" if torch.cuda.is_available() else "cpu"

Batches = list[tuple[dict[str, Tensor], Tensor]]
"""What a model is given, and what it is asked for: ids, or IGNORED."""

Logits = Callable[[dict[str, Tensor], Tensor], Tensor]


def main() -> None:
    """Score each model."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("job", choices=["mlm", "clm"])
    parser.add_argument("--text", type=Path, required=True, help="the held-out text")
    parser.add_argument("--tokenizer", required=True)
    parser.add_argument("--models", nargs="+", type=Path, required=True)
    parser.add_argument("--length", type=int, default=128, help="ids in a row")
    parser.add_argument("--lines", action="store_true", help="a row for each line instead of blocks")
    parser.add_argument("--rows", type=int, default=10_000, help="rows at most")
    parser.add_argument("--nanogpt", type=Path, help="its checkout, for its checkpoints")
    asked = parser.parse_args()
    tokenizer = transformers.AutoTokenizer.from_pretrained(asked.tokenizer)
    if asked.job == "mlm":
        rows = masked_rows(asked.text, tokenizer, asked.length, lines=asked.lines)[: asked.rows]
        batches = masked_batches(rows, tokenizer, IDS_AT_ONCE // asked.length)
    else:
        batches = window_batches(ids_of(asked.text, tokenizer), asked.length, asked.rows)
    print(json.dumps([mean_loss(load(asked.job, model, asked.nanogpt), batches) for model in asked.models]))


def load(job: str, model: Path, nanogpt: Path | None) -> Logits:
    """What gives the logits [rows, ids, vocabulary] of a batch."""
    if model.suffix == ".pt":
        return load_nanogpt(model, nanogpt)
    auto = transformers.AutoModelForMaskedLM if job == "mlm" else transformers.AutoModelForCausalLM
    trained = auto.from_pretrained(model, dtype=torch.float32).eval().to(DEVICE)
    return lambda batch, _: trained(**batch).logits


def load_nanogpt(checkpoint: Path, checkout: Path | None) -> Logits:
    """A checkpoint of nanoGPT, by the model of the checkout that the user named."""
    sys.path.insert(0, str(checkout))
    from model import GPT, GPTConfig  # type: ignore[import-not-found]

    kept = torch.load(checkpoint, map_location="cpu", weights_only=True)
    trained = GPT(GPTConfig(**kept["model_args"]))
    trained.load_state_dict({name.removeprefix("_orig_mod."): value for name, value in kept["model"].items()})
    trained.eval().to(DEVICE)
    return lambda batch, targets: trained(batch["input_ids"], targets)[0]  # all logits only where targets are given


def window_batches(ids: list[int], length: int, rows: int) -> Batches:
    """The first ``rows`` windows of ``length`` ids, and what follows each id."""
    inputs, targets = (torch.from_numpy(part[:rows]) for part in windows(ids, length))
    at_once = range(0, len(inputs), IDS_AT_ONCE // length)
    return [({"input_ids": inputs[at : at + at_once.step]}, targets[at : at + at_once.step]) for at in at_once]


def masked_batches(rows: list[list[int]], tokenizer: Any, at_once: int) -> Batches:
    """Rows with 15 % of their tokens hidden by RoBERTa's rule, drawn once; targets elsewhere are IGNORED."""
    generator = torch.Generator().manual_seed(0)
    special = torch.tensor(tokenizer.all_special_ids)
    batches: Batches = []
    for start in range(0, len(rows), at_once):
        batch = tokenizer.pad({"input_ids": rows[start : start + at_once]}, return_tensors="pt")
        ids, draw = batch["input_ids"], torch.rand(batch["input_ids"].shape, generator=generator)
        hidden = (draw < 0.15) & ~torch.isin(ids, special)
        any_id = torch.randint(len(tokenizer), ids.shape, generator=generator)
        seen = torch.where(hidden & (draw < 0.12), tokenizer.mask_token_id, ids)
        seen = torch.where(hidden & (draw >= 0.135), any_id, seen)
        batches.append(({"input_ids": seen, "attention_mask": batch["attention_mask"]}, ids.where(hidden, IGNORED)))
    return batches


@torch.no_grad()
def mean_loss(logits: Logits, batches: Batches) -> float:
    """Nats by token that is asked for."""
    total, count = 0.0, 0
    for batch, targets in batches:
        wanted = targets.to(DEVICE)
        said = logits({name: value.to(DEVICE) for name, value in batch.items()}, wanted)
        asked_for = wanted != IGNORED
        total += float(cross_entropy(said[asked_for].float(), wanted[asked_for], reduction="sum"))
        count += int(asked_for.sum())
    return total / count


if __name__ == "__main__":
    main()
