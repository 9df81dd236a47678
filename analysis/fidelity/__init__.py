"""Fidelity: every target of a scenario, measured over seeds and held against what is known."""
