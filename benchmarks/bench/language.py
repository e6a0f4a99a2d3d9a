"""Language models trained from nothing: masked and causal, ours beside the Trainer and nanoGPT."""

import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Literal

from bench import outputs
from bench.contenders import Contender
from bench.gpu import flops_of_token, peak_flops
from bench.measures import OURS, Run
from bench.place import BENCHMARKS, PUBLISHED, TEXT, Place
from bench.processes import Done
from bench.row import Row

LEARNING_RATE, WEIGHT_DECAY, BETAS = 5e-4, 0.01, (0.9, 0.98)
HELD_OUT_TOKENS = 32_768


@dataclass(frozen=True, kw_only=True)
class LanguageRow(Row):
    """``steps`` optimizer steps of batches of ``batch`` rows of ``length`` ids (or single lines), then a score.

    All contenders have the model of ``config`` (words of Hugging Face's), the ids, the batches and the recipe of
    AdamW, whose learning rate is constant: each has another idea of where a warm-up begins. The seed is the round's
    number.
    """

    job: Literal["mlm", "clm"]
    config: Mapping[str, str | int | float] = field(hash=False)
    tokenizer: Literal["bpe", "roberta", "gpt2", "bert"]
    batch: int
    steps: int
    lines: bool = False
    length: int = 128
    untimed: int = 3

    def lacks(self, place: Place) -> str | None:
        """See `Row`."""
        published = PUBLISHED.get(self.tokenizer)
        return super().lacks(place) or place.lacks(TEXT, *([published] if published else []))

    def quick(self) -> "LanguageRow":
        """Two timed steps; what is meant for a GPU as a tiny model, on whatever is here."""
        if not self.gpu:
            return replace(self, steps=4, untimed=2, rounds=1)
        sizes = {"n_embd": 64, "n_layer": 2, "n_head": 2, "hidden_size": 64, "num_hidden_layers": 2}
        sizes |= {"num_attention_heads": 2, "intermediate_size": 128}
        small = {name: sizes.get(name, value) for name, value in self.config.items()}
        return replace(self, config=small, length=64, batch=2, steps=4, untimed=2, rounds=1, anywhere=True)

    def contenders(self, place: Place) -> list[Contender]:
        """Ours, the Trainer at its defaults and at its best; for causal models nanoGPT where a checkout was named."""
        texts, tokenizer = place.lines if self.lines else place.text, place.tokenizer(self.tokenizer)
        peer = partial(self._trainer, texts, tokenizer)
        read = partial(self._read_script, place)
        found = [
            Contender(OURS, partial(self._ours, place, texts, tokenizer), partial(self._read_ours, place), "run/export")
        ]
        if not self.gpu:
            found.append(Contender("defaults", peer, read, "model"))
        found.append(Contender("best", partial(peer, more=["--best"]), read, "model"))
        if self.gpu and place.gpu:
            found.append(Contender("best, compiled", partial(peer, more=["--best", "--compile"]), read, "model"))
        if self.job == "clm" and place.nanogpt:
            found.append(self._nanogpt(place, place.nanogpt_data(self.tokenizer)))
        return found

    def score(self, place: Place, models: list[str]) -> list[str]:
        """See `Row`."""
        texts = place.lines if self.lines else place.text
        words = [sys.executable, str(BENCHMARKS / "peers" / "score.py"), self.job]
        words += ["--text", str(texts / "validation.txt"), "--tokenizer", str(place.tokenizer(self.tokenizer))]
        words += ["--length", str(self.length), *(["--lines"] if self.lines else [])]
        words += ["--rows", str(HELD_OUT_TOKENS // (8 if self.lines else self.length))]
        words += ["--nanogpt", str(place.nanogpt)] if place.nanogpt else []
        return [*words, "--models", *models]

    def _ours(self, place: Place, texts: Path, tokenizer: Path, seed: int, folder: Path) -> list[str]:
        words = {
            "experiment": "quick_sonnets" if self.job == "mlm" else "quick_windows",
            "model": "roberta_mlm" if self.job == "mlm" else "gpt2_causal",
            **{f"model.config.{name}": value for name, value in self.config.items()},
            "model.config.initializer_range": 0.02,
            "tokenizer": "pretrained",
            "tokenizer.source": tokenizer,
            "data.source": texts,
            "data.documents": "whole",
            "data.max_length": self.length,
            "data.batch_size": self.batch,
            "optimizer.lr": LEARNING_RATE,
            "schedule": "constant",
            "trainer.max_steps": self.steps,
            "trainer.max_epochs": "null",
            "trainer.limit_val_batches": 2,  # the score comes from elsewhere
            "seed": seed,
            "run.dir": folder / "run",
        }
        words |= (
            {"data.example": "line" if self.lines else "block"} if self.job == "mlm" else {"data.stride": self.length}
        )
        if self.gpu:
            words["trainer.log_every_n_steps"] = min(10, self.untimed)
        command = [sys.executable, "-m", "quatrain", "train", *(f"{key}={value}" for key, value in words.items())]
        return [command[0], str(BENCHMARKS / "peers" / "gpu_peak.py"), *command[1:]] if self.gpu else command

    def _trainer(
        self, texts: Path, tokenizer: Path, seed: int, folder: Path, more: list[str] | None = None
    ) -> list[str]:
        words = [sys.executable, str(BENCHMARKS / "peers" / "transformers_trainer.py"), self.job]
        words += [
            "--text",
            str(texts / "train.txt"),
            "--tokenizer",
            str(tokenizer),
            *(["--lines"] if self.lines else []),
        ]
        words += ["--config", json.dumps(dict(self.config)), "--length", str(self.length), "--batch", str(self.batch)]
        words += ["--steps", str(self.steps), "--untimed", str(self.untimed), "--learning-rate", str(LEARNING_RATE)]
        words += [
            "--schedule",
            "constant",
            "--betas",
            *map(str, BETAS),
            "--weight-decay",
            str(WEIGHT_DECAY),
            "--seed",
            str(seed),
        ]
        return [*words, *(more or []), "--out", str(folder), "--save", str(folder / "model")]

    def _nanogpt(self, place: Place, data: Path) -> Contender:
        on_gpu = self.gpu and place.gpu is not None
        precision = "bf16-mixed" if on_gpu else "32-true"  # on a CPU train.py has no other, whatever its dtype says
        settings = {
            "dataset": data,
            "device": "cuda" if on_gpu else "cpu",
            "compile": on_gpu,
            "dtype": "bfloat16" if on_gpu else "float32",
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
            "max_iters": self.steps,
            "beta1": BETAS[0],
            "beta2": BETAS[1],
            "weight_decay": WEIGHT_DECAY,
            "eval_interval": self.steps,
            "eval_iters": 1,
        }
        wrap = [str(BENCHMARKS / "peers" / "gpu_peak.py")] if self.gpu else []

        def command(_: int, folder: Path) -> list[str]:
            words = [f"--{name}={value}" for name, value in (settings | {"out_dir": folder}).items()]
            return [sys.executable, *wrap, "train.py", *words]

        def read(done: Done, folder: Path) -> list[Run]:
            found = outputs.nanogpt(
                done, untimed=self.untimed, steps=self.steps, tokens_of_step=self.batch * self.length
            )
            return self._on_gpu(place, found | {"precision": precision} | (outputs.script(done) if self.gpu else {}))

        return Contender("nanoGPT", command, read, "ckpt.pt", cwd=place.nanogpt)

    def _read_ours(self, place: Place, done: Done, folder: Path) -> list[Run]:
        found = outputs.run_directory(folder / "run", self.untimed)
        return self._on_gpu(place, found | (outputs.script(done) if self.gpu else {}))

    def _read_script(self, place: Place, done: Done, _: Path) -> list[Run]:
        return self._on_gpu(place, outputs.script(done))

    def _on_gpu(self, place: Place, found: Run) -> list[Run]:
        """Add the share of the device's peak, where that is known."""
        peak = peak_flops(place.gpu) if self.gpu else None
        if peak is None:
            return [found]
        flops = found["tokens_per_second"] * flops_of_token(self.config, self.job, self.length)
        return [found | {"mfu": flops / peak}]
