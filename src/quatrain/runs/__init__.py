"""The run directory: its name, its files, where it came from, its export, and the process that works in it."""
