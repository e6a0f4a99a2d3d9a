"""quatrain reproduce: run a run again from its directory, and tell whether it came out the same to the bit.

    quatrain reproduce outputs/quick_windows/20261122-030000-default-0123abcd
    quatrain reproduce RUN --exact --dir again

Compares every logged loss, score, gradient norm and learning rate, and the exported weights; tells the first step that
differs, by how much, and what differs in the surroundings; and writes reproduction.json into the new run directory.
Exit code 0: identical; 1: not identical; 2: refused before training.
"""

import os
import shutil
import signal
import sys
import threading
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from quatrain.core.exit_codes import REFUSED
from quatrain.core.terminal import one_line
from quatrain.runs.directory import RunDirectory, load_run

IDENTICAL, DIFFERENT = 0, 1
POLL_SECONDS = 0.1


def main(arguments: list[str]) -> int:
    """Run ``quatrain reproduce``; return its exit code."""
    from quatrain.commands.arguments import arguments_of, read_arguments

    parser = arguments_of("reproduce", __doc__)
    parser.add_argument("run", metavar="RUN", help="the run directory")
    parser.add_argument("--exact", action="store_true", help="turn PyTorch's deterministic algorithms on")
    parser.add_argument("--dir", metavar="DIR", help="the new run directory; without it one beside RUN")
    asked = read_arguments(parser, arguments)
    if asked is None:
        return 0
    place = Path(asked.dir).expanduser() if asked.dir else None
    return reproduce(load_run(asked.run), exact=asked.exact, place=place)


def reproduce(original: RunDirectory, *, exact: bool = False, place: Path | None = None) -> int:
    """Run ``original`` again in a new directory and print the verdict; return the exit code.

    An original that did not come to its end is run again until beyond its last step. A run that is refused leaves
    nothing behind.

    Raises:
        UserError: the run cannot be read, its config is refused, or ``place`` is taken.
    """
    from quatrain.config.check import check
    from quatrain.runs.attempts import work
    from quatrain.runs.reproduce import again, folder_for, last_step
    from quatrain.runs.verdict import judge

    check(original.read_config())
    end = last_step(original)
    plan = again(original, exact=exact, place=place)
    check(plan.config)
    folder = folder_for(original, place)
    new = RunDirectory.create(folder, plan.config, original.read_overrides(), numbered=place is None)
    _tell(f"running {original.path} again in {new.path}", *plan.notes)
    watch = Watch(original, new, plan.pinned, until=None if original.status().status == "done" else end)
    with watch:
        code = work(new, environment=plan.environment)
    if code == REFUSED:
        shutil.rmtree(new.path)
        return code
    if new.status().status == "interrupted" and not watch.stopped:
        _tell(f"interrupted before there was a verdict; what was done so far lies in {new.path}")
        return code
    verdict = judge(original, new, plan.pinned, stopped=watch.stopped)
    print("", *map(one_line, [f"reproduced in {new.path}", *verdict.lines()]), sep="\n")
    return IDENTICAL if verdict.identical else DIFFERENT


class Watch:
    """Looks on at a reproduction in a thread, within its block.

    What differs is said as soon as the worker has recorded it, which is before it trains. The worker is stopped, by
    SIGTERM, when it has logged a step beyond ``until``; then ``stopped`` is true.
    """

    def __init__(
        self, original: RunDirectory, new: RunDirectory, pinned: Mapping[str, Any], *, until: int | None
    ) -> None:
        self.original = original
        self.new = new
        self.pinned = pinned
        self.until = until
        self.stopped = False
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._look, name="watch-reproduction", daemon=True)

    def __enter__(self) -> "Watch":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def _look(self) -> None:
        from quatrain.runs.recorded import newest_step

        while not self.new.provenance.exists():
            if self._ended.wait(POLL_SECONDS):
                return
        self._tell_causes()
        while self.until is not None and not self._ended.wait(POLL_SECONDS):
            if newest_step(self.new.metrics_file) > self.until:
                self._stop()
                return

    def _tell_causes(self) -> None:
        from quatrain.runs.verdict import causes, told

        surroundings, config = causes(self.original, self.new, self.pinned)
        _tell(*told("the original ran with another config", config), *told("the surroundings differ", surroundings))

    def _stop(self) -> None:
        worker = self.new.status()
        if worker.status == "running":
            self.stopped = True
            with suppress(ProcessLookupError):
                os.kill(worker.pid, signal.SIGTERM)


def _tell(*lines: str) -> None:
    for line in lines:
        print(one_line(line), file=sys.stderr, flush=True)
