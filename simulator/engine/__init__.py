"""Compiled behaviour: pure kernels, arrays in, arrays and events out. Knows no Python class of the project."""
