"""Compiled behaviour: pure kernels, arrays in, arrays and events out; one module per kind of stage."""
