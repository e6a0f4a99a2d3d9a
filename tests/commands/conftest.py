"""Small stand-ins for what the full experiments take from the hub, and a run of the worker in this process."""

from collections.abc import Callable
from pathlib import Path

import pytest

from quatrain.runs.directory import RunDirectory

SMALL = (
    "data.verse_size=60",
    "data.batch_size=8",
    "trainer.max_steps=3",
    "run.report=false",
    "trainer.accelerator=cpu",
    "trainer.limit_val_batches=2",
    "trainer.log_every_n_steps=1",
)


@pytest.fixture(scope="session")
def bert_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A two-layer BERT with the tokenizer that belongs to it, as the hub would give them."""
    from transformers import BertConfig, BertForMaskedLM

    from quatrain.corpora.verse import poems
    from quatrain.tokenizers.trained import WordPiece

    folder = tmp_path_factory.mktemp("hub") / "bert"
    tokenizer = WordPiece(vocab_size=300).fit(lambda: poems(50, 0))
    config = BertConfig(
        vocab_size=tokenizer.vocab_size,
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=32,
        max_position_embeddings=128,
    )
    BertForMaskedLM(config).save_pretrained(folder)
    tokenizer.save(folder)
    return folder


@pytest.fixture(scope="session")
def gpt2_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with vocab.json and merges.txt alone, as GPT-2's are published."""
    from quatrain.corpora.verse import poems
    from quatrain.tokenizers.trained import ByteLevelBPE

    folder = tmp_path_factory.mktemp("hub") / "gpt2"
    recipe = ByteLevelBPE(vocab_size=400, special_tokens=("<|endoftext|>",))
    recipe.fit(lambda: poems(50, 0)).save(folder)
    for name in ("tokenizer.json", "tokenizer_config.json", "special_tokens_map.json"):
        (folder / name).unlink(missing_ok=True)
    return folder


@pytest.fixture
def run_here(tmp_path: Path) -> Callable[..., tuple[RunDirectory, int]]:
    """Compose overrides and run them in this process; the run directory and the exit code."""
    from quatrain import worker
    from quatrain.config.compose import compose
    from quatrain.runs.run_log import run_log
    from quatrain.training.preemption import StopRequest

    def run(*overrides: str, name: str = "run") -> tuple[RunDirectory, int]:
        run = RunDirectory.create(tmp_path / name, compose(overrides), list(overrides))
        with run_log(run.log):
            return run, worker.guarded(run, StopRequest())

    return run
