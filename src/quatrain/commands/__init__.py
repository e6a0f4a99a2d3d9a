"""One small file for each command; heavy imports inside the functions."""
