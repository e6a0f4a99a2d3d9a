"""One rank of a small training on gloo; run as ``ranks_job.py OUT RANK WORLD PORT``; a world of 1 is the reference.

Rank r of 2 takes every second batch. The reference takes them joined in pairs, so that both make the same two optimizer
steps of two micro-batches each.
"""

import json
import os
import sys
import warnings
from pathlib import Path
from typing import Any

BATCHES = ([8, 3], [5], [7, 8, 2], [4, 8], [8], [6, 6, 6], [2], [8, 8])
"""Lengths of the texts of each batch."""
SCORES = ([1.0, 2.0, 2.0], [0.5], [3.0, 1.5], [])
"""Labels of each held-out batch; the last one is a filler that has none."""


def texts(lengths: list[int], seed: int) -> dict[str, Any]:
    import torch

    random = torch.Generator().manual_seed(seed)
    ids = torch.randint(5, 40, (len(lengths), 8), generator=random)
    mask = (torch.arange(8) < torch.tensor(lengths)[:, None]).long()
    asked = (torch.rand(ids.shape, generator=random) < 0.4) & mask.bool()
    rows = {"input_ids": torch.where(mask.bool(), ids, 1), "attention_mask": mask}
    return {**rows, "labels": torch.where(asked, ids, -100), "example_ids": torch.arange(len(lengths))}


def scored_texts(scores: list[float], seed: int) -> dict[str, Any]:
    import torch

    labels = torch.tensor(scores or [float("nan")] * 2)
    return {**texts([8] * len(labels), 100 + seed), "labels": labels}


def share(batches: list[dict[str, Any]], rank: int, world: int) -> list[dict[str, Any]]:
    """This rank's batches; in a world of one, what two ranks hold at the same time is one batch."""
    import torch

    if world > 1:
        return batches[rank::world]
    pairs = zip(batches[::2], batches[1::2], strict=True)
    return [{name: torch.cat([one[name], other[name]]) for name in one} for one, other in pairs]


def run(out: Path, rank: int, world: int) -> None:
    import pytorch_lightning as pl
    import torch
    from torch.utils.data import DataLoader

    from quatrain.models.recipe import LanguageModel
    from quatrain.tasks import MaskedLanguageModel, SequenceClassification

    def model(task: str, **labels: Any) -> Any:
        torch.manual_seed(3)
        words = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 32}
        config = {"model_type": "roberta", "hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0, **words}
        recipe = LanguageModel(task=task, config=config)
        return recipe.build(tokenizer_size=40, special_ids={"pad": 1}, max_length=8, **labels)

    def loader(batches: list[dict[str, Any]]) -> Any:
        return DataLoader(share(batches, rank, world), batch_size=None)

    def trainer() -> Any:
        quiet = {"logger": False, "enable_progress_bar": False, "enable_model_summary": False}
        plan = {"max_epochs": 1, "accumulate_grad_batches": 2, "gradient_clip_val": 0.5, "num_sanity_val_steps": 0}
        place = {"accelerator": "cpu", "devices": world, "strategy": "ddp" if world > 1 else "auto"}
        return pl.Trainer(**quiet, **plan, **place, use_distributed_sampler=False, enable_checkpointing=False)

    held_out = [texts(lengths, 50 + seed) for seed, lengths in enumerate(BATCHES)]
    task = MaskedLanguageModel(
        model("masked_lm"), optimizer=lambda module: torch.optim.SGD(module.parameters(), lr=0.5)
    )
    chosen = trainer()
    chosen.fit(task, loader([texts(lengths, seed) for seed, lengths in enumerate(BATCHES)]), loader(held_out))
    found = {name: float(value) for name, value in {**chosen.callback_metrics, **task.last_step}.items()}
    scorer = SequenceClassification(
        model("sequence_classification", num_labels=1, regression=True),
        regression=True,
        metrics=("pearson", "spearman"),
    )
    (scores,) = trainer().validate(
        scorer, loader([scored_texts(scores, seed) for seed, scores in enumerate(SCORES)]), verbose=False
    )
    torch.save(task.model.state_dict(), out / f"{world}-{rank}.pt")
    (out / f"{world}-{rank}.json").write_text(
        json.dumps({**found, **{f"score/{name}": one for name, one in scores.items()}})
    )
    if world > 1:
        torch.distributed.destroy_process_group()  # its threads abort a process that ends with them, now and then


if __name__ == "__main__":
    folder, place, size, port = sys.argv[1:]
    os.environ |= {"LOCAL_RANK": place, "NODE_RANK": "0", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port}
    warnings.simplefilter("ignore")
    run(Path(folder), int(place), int(size))
