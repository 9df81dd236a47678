"""Verdicts: what one number per seed allows to be said, in words that are earned."""
