"""quatrain clean: remove what is of no use any more. Shows what would go; removes it with --yes.

    quatrain clean --status failed,interrupted          whole runs of these, below outputs
    quatrain clean outputs/sweeps/NAME --status pruned --older-than 7d --yes
    quatrain clean --checkpoints                        of done runs all checkpoints but the best
    quatrain clean --leftovers                          what killed processes and failed attempts left
    quatrain clean --cache --older-than 30d             prepared data that no run asked for since

Never removed: a run that somebody works on, what a link leads to, a run in whose folder a file of yours lies (below
export/, checkpoints/ and its other folders all counts as the run's), and, unless --status names done, a best checkpoint
or an export of a done run.
"""

import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from quatrain.core.errors import UserError
from quatrain.core.exit_codes import DONE, FAILED

if TYPE_CHECKING:
    from quatrain.runs.removable import Removable

CACHE_AGE = 30 * 86400.0
"""Seconds that prepared data is kept where --older-than says nothing."""


def main(arguments: list[str]) -> int:
    """Run ``quatrain clean``; return its exit code: 1 where something could not be removed."""
    from quatrain.commands.arguments import arguments_of, read_arguments

    parser = arguments_of("clean", __doc__)
    parser.add_argument("folders", metavar="FOLDER", nargs="*", help="a run, a sweep, or what holds them; else outputs")
    parser.add_argument("--status", metavar="NAME,...", help="whole runs: failed, interrupted, pruned, queued, done")
    parser.add_argument("--checkpoints", action="store_true", help="of done runs all checkpoints but the best")
    parser.add_argument("--leftovers", action="store_true", help="temporary files of killed processes, old attempts")
    parser.add_argument("--cache", action="store_true", help="prepared data that was not used for 30 days")
    parser.add_argument("--older-than", metavar="AGE", help="only what has been so for 30d; also 90m, 12h, 2w")
    parser.add_argument("--yes", action="store_true", help="remove it; without it what would go is shown")
    asked = read_arguments(parser, arguments)
    if asked is None:
        return DONE
    from quatrain.core.terminal import one_line

    found, told = _select(asked)
    if found:
        _show(found)
    for sentence in [*told, *_consequences(found)]:
        print(one_line(sentence), file=sys.stderr)
    if not found:
        print("nothing to remove", file=sys.stderr)
        return DONE
    if not (asked.yes or _agreed()):
        print("nothing was removed; --yes removes it", file=sys.stderr)
        return DONE
    return _remove(found)


def _select(asked: Any) -> tuple[list["Removable"], list[str]]:
    """What was asked for.

    Raises:
        UserError: nothing was, or an argument is wrong.
    """
    from quatrain.commands.statuses import read_statuses
    from quatrain.runs.units import read_age

    statuses, wrong = read_statuses(asked.status)
    if not (statuses or asked.checkpoints or asked.leftovers or asked.cache):
        wrong.append(
            "quatrain clean removes what is selected, and nothing is; name --status failed,interrupted, --checkpoints,"
            " --leftovers or --cache."
        )
    if "running" in (statuses or ()):
        wrong.append("--status running: a run that somebody works on is never removed; end it first.")
    age = None
    try:
        age = None if asked.older_than is None else read_age(asked.older_than, "--older-than")
    except UserError as error:
        wrong += error.sentences
    if asked.folders and not (statuses or asked.checkpoints or asked.leftovers) and asked.cache:
        wrong.append("--cache is of no FOLDER, for all runs share it; leave the folders out.")
    links = [folder for folder in asked.folders if Path(folder).expanduser().is_symlink()]
    wrong += [f"{folder} is a link, and nothing is removed through links; name the folder itself." for folder in links]
    if wrong:
        raise UserError(wrong)
    found, told = list["Removable"](), list[str]()
    if statuses or asked.checkpoints or asked.leftovers:
        found, told = _of_runs(asked, statuses or (), age or 0.0)
    return [*found, *(_of_cache(CACHE_AGE if age is None else age) if asked.cache else [])], told


