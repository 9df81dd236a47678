"""The trainer of torch models: what they are given, validation, early stopping, checkpoints, the loop."""
