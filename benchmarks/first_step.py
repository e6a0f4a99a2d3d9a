"""Notes when the first batch was trained on, and which it was; for `startup`, which names it as a run's callback."""

import json
import time
from pathlib import Path
from typing import Any

from pytorch_lightning import LightningModule, Trainer
from pytorch_lightning.callbacks import Callback


class FirstStep(Callback):
    """Writes the time, in seconds of the epoch, to ``into``, and beside it the batch; nothing after the first."""

    def __init__(self, into: str) -> None:
        self.into = Path(into)

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """The first step is done."""
        if batch_idx == 0:
            now = time.time()
            self.into.write_text(json.dumps({"at": now, **{name: batch[name].tolist() for name in batch}}))
