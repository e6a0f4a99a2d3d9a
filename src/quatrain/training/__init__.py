"""Optimizers, schedules, hardware, checkpoints, the log of metrics, and the Trainer. Knows no run directories."""
