"""A language model's training, in the words of each contender: the same model, ids, batches and recipe of AdamW."""

import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from bench.place import BENCHMARKS

LEARNING_RATE, WEIGHT_DECAY, BETAS = 5e-4, 0.01, (0.9, 0.98)
GPU_PEAK = str(BENCHMARKS / "peers" / "gpu_peak.py")
Config = Mapping[str, str | int | float]


@dataclass(frozen=True, kw_only=True)
class Job:
    """``steps`` optimizer steps of batches of ``batch`` rows of ``length`` ids, or of single lines.

    ``config``: the model, in Hugging Face's words. The learning rate is constant, because each contender has another
    idea of where a warm-up begins.
    """

    kind: Literal["mlm", "clm"]
    config: Config = field(hash=False)
    tokenizer: Literal["bpe", "roberta", "gpt2", "bert"]
    batch: int
    steps: int
    lines: bool = False
    length: int = 128
    untimed: int = 3

    def ours(self, texts: Path, tokenizer: Path, seed: int, run: Path, *, gpu: bool) -> list[str]:
        """``quatrain train`` as a user would give it; for a GPU under the script that tells its peak memory."""
        masked = self.kind == "mlm"
        words: dict[str, Any] = {
            "experiment": "sonnets_roberta" if masked else "windows_gpt2",
            **{f"model.config.{name}": value for name, value in self.config.items()},
            "tokenizer": "pretrained",
            "tokenizer.source": tokenizer,
            "data.source": texts,
            "data.documents": "whole",
            **({"data.example": "line" if self.lines else "block"} if masked else {"data.stride": self.length}),
            "data.max_length": self.length,
            "data.batch_size": self.batch,
            "optimizer.lr": LEARNING_RATE,
            "optimizer.weight_decay": WEIGHT_DECAY,
            "schedule": "constant",
            "trainer.max_steps": self.steps,
            "trainer.max_epochs": "null",
            "trainer.limit_val_batches": 2,  # the score comes from elsewhere
            "trainer.log_every_n_steps": min(10, self.untimed) if gpu else 1,
            "seed": seed,
            "run.dir": run,
        }
        start = [sys.executable, *([GPU_PEAK] if gpu else []), "-m", "quatrain", "train"]
        return [*start, *(f"{key}={value}" for key, value in words.items())]

    def trainer(self, texts: Path, tokenizer: Path, seed: int, folder: Path, more: tuple[str, ...] = ()) -> list[str]:
        """The Trainer's script; ``more`` makes it faster."""
        words = {
            "--text": texts / "train.txt",
            "--tokenizer": tokenizer,
            "--config": json.dumps(dict(self.config)),
            "--length": self.length,
            "--batch": self.batch,
            "--steps": self.steps,
            "--untimed": self.untimed,
            "--learning-rate": LEARNING_RATE,
            "--schedule": "constant",
            "--weight-decay": WEIGHT_DECAY,
            "--seed": seed,
            "--out": folder,
            "--save": folder / "model",
        }
        start = [sys.executable, str(BENCHMARKS / "peers" / "transformers_trainer.py"), self.kind]
        return [*start, *flags(words), "--betas", *map(str, BETAS), *(["--lines"] if self.lines else []), *more]

    def nanogpt(self, data: Path, folder: Path, *, gpu: bool, on: Literal["cpu", "cuda"]) -> list[str]:
        """Its train.py; it evaluates before the first step and after the last one, neither of which is timed."""
        words = {
            "dataset": data,
            "out_dir": folder,
            "device": on,
            "compile": on == "cuda",
            "dtype": "bfloat16" if on == "cuda" else "float32",
            "n_layer": self.config["n_layer"],
            "n_head": self.config["n_head"],
            "n_embd": self.config["n_embd"],
            "dropout": self.config["resid_pdrop"],
            "bias": True,
            "block_size": self.length,
            "batch_size": self.batch,
            "gradient_accumulation_steps": 1,
            "learning_rate": LEARNING_RATE,
            "decay_lr": False,
            "weight_decay": WEIGHT_DECAY,
            "beta1": BETAS[0],
            "beta2": BETAS[1],
            "max_iters": self.steps,
            "eval_interval": self.steps,
            "eval_iters": 1,
        }
        start = [sys.executable, *([GPU_PEAK] if gpu else []), "train.py"]
        return [*start, *(f"--{name}={value}" for name, value in words.items())]

    def score(self, texts: Path, tokenizer: Path, *, rows: int, nanogpt: Path | None, models: list[str]) -> list[str]:
        """The script that scores trained models on the held-out text."""
        words = {"--text": texts / "validation.txt", "--tokenizer": tokenizer, "--length": self.length, "--rows": rows}
        start = [sys.executable, str(BENCHMARKS / "peers" / "score.py"), self.kind]
        more = [*(["--lines"] if self.lines else []), *(flags({"--nanogpt": nanogpt}) if nanogpt else [])]
        return [*start, *flags(words), *more, "--models", *models]


def flags(words: Mapping[str, Any]) -> list[str]:
    """Names and values as words of a command line."""
    return [str(word) for pair in words.items() for word in pair]
