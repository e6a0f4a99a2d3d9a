"""Comparing what runs came to: grouped over seeds, with intervals, tests and plots."""
