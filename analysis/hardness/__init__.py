"""Hardness: how dense a scenario's platform log is and what can be learned from it, beside a matching real set."""
