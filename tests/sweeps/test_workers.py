"""Proves with real processes what `quatrain.sweeps.workers` promises: of forked workers, and of cold ones.

The sweeps and their workers are pretended; the forkserver is real but imports next to nothing.
"""

import json
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from quatrain.runs.identity import start_of

SweepOf = Callable[..., "subprocess.Popen[str]"]
Told = Callable[["subprocess.Popen[str]"], dict[str, Any]]

SLEEPS = """
import os, pathlib, time
from quatrain.runs.processes import end_with_parent
def main(arguments):
    end_with_parent()
    (pathlib.Path(arguments[0]) / "pid").write_text(str(os.getpid()))
    time.sleep(60)
"""


def test_twenty_starts_from_four_threads_at_once(sweep_of: SweepOf, told: Told) -> None:
    """Each gets the exit code of its own worker, by a signal too."""
    process = sweep_of(
        """
codes = {}
def four(first):
    for number in range(first, 21, 4):
        codes[number] = slot_of(cold=False).start(folder(str(number)))
threads = [begin(four, first) for first in range(1, 5)]
for thread in threads:
    thread.join()
say(codes=codes)
""",
        """
import os, pathlib, signal
def main(arguments):
    number = int(pathlib.Path(arguments[0]).name)
    if number == 20:
        os.kill(os.getpid(), signal.SIGKILL)
    return number
""",
    )
    expected = {str(number): number for number in range(1, 20)} | {"20": 137}
    assert told(process)["codes"] == expected


SEES = """
import importlib.util, json, os, pathlib, signal, sys
def main(arguments):
    print("said on standard output")
    print("said on standard error", file=sys.stderr)
    blocked = sorted(signal.pthread_sigmask(signal.SIG_BLOCK, []))
    seen = {
        "environment": dict(os.environ), "words": sys.argv, "folder": os.getcwd(), "group": os.getpgid(0),
        "pid": os.getpid(), "parent": os.getppid(), "blocked": [int(number) for number in blocked],
        "stray": importlib.util.find_spec("stray") is not None, "terminal": sys.stdin.isatty(),
        "interrupt": signal.getsignal(signal.SIGINT) is signal.default_int_handler,
    }
    (pathlib.Path(arguments[0]) / "seen").write_text(json.dumps(seen))
    return 0
"""


@pytest.mark.parametrize("cold", [False, True])
@pytest.mark.parametrize("allowed", [False, True])
def test_what_a_worker_finds(sweep_of: SweepOf, told: Told, tmp_path: Path, runs: Path, cold: bool, allowed: bool):  # type: ignore[no-untyped-def]
    """The sweep's variables as they are now and its own, nothing of the forkserver's; the launch folder to import from
    only where classes of the user's own are allowed, though `python -m` in it puts it first; a console of its own."""
    launched = tmp_path / "launched"
    launched.mkdir()
    (launched / "stray.py").touch()
    process = sweep_of(
        f"""
os.environ.pop("WITHDRAWN")
os.environ["ADDED"] = "later"
def one():
    codes.append(slot_of(cold={cold}).start(folder("one"), environment={{"OMP_NUM_THREADS": "7"}}))
codes = []
begin(one).join()
from quatrain.runs.processes import worker_environment
say(code=codes[0], expected=worker_environment({{"OMP_NUM_THREADS": "7"}}), pid=os.getpid())
""",
        SEES,
        cwd=launched,
        WITHDRAWN="before",
        RANK="3",
        **({"QUATRAIN_ALLOW": "mine"} if allowed else {}),
    )
    said = told(process)
    assert said["code"] == 0
    console = (runs / "one" / "console.log").read_text()
    assert sorted(console.splitlines()) == ["said on standard error", "said on standard output"]
    seen = json.loads((runs / "one" / "seen").read_text())
    variables = seen["environment"]
    assert variables.pop("QUATRAIN_STARTER") == str(seen["parent"])
    del said["expected"]["QUATRAIN_STARTER"]
    variables.pop("LC_CTYPE", None)  # Python's own, where the locale is C
    assert variables == said["expected"]
    assert variables["ADDED"] == "later"
    assert {"WITHDRAWN", "RANK"}.isdisjoint(variables)
    assert seen["words"][1:] == [str(runs / "one")]
    assert seen["folder"] == str(launched)
    assert seen["group"] == seen["pid"]
    assert seen["stray"] == allowed
    assert {signal.SIGTERM, signal.SIGINT, signal.SIGUSR1, signal.SIGUSR2} <= set(seen["blocked"])
    assert seen["interrupt"]


LISTENS = """
import pathlib, time
from quatrain.training.preemption import Stopped, StopRequest
def main(arguments):
    here = pathlib.Path(arguments[0])
    (here / "begun").touch()
    time.sleep(0.3)
    stop = StopRequest()
    stop.deferred = True
    stop.listen()
    time.sleep(0.1)
    return 40 + stop.number
"""


@pytest.mark.parametrize("cold", [False, True])
@pytest.mark.parametrize("moment", ["before it starts", "before it listens"])
def test_a_signal_waits_until_the_worker_listens(sweep_of: SweepOf, told: Told, cold: bool, moment: str) -> None:
    early = moment == "before it starts"
    process = sweep_of(
        f"""
codes = []
if {early}:
    workers.hand_on(signal.SIGTERM)
thread = begin(lambda: codes.append(slot_of(cold={cold}).start(folder("one"))))
if not {early}:
    wait_for((here / "one" / "begun").exists)
    workers.hand_on(signal.SIGTERM)
thread.join()
say(codes=codes)
""",
        LISTENS,
    )
    assert told(process)["codes"] == [40 + signal.SIGTERM]


