"""Hugging Face models from weights or from a config, what they cost, and what of them is trained. Knows no Lightning.

Importing this package or `checks`, `config_words`, `recipe`, `sizes` and `sources` loads no torch.
"""
