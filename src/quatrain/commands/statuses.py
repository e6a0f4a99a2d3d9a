"""Reading ``--status done,failed``."""

from typing import get_args

from quatrain.runs.directory import State


def read_statuses(text: str | None) -> tuple[list[str] | None, list[str]]:
    """Return the statuses that ``text`` lists (None: it is not given) and a sentence for each that is none."""
    if text is None:
        return None, []
    known = get_args(State)
    names = [name.strip() for name in text.split(",")]
    wrong = [f"--status {name}: there is no such status; one of {', '.join(known)}." for name in names]
    return names, [sentence for name, sentence in zip(names, wrong, strict=True) if name not in known]
