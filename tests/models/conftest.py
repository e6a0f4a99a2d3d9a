"""Two-layer models of each family, made in a moment."""

from typing import Any

import pytest
import torch

from quatrain.models.recipe import LanguageModel

ROBERTA = {
    "model_type": "roberta",
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 32,
}
BERT = {**ROBERTA, "model_type": "bert"}
DISTILBERT = {"model_type": "distilbert", "dim": 16, "n_layers": 2, "n_heads": 2, "hidden_dim": 32}
GPT2 = {"model_type": "gpt2", "n_embd": 16, "n_layer": 2, "n_head": 2}
FAMILIES = {"roberta": ROBERTA, "bert": BERT, "distilbert": DISTILBERT, "gpt2": GPT2}
SPECIAL = {
    "roberta": {"pad": 1, "bos": 0, "eos": 2, "mask": 4},
    "bert": {"pad": 0, "bos": None, "eos": None, "mask": 4},
    "distilbert": {"pad": 0, "bos": None, "eos": None, "mask": 4},
    "gpt2": {"pad": 3, "bos": 3, "eos": 3, "mask": None},
}


@pytest.fixture(autouse=True)
def _seeded() -> None:
    torch.manual_seed(7)


@pytest.fixture
def size() -> dict[str, Any]:
    """A tokenizer of 50 entries and texts of 12 tokens, in RoBERTa's convention."""
    return {"tokenizer_size": 50, "special_ids": SPECIAL["roberta"], "max_length": 12}


@pytest.fixture
def build():
    """Build a family's model for a task from its tiny config."""

    def make(
        family: str,
        task: str,
        *,
        words: dict[str, Any] | None = None,
        recipe: dict[str, Any] | None = None,
        **labels: Any,
    ):
        chosen = LanguageModel(task=task, config={**FAMILIES[family], **(words or {})}, **(recipe or {}))
        return chosen.build(tokenizer_size=50, special_ids=SPECIAL[family], max_length=12, **labels)

    return make
