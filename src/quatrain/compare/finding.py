"""Which result files lie below the folders that a user names."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from quatrain.core.errors import UserError
from quatrain.runs.walk import RESULT, run_folders

MOST_RESULTS = 20_000
_NAME = re.compile(r"(?P<time>\d{8}-\d{6}-)?.*?-[0-9a-f]{8}(?:-(?P<number>\d+))?")


@dataclass(frozen=True)
class Found:
    """A result file, the folder that the user named above it, and that folder's place in the command."""

    path: Path
    folder: str
    place: int

    @property
    def age(self) -> tuple[int, str, str, int, str]:
        """Sorts results of one experiment and seed from the oldest to the newest, by the names of their folders."""
        run = self.path.parent
        said = _NAME.fullmatch(run.name)
        time, number = (said["time"] or "", int(said["number"] or 1)) if said else ("", 1)
        return self.place, str(run.parent), time, number, run.name


@dataclass(frozen=True)
class Finding:
    """What lies below the folders: results, run directories that have none, and folders that cannot be looked into."""

    results: list[Found]
    unfinished: list[Path]
    closed: list[str]


def find(folders: Sequence[str]) -> Finding:
    """Look for results in ``folders`` and all folders below; what several of them hold is found once.

    Attempts that were set aside and hidden folders are passed by; links to folders are not followed.

    Raises:
        UserError: a folder does not exist, or there are more than `MOST_RESULTS` results.
    """
    if missing := [folder for folder in folders if not Path(folder).expanduser().is_dir()]:
        raise UserError(
            f"There is no folder {folder}; name the folder of a sweep, of a run, or one that holds such folders."
            for folder in missing
        )
    finding = Finding([], [], [])
    seen: set[Path] = set()
    for place, folder in enumerate(folders):
        for run in run_folders(Path(folder).expanduser(), finding.closed):
            if (real := run.path.resolve()) in seen:
                continue
            seen.add(real)
            if not run.has_result:
                finding.unfinished.append(run.path)
                continue
            finding.results.append(Found(run.path / RESULT, folder, place))
            if len(finding.results) > MOST_RESULTS:
                raise UserError(
                    f"Below {', '.join(folders)} lie more than {MOST_RESULTS:,} results; name fewer folders."
                )
    return finding
