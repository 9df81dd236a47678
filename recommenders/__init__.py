"""Recommenders and the contract they keep; this package knows nothing of the simulator."""
