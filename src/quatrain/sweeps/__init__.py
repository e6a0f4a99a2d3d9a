"""Running the jobs of a sweep: each once, side by side, again where it failed, and told as it goes."""
