"""Whether a process is still the one that it was: its number alone may have gone to another."""

import os
import subprocess
from pathlib import Path


def start_of(pid: int) -> str | None:
    """When the process began, as a word that no later process of that number shares; None where there is none.

    A process that has ended and waits to be collected counts as gone.
    """
    if Path("/proc/self/stat").exists():
        return _linux(pid)
    try:
        found = subprocess.run(
            ["ps", "-o", "stat=,lstart=", "-p", str(pid)], capture_output=True, text=True, timeout=5, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return "unknown" if _answers(pid) else None
    state, _, start = found.stdout.strip().partition(" ")
    return start.strip() if start and not state.startswith("Z") else None


def is_alive(pid: int, start: str) -> bool:
    """Whether the process ``pid`` that began at ``start`` runs on this machine."""
    return start_of(pid) == start


def _linux(pid: int) -> str | None:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return None
    # the name stands in parentheses and may hold anything; state is field 3, the start in clock ticks field 22
    fields = stat.rpartition(")")[2].split()
    return None if fields[0] in "ZX" else f"{boot[:8]}-{fields[19]}"


def _answers(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
