"""Which of W&B's runs a run directory is, kept in it so that a run that goes on is the same there."""

import json
import re
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from quatrain.core.atomic_files import write_whole

FILE = "wandb.json"
_ID = re.compile(r"[A-Za-z0-9_-]{1,128}")
_NAME = re.compile(r"[^/\\#?%:\x00-\x1f]{1,128}")


@dataclass(frozen=True)
class Identity:
    """A run of W&B's: its id, project and entity (None: the default of whoever's key it is), and its page."""

    run_id: str
    project: str | None = None
    entity: str | None = None
    url: str | None = None

    @classmethod
    def of(cls, run: Any) -> "Identity":
        """That of W&B's own ``run``."""
        return cls(run.id, run.project or None, run.entity or None, None if run.offline else run.url)


def read_identity(folder: Path) -> Identity | None:
    """Return what ``folder`` says; None where it says nothing that W&B would take."""
    try:
        said = json.loads((folder / FILE).read_text(encoding="utf-8")[:10_000])
        run_id, project, entity = (said.get(name) for name in ("run_id", "project", "entity"))
    except (OSError, ValueError, AttributeError):
        return None
    if not isinstance(run_id, str) or not _ID.fullmatch(run_id):
        return None
    return Identity(run_id, _name(project), _name(entity))


def write_identity(folder: Path, identity: Identity) -> None:
    """Keep ``identity`` in ``folder``.

    Raises:
        OSError: it cannot be written.
    """
    write_whole(folder / FILE, json.dumps(asdict(identity), indent=2) + "\n")


def _name(value: Any) -> str | None:
    return value if isinstance(value, str) and _NAME.fullmatch(value) else None
