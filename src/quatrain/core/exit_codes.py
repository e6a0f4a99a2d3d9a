"""What the exit code of a command and of a worker tells a script."""

DONE = 0
FAILED = 1
REFUSED = 2
"""The input was refused before any work."""

INTERRUPTED = 75
"""A signal ended the run and it can go on: the code that sendmail's sysexits.h calls a temporary failure."""

KILLED = 130
"""A second Ctrl-C: the shells' code for a process that SIGINT ended."""
