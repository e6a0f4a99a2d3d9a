"""What a script costs that does one training step and nothing else: the floor of every framework's start-up.

    python benchmarks/bare_step.py CONFIG_JSON BATCH_JSON

Prints the time, in seconds of the epoch, when the step is done.
"""

import json
import sys
import time
from pathlib import Path

import pytorch_lightning  # noqa: F401  a script that goes on to train imports it too
import torch
from transformers import RobertaConfig, RobertaForMaskedLM

config, batch = (json.loads(Path(name).read_text()) for name in sys.argv[1:3])
model = RobertaForMaskedLM(RobertaConfig(**config)).train()
optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
wanted = ("input_ids", "attention_mask", "labels")
inputs = {name: torch.tensor(batch[name]) for name in wanted if name in batch}
with torch.autocast("cpu", torch.bfloat16, enabled=config["precision"] == "bf16-mixed"):
    loss = model(**inputs).loss
loss.backward()
optimizer.step()
print(time.time())
