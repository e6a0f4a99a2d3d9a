"""What a sweep says when it has ended: how many are done, each failure's sentence and log, and the best."""

import shlex
import sys
from collections.abc import Sequence
from pathlib import Path

from quatrain.compare.per_token import per_token_notes
from quatrain.core.exit_codes import DONE, FAILED
from quatrain.core.terminal import one_line
from quatrain.runs.listing import shown_path
from quatrain.sweeps.best import Best, score
from quatrain.sweeps.job import Ended
from quatrain.sweeps.progress import label
from quatrain.sweeps.workers import CONSOLE


def tell_end(jobs: Sequence[Ended], folder: Path, *, total: int, with_best: bool = True) -> int:
    """Print how the jobs of a sweep of ``total`` ended, on standard error; return the exit code: 1 where not all did.

    A job that was killed from outside, as systems do when memory runs out, has failed too, though it can go on.
    """
    failed = sorted((job for job in jobs if job.status in ("failed", "interrupted")), key=lambda job: job.job.number)
    if failed:
        print("failed", file=sys.stderr)
    for job in failed:
        print(one_line(f"  job {job.job.number}, {label(job.job)}: {job.why or ''}"), file=sys.stderr)
        if log := _log(job):
            print(one_line(f"    {log}"), file=sys.stderr)
    best: Best | None = None
    for job in jobs:
        best = Best.of(best, job)
    done = sum(job.status == "done" for job in jobs)
    pruned = sum(job.status == "pruned" for job in jobs)
    sums = [f"{done} of {total} jobs done"]
    sums += [f"{pruned} pruned"] if pruned else []
    sums += [f"{len(failed)} failed"] if failed else []
    sums += [f"{total - len(jobs)} not started"] if total > len(jobs) else []
    print(", ".join(sums), file=sys.stderr)
    if with_best and best and best.ended.run:
        print(one_line(f"best: {best}, in {shown_path(best.ended.run.path)}"), file=sys.stderr)
        for note in _notes(best.score.metric, jobs):
            print(one_line(note), file=sys.stderr)
    print(one_line(f"compare them: quatrain compare {shlex.quote(shown_path(folder))}"), file=sys.stderr)
    return FAILED if failed or total > len(jobs) else DONE


def _notes(metric: str, jobs: Sequence[Ended]) -> list[str]:
    """What must be known of the best: whether ``metric`` tells it at all."""
    results = [job.result or {} for job in jobs if job.status == "done" and score(job)]
    told = [one for one in results if isinstance(one.get("config"), dict)]
    shared = set.intersection(*(set(one["best"]) for one in told)) if told else set()
    return per_token_notes(metric, [one["config"] for one in told], shared)


def _log(ended: Ended) -> str:
    """The log that tells more of a failure; none where there is no folder."""
    if ended.run is None:
        return ""
    console = ended.run.path / CONSOLE
    return shown_path(ended.run.log if ended.run.log.exists() else console)
