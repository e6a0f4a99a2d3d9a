"""Composing, checking and freezing experiments. The only room that knows Hydra."""
