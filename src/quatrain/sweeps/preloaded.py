"""Importing this imports all that a run may need, and does nothing else: no tensor, no thread, no question to a GPU.

A forkserver does it once. It takes 3 to 5 s, and forking from a process that has it behind it about 15 ms.
"""

import os
from contextlib import suppress
from importlib import import_module
from pkgutil import walk_packages

import quatrain
from quatrain.core.bound import die_with_parent
from quatrain.core.collector import resting_collector
from quatrain.runs.processes import STARTER_VARIABLE

LEFT_OUT = ("__main__", "commands", "config", "sweeps", "compare")
"""Rooms that no worker enters."""

LIBRARIES = (
    "torch",
    "torch.utils.serialization.config",
    "pytorch_lightning",
    "torchmetrics",
    "accelerate",
    "datasets",
    "omegaconf",  # Lightning looks for it in what it saves
    "psutil",
    "rich._emoji_codes",
    "safetensors.torch",
    "transformers.modeling_utils",
    "transformers.models.auto.modeling_auto",
    "transformers.models.bert.modeling_bert",
    "transformers.models.gpt2.modeling_gpt2",
    "transformers.models.roberta.modeling_roberta",
)
"""What a run imports late, inside of functions."""

die_with_parent()
if os.environ.get(STARTER_VARIABLE, str(os.getppid())) != str(os.getppid()):  # it died before that was settled
    os._exit(0)
own = (module.name for module in walk_packages(quatrain.__path__, "quatrain."))
with resting_collector():  # every child would look through all of it again, and copy its pages
    for name in (*LIBRARIES, *(name for name in own if name.split(".")[1] not in LEFT_OUT)):
        with suppress(Exception):  # an extra that is not installed, a broken library; the run that needs it says so
            import_module(name)
