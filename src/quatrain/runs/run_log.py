"""``run.log``: what libraries say, warnings and tracebacks, so that the terminal stays calm."""

import logging
import os
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType

from quatrain.core.secrets import redact_text
from quatrain.core.terminal import printable

FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"
OWN_HANDLERS = ("pytorch_lightning", "lightning_fabric", "lightning", "transformers", "datasets", "huggingface_hub")
"""Libraries that write to the terminal by handlers of their own."""

OF_NO_USE = (
    # windows are full, or padded at their end, where no token of a causal model looks
    ("transformers.modeling_utils", "We strongly recommend passing in an `attention_mask`"),
)
"""What libraries log that means nothing here: the logger, and how the entry begins; each with its reason."""


class OfUse(logging.Filter):
    """Lets pass what is not `OF_NO_USE`."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the entry is kept."""
        return not any(record.name == name and str(record.msg).startswith(begin) for name, begin in OF_NO_USE)


class Redacting(logging.Formatter):
    """Hides secrets in messages, tracebacks and stacks, and escapes what would command a terminal that shows them."""

    def format(self, record: logging.LogRecord) -> str:
        """The whole entry."""
        return printable(redact_text(super().format(record)))


@contextmanager
def run_log(path: Path, *, rank: int = 0) -> Iterator[None]:
    """Within the block, everything logged and warned of goes to ``path``.

    On other ranks than 0 warnings and errors alone, to a file beside it such as ``run.rank1.log``.

    Secrets are hidden in what is written. The file is appended to, so that a resumed run goes on in it. An exception
    that leaves the block is logged with its traceback and goes on. Nothing of this reaches the terminal.
    """
    handler = logging.FileHandler(log_of(path, rank), encoding="utf-8", delay=True)
    handler.setFormatter(Redacting(FORMAT))
    handler.addFilter(OfUse())
    handler.setLevel(logging.INFO if rank == 0 else logging.WARNING)
    root = logging.getLogger()
    before = (root.handlers[:], root.level, warnings.showwarning)
    root.handlers[:] = [handler]
    root.setLevel(logging.INFO)
    logging.captureWarnings(True)
    if not sys.stderr.isatty():  # a bar that is redrawn is of use on a terminal only; read when datasets is imported
        os.environ.setdefault("HF_DATASETS_DISABLE_PROGRESS_BARS", "1")
    quiet_libraries()
    try:
        yield
    except BaseException as error:
        log_exception(error)
        raise
    finally:
        logging.captureWarnings(False)
        root.handlers[:], warnings.showwarning = before[0], before[2]
        root.setLevel(before[1])
        handler.close()


def log_of(path: Path, rank: int) -> Path:
    """Where a rank logs, if rank 0 logs to ``path``."""
    return path if rank == 0 else path.with_name(f"{path.stem}.rank{rank}{path.suffix}")


def log_exception(error: BaseException) -> None:
    """Write ``error`` and its traceback to the log."""
    kind: tuple[type[BaseException], BaseException, TracebackType | None] = (type(error), error, error.__traceback__)
    logging.getLogger("quatrain").error("The run ended by an exception.", exc_info=kind)


def quiet_libraries() -> None:
    """Take the libraries' own handlers and progress bars away, so that what they log goes where the root's does.

    Only libraries that are imported already are touched; call it again after importing others.
    """
    for name in OWN_HANDLERS:
        logger = logging.getLogger(name)
        logger.handlers[:] = []
        logger.propagate = True
    if "transformers" in sys.modules:
        from transformers.utils import logging as transformers_logging

        transformers_logging.disable_progress_bar()
    if "datasets" in sys.modules:
        import datasets

        datasets.disable_progress_bars()
    if "huggingface_hub" in sys.modules:
        from huggingface_hub.utils.tqdm import disable_progress_bars

        disable_progress_bars()
