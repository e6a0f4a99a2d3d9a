"""What a search found: the best trial, printed and kept beside the study."""

import shlex
from collections.abc import Callable
from pathlib import Path

import yaml

from quatrain.compare.study_notes import FOLDER, MONITOR, SAME_AS
from quatrain.core.atomic_files import write_whole
from quatrain.runs.naming import NOT_IDENTITY
from quatrain.sweeps.search import Search
from quatrain.sweeps.space import overrides_of

FILE = "best.yaml"
STATES = {"complete": "COMPLETE", "pruned": "PRUNED", "failed": "FAIL", "under way": "RUNNING"}


def conclude_search(search: Search, tell: Callable[[str], None]) -> None:
    """Say how many trials there are and which is best, and write ``best.yaml`` into the sweep's folder.

    That file holds the trial's number, its value, its folder, and the overrides that run it alone.
    """
    with search.trials.held():
        counts = {name: len(search.trials.of_state(state)) for name, state in STATES.items()}
        counts["refused"] = len(search.trials.refused())
        counts["pruned"] -= counts["refused"]
        best = search.trials.best()
    there = ", ".join(f"{count} {name}" for name, count in counts.items() if count)
    tell(f"search: {there or 'no trial'} of {search.wanted}")
    if best is None:
        return
    given = overrides_of(search.space, best.params)
    alone = [text for text in search.fixed if text.lstrip("+~").split("=")[0].split(".")[0] not in NOT_IDENTITY]
    first = search.trials.all()[best.user_attrs.get(SAME_AS, best.number)]
    place, name = search.folder / str(first.user_attrs[FOLDER]), first.user_attrs[MONITOR]
    content = {
        "trial": best.number,
        "monitor": name,
        "value": best.value,
        "folder": place.name,
        "overrides": [*alone, *given],
    }
    head = f"# {shlex.join(['quatrain', 'train', *alone, *given])}\n"
    write_whole(search.folder / FILE, head + yaml.safe_dump(content, sort_keys=False, allow_unicode=True, width=120))
    tell(f"best: trial {best.number}, {name} {best.value:.6g}, {' '.join(given)}")
    tell(f"  {place}")
    tell(f"  {Path(search.folder) / FILE} holds the overrides that run it")
