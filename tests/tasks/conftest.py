"""Models that say what a test tells them to, tiny real ones, and a quiet Trainer."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
import pytorch_lightning as pl
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader

from quatrain.models.recipe import LanguageModel

TINY = {
    "roberta": {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 32}
    | {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0},
    "gpt2": {"n_embd": 16, "n_layer": 2, "n_head": 2, "resid_pdrop": 0.0, "embd_pdrop": 0.0, "attn_pdrop": 0.0},
}


class Table(nn.Module):
    """Looks its logits up by input id, so that a test can write them down: ids [batch, seq] -> [batch, seq, vocab]."""

    def __init__(self, logits: Tensor, whole_text: bool = False) -> None:
        super().__init__()
        self.table = nn.Parameter(logits)
        self.whole_text = whole_text

    def forward(self, input_ids: Tensor, attention_mask: Tensor | None = None) -> Any:
        looked_up = self.table[input_ids]
        return SimpleNamespace(logits=looked_up[:, 0] if self.whole_text else looked_up)


@pytest.fixture
def table() -> type[Table]:
    return Table


@pytest.fixture
def tiny() -> Callable[..., Any]:
    """A two-layer model without dropout and with the same weights every time."""

    def make(family: str, task: str, **labels: Any) -> Any:
        torch.manual_seed(3)
        recipe = LanguageModel(task=task, config={"model_type": family, **TINY[family]})
        special = {"pad": 1, "bos": 0, "eos": 2}
        return recipe.build(tokenizer_size=40, special_ids=special, max_length=8, **labels)

    return make


@pytest.fixture
def trainer(tmp_path: Any) -> Callable[..., pl.Trainer]:
    def make(**words: Any) -> pl.Trainer:
        quiet = {
            "logger": False,
            "enable_progress_bar": False,
            "enable_model_summary": False,
            "num_sanity_val_steps": 0,
        }
        words = {"enable_checkpointing": False, "max_epochs": 1, **quiet, **words}
        return pl.Trainer(accelerator="cpu", devices=1, default_root_dir=tmp_path, **words)

    return make


@pytest.fixture
def loader() -> Callable[..., DataLoader[Any]]:
    """A loader of ready batches, one by one."""
    return lambda batches: DataLoader(batches, batch_size=None)
