"""Batches from text: sentence pairs, masked text, windows; prepared once, fetched by key, the same on every rank."""