def _of_runs(asked: Any, statuses: Sequence[str], age: float) -> tuple[list["Removable"], list[str]]:
    from quatrain.runs.inventory import take_inventory
    from quatrain.runs.leftovers import leftovers
    from quatrain.runs.removable import removable_runs, spare_checkpoints

    folders = [Path(folder).expanduser() for folder in asked.folders or ["outputs"]]
    inventory, now = take_inventory([str(folder) for folder in folders]), time.time()
    found, told = removable_runs(inventory.entries, statuses, age, now)
    whole = {one.paths[0] for one in found}
    rest = [entry for entry in inventory.entries if entry.path not in whole]
    if asked.checkpoints:
        spare, left = spare_checkpoints(rest, age, now)
        found, told = [*found, *spare], [*told, *left]
    if asked.leftovers:
        found += [one for one in leftovers(folders, age) if not whole & set(one.paths[0].parents)]
    damaged = [why for _, why in inventory.damaged]
    return found, [*told, *(f"{why} It is left." for why in damaged), *inventory.told]


def _of_cache(age: float) -> list["Removable"]:
    from quatrain.corpora.cache import cache_folder
    from quatrain.data.unused import unused
    from quatrain.runs.disk import freed
    from quatrain.runs.removable import Removable

    return [
        Removable("cache", (one.place,), freed([one.place]), f"prepared {one.kind}", prepared=one)
        for one in unused(cache_folder(), time.time() - age)
    ]


def _show(found: Sequence["Removable"]) -> None:
    """What would go, a line each, and the sum."""
    from quatrain.core.terminal import one_line
    from quatrain.runs.listing import shown_path
    from quatrain.runs.units import in_bytes

    lines = [(in_bytes(one.bytes), one.what, shown_path(one.place)) for one in found]
    widths = [max(len(line[place]) for line in lines) for place in range(2)]
    for size, what, path in lines:
        print(f"{size:>{widths[0]}}  {what:<{widths[1]}}  {one_line(path)}")
    count = "1 thing" if len(found) == 1 else f"{len(found):,} things"
    print(f"{count}, {in_bytes(sum(one.bytes for one in found))} in all", flush=True)


def _consequences(found: Sequence["Removable"]) -> list[str]:
    """What nobody should learn afterwards."""
    from quatrain.runs.leftovers import attempts_of
    from quatrain.runs.listing import shown_path
    from quatrain.runs.walk import CLAIMS

    runs = [one for one in found if one.kind == "run"]
    told = [f"{shown_path(one.run.path)}: {one.lost}" for one in found if one.lost and one.run]
    if going_on := sum(one.status == "interrupted" for one in runs):
        told.append(f"quatrain resume could still go on with the interrupted ({going_on:,}).")
    if done := sum(one.status == "done" for one in runs):
        told.append(f"Of the done ({done:,}) the export and the best checkpoint go too.")
    going = {one.place for one in found}
    if aside := sum(attempt not in going for one in runs for attempt in attempts_of(one.place)):
        what = "1 attempt of theirs that was" if aside == 1 else f"{aside:,} attempts of theirs that were"
        told.append(f"{what} set aside will stay; --leftovers takes such too.")
    if any((one.paths[0].parent / CLAIMS).is_dir() for one in runs):
        told.append(
            "The same sweep command runs a job again whose folder is gone; a trial of a search keeps its score in the"
            " study, and only one that failed or was interrupted is run again."
        )
    return told


def _agreed() -> bool:
    """Whether a person at the terminal types yes."""
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        return False
    print("Remove all of this? Type yes: ", end="", file=sys.stderr, flush=True)
    with suppress(EOFError):
        return input().strip().lower() == "yes"
    return False


def _remove(found: Sequence["Removable"]) -> int:
    from quatrain.runs.units import in_bytes
    from quatrain.sweeps.unclaimed import unclaimed

    freed, failed = 0, 0
    for one in found:
        try:
            one.remove(unclaimed)
            freed += one.bytes
        except UserError as error:
            failed += 1
            for sentence in error.sentences:
                print(f"error: {sentence}", file=sys.stderr)
    print(f"removed {len(found) - failed:,} of {len(found):,}, {in_bytes(freed)}", file=sys.stderr)
    return FAILED if failed else DONE
