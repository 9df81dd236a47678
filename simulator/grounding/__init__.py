"""Grounding: a real catalog and a real log, and what they tell about taste and modalities."""
