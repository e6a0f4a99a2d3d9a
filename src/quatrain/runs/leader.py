"""Which process of a run speaks and writes."""

import logging
import os
import sys
from contextlib import suppress

from quatrain.core.secrets import redact_text
from quatrain.core.terminal import printable

log = logging.getLogger("quatrain.run")


def global_rank() -> int:
    """This process's number among all of the run, as torchrun, Slurm or Lightning has set it."""
    for name in ("RANK", "SLURM_PROCID", "LOCAL_RANK"):
        if os.environ.get(name, "").isdecimal():
            return int(os.environ[name])
    return 0


def is_leader() -> bool:
    """Whether this process is the one that writes."""
    return global_rank() == 0


def tell(*lines: str) -> None:
    """Print lines for the eye on the leading rank, and keep them in the log."""
    for line in lines:
        log.info(line)
        if is_leader():
            with suppress(OSError):  # nobody listens any more
                print(printable(redact_text(line)), file=sys.stderr, flush=True)
