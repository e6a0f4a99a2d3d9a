"""The report of a sweep that has ended."""

import sys
from collections.abc import Sequence
from pathlib import Path

from quatrain.core.terminal import one_line
from quatrain.runs.listing import shown_path
from quatrain.sweeps.job import Ended


def report_end(jobs: Sequence[Ended], folder: Path, *, total: int) -> None:
    """Write the page of a sweep of ``total`` jobs where they ask for reports, and say on standard error where it lies.

    What fails is told in a sentence, and fails nothing.
    """
    if not any(job.job.config["run"]["report"] for job in jobs):
        return
    from quatrain.report.sweep_report import write_sweep_report

    try:
        said = f"report: {shown_path(write_sweep_report(folder, not_started=total - len(jobs)))}"
    except Exception as error:  # of whatever kind: the jobs have ended as they have
        why = " ".join(str(error).split()) or type(error).__name__
        said = f"No report of the sweep is written: {why} Again with: quatrain report {folder}"
    print(one_line(said), file=sys.stderr)
