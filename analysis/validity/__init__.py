"""Validity: the engine's models fitted to its own logs, known biases of naive ones, and values estimated off policy."""
