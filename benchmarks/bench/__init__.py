"""Ours and what a user would take instead, measured side by side; `benchmarks/run.py` is the command."""
