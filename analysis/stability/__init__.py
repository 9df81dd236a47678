"""Stability: how far the ranking of recommenders depends on the seed, and on the numbers that nobody has measured."""
