"""Showing a run elsewhere as it goes on: Weights & Biases, TensorBoard, MLflow."""
