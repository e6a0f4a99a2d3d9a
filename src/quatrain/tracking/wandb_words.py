"""What W&B would print goes to the log; whether an upload failed for good can be asked afterwards."""

import logging

log = logging.getLogger("quatrain.wandb")

FATAL = "Fatal error while uploading"
"""What W&B's warning says when it gives an upload up; it says so in no other way."""


class Words:
    """Takes W&B's messages in place of the terminal."""

    def __init__(self) -> None:
        self.upload_failed = False

    def info(self, msg: str) -> None:
        """Keep it in the log."""
        log.info(msg)

    def warning(self, msg: str) -> None:
        """Keep it in the log, and note a failed upload."""
        self.upload_failed |= FATAL in msg
        log.warning(msg)

    def error(self, msg: str) -> None:
        """Keep it in the log."""
        log.error(msg)


WORDS = Words()
"""W&B prints in one place for a whole process."""
