"""Experiments of my own: data, a model, and what a config names of them by ``_target_``."""
