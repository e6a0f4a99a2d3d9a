"""What is done with a trained model: measuring, asking and handing it on. Loads no torch before a model is loaded."""
