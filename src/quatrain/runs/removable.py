"""What may be removed of the runs below some folders: chosen by what was asked for, with its size and what is lost."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from quatrain.core.errors import UserError
from quatrain.data.unused import Unused, forget
from quatrain.runs.directory import RunDirectory
from quatrain.runs.disk import freed
from quatrain.runs.inventory import Entry
from quatrain.runs.removal import Guard, remove_checkpoints, remove_leftover, remove_run, strangers
from quatrain.runs.run_files import BEST, LAST, best_step, checkpoints_in

Kind = Literal["run", "checkpoints", "leftover", "cache"]


@dataclass(frozen=True)
class Removable:
    """Files and folders that go together; ``what`` says in words what they are, and ``lost`` what cannot be done
    without them."""

    kind: Kind
    paths: tuple[Path, ...]
    bytes: int
    what: str
    lost: str = ""
    run: RunDirectory | None = None
    status: str = ""
    prepared: Unused | None = None

    @property
    def place(self) -> Path:
        """Where it lies; of checkpoints their folder."""
        return self.paths[0].parent if self.kind == "checkpoints" else self.paths[0]

    def remove(self, guard: Guard) -> None:
        """Delete it.

        Raises:
            UserError: somebody works there, or it is not what it was any more.
            NotNow: it cannot be deleted.
        """
        if self.prepared is not None:
            if not forget(self.prepared):
                raise UserError(f"{self.prepared.place} was asked for just now; it is left.")
        elif self.run is None:
            remove_leftover(self.paths[0])
        elif self.kind == "run":
            remove_run(self.run, self.status, guard=guard)
        else:
            remove_checkpoints(self.run, self.paths, guard=guard)


def removable_runs(
    entries: Iterable[Entry], statuses: Iterable[str], older_than: float, now: float
) -> tuple[list[Removable], list[str]]:
    """Whole runs of one of ``statuses`` that have been so for ``older_than`` seconds; and sentences on those that are
    left although they are."""
    found, told = list[Removable](), list[str]()
    for entry in entries:
        if entry.status.status not in statuses or entry.age(now) < older_than:
            continue
        if names := strangers(entry.path):
            told.append(f"{entry.path} is left, for it holds what no run wrote: {', '.join(names[:5])}.")
            continue
        status = entry.status.status
        found.append(
            Removable(
                "run",
                (entry.path,),
                freed([entry.path]),
                f"{status} run",
                run=RunDirectory(entry.path),
                status=status,
            )
        )
    return found, told


def spare_checkpoints(entries: Iterable[Entry], older_than: float, now: float) -> tuple[list[Removable], list[str]]:
    """Of each run that has been done for ``older_than`` seconds the checkpoints but the best one."""
    found, told = list[Removable](), list[str]()
    for entry in entries:
        if entry.status.status != "done" or entry.age(now) < older_than:
            continue
        try:
            found += _spare(RunDirectory(entry.path))
        except UserError as error:
            told += error.sentences
    return found, told


def _spare(run: RunDirectory) -> Iterator[Removable]:
    there = checkpoints_in(run)
    best = best_step(run)
    kept = [one for one in there if one.best]
    spare = [one for one in there if not one.best]
    if not spare:
        return
    if not kept or best is None:
        raise UserError(f"{run.checkpoints} is left, for the best checkpoint is not among those in it.")
    names = [run.checkpoints / LAST] if any(one.last for one in spare) else []
    if (run.checkpoints / LAST).is_file() and not any(one.last for one in there):
        names = [run.checkpoints / LAST]  # a copy, where the file system knows no second names
    last = max(one.step for one in spare)
    lost = f"it can be trained on from step {best:,} only, not from {last:,}" if last > best else ""
    paths = (*names, *(one.path for one in spare))
    assert run.checkpoints / BEST not in paths
    what = f"{len(spare)} checkpoint{'s' if len(spare) > 1 else ''} beside the best"
    yield Removable("checkpoints", paths, freed(list(paths)), what, lost, run=run, status="done")
