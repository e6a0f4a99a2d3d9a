"""Hydra finds launchers and sweepers here; what they do lives in quatrain.config."""
