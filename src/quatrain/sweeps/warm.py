"""What a process does that was forked with all imports behind it: work on one run."""

import os
import sys
from collections.abc import Mapping
from importlib import import_module
from typing import NoReturn

from quatrain.core.asking import ignore
from quatrain.core.bound import die_with_parent
from quatrain.runs.processes import STARTER_VARIABLE

PATH = list(sys.path)
"""Where the forkserver imports from: not the launch folder, whatever the sweep's own process may do."""

SERVER = os.getpid()
"""The forkserver, which imports this before it forks."""


def run(run_dir: str, environment: Mapping[str, str], words: str, module: str) -> NoReturn:
    """Do in a forked process what ``python -m module run_dir`` does, and end it with the worker's exit code.

    ``environment`` takes the place of the forkserver's, and ``words`` is a file for standard output and error.
    """
    if die_with_parent() and os.getppid() != SERVER:  # it died before that was settled
        os._exit(128 + 9)
    os.setpgid(0, 0)  # a terminal's Ctrl-C is handed on by the sweep, once
    output = os.open(words, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    for descriptor in (1, 2):
        os.dup2(output, descriptor)
    os.close(output)
    os.environ.clear()
    os.environ.update(environment)
    os.environ[STARTER_VARIABLE] = str(os.getppid())
    sys.path[:] = PATH
    sys.argv[:] = [module, run_dir]
    ended = import_module(module).main([run_dir])
    ignore()
    sys.exit(ended)