def test_kill_9_of_the_sweep_ends_workers_and_forkserver(
    sweep_of: SweepOf, told: Told, runs: Path, wait_for: Callable[..., None]
) -> None:
    """Within two seconds; those that were forked, and those that started cold."""
    process = sweep_of(
        """
for name in ("warm", "cold"):
    begin(slot_of(cold=name == "cold").start, folder(name))
wait_for(lambda: all((here / name / "pid").exists() for name in ("warm", "cold")))
from multiprocessing.forkserver import _forkserver
say(server=_forkserver._forkserver_pid)
time.sleep(60)
""",
        SLEEPS,
    )
    server = told(process)["server"]
    wait_for(lambda: all((runs / name / "pid").read_text() for name in ("warm", "cold")))
    pids = [server, *(int((runs / name / "pid").read_text()) for name in ("warm", "cold"))]
    assert all(map(start_of, pids))
    process.kill()
    wait_for(lambda: not any(map(start_of, pids)), 2.0)


@pytest.mark.parametrize("cold", [False, True])
def test_kill_ends_a_worker_at_once(sweep_of: SweepOf, told: Told, cold: bool) -> None:
    """All of them with the code of a second Ctrl-C; one slot's, whose claim was lost, as any that is killed."""
    process = sweep_of(
        f"""
codes = {{}}
def run(name):
    codes[name] = slots[name].start(folder(name))
slots = {{name: slot_of(cold={cold}) for name in ("lost", "other")}}
threads = [begin(run, name) for name in slots]
wait_for(lambda: all((here / name / "pid").exists() for name in slots))
slots["lost"].kill()
threads[0].join()
first = dict(codes)
again = slots["lost"].start(folder("again"))
workers.kill()
threads[1].join()
say(first=first, again=again, codes=codes, begun=(here / "again" / "pid").exists())
""",
        SLEEPS,
    )
    assert told(process) == {"first": {"lost": 137}, "again": 137, "codes": {"lost": 137, "other": 130}, "begun": False}


@pytest.mark.parametrize(("kill", "code"), [("slot.kill()", 137), ("workers.kill()", 130)])
def test_a_worker_is_killed_in_the_midst_of_its_start(sweep_of: SweepOf, told: Told, kill: str, code: int) -> None:
    """The forkserver is stopped while it is asked for a process."""
    process = sweep_of(
        f"""
from multiprocessing.forkserver import _forkserver
os.kill(_forkserver._forkserver_pid, signal.SIGSTOP)
codes, slot = [], slot_of(cold=False)
thread = begin(lambda: codes.append(slot.start(folder("one"))))
wait_for(lambda: workers.starting.locked())
time.sleep(0.1)
{kill}
os.kill(_forkserver._forkserver_pid, signal.SIGCONT)
thread.join()
say(codes=codes)
""",
        SLEEPS,
    )
    assert told(process)["codes"] == [code]


def test_without_the_forkserver_workers_start_cold(sweep_of: SweepOf, told: Told) -> None:
    """Something killed it. Those that it forked end with it, as a killed process does; others are not disturbed."""
    process = sweep_of(
        """
from multiprocessing.forkserver import _forkserver
codes = {}
def run(name):
    codes[name] = slot_of(cold=False).start(folder(name))
first = begin(run, "first")
wait_for((here / "first" / "pid").exists)
os.kill(_forkserver._forkserver_pid, signal.SIGKILL)
first.join()
(here / "quick").touch()
others = [begin(run, name) for name in ("second", "third")]
for thread in others:
    thread.join()
say(codes=codes)
""",
        SLEEPS.replace(
            "    time.sleep(60)",
            "    if pathlib.Path(arguments[0], '..', 'quick').exists():\n        return 5\n    time.sleep(60)",
        ),
    )
    assert told(process)["codes"] == {"first": 255, "second": 5, "third": 5}


def test_kill_waits_for_no_forkserver_that_still_imports(sweep_of: SweepOf, told: Told) -> None:
    """It is stopped, as one that is busy for seconds; those that wait for it end, and start nothing."""
    process = sweep_of(
        """
from multiprocessing.forkserver import _forkserver
os.kill(_forkserver._forkserver_pid, signal.SIGSTOP)
codes = []
threads = [begin(lambda: codes.append(slot_of(cold=False).start(folder("one")))) for _ in range(3)]
wait_for(lambda: workers.starting.locked())
time.sleep(0.1)
began = time.monotonic()
workers.kill()
for thread in threads:
    thread.join()
say(codes=codes, seconds=time.monotonic() - began, begun=(here / "one" / "pid").exists())
""",
        SLEEPS,
    )
    said = told(process)
    assert said["codes"] == [130] * 3
    assert said["seconds"] < 2
    assert not said["begun"]


def test_a_console_that_cannot_be_written_is_an_error_of_the_system(sweep_of: SweepOf, told: Told) -> None:
    """For which the job fails, in a sentence."""
    process = sweep_of(
        """
errors = []
def run(cold):
    try:
        (folder("one") / "console.log").mkdir(exist_ok=True)
        errors.append(slot_of(cold=cold).start(folder("one")))
    except OSError as error:
        errors.append(type(error).__name__)
for cold in (True, False):
    begin(run, cold).join()
say(errors=errors)
""",
        SLEEPS,
    )
    assert told(process)["errors"] == ["IsADirectoryError", "IsADirectoryError"]
