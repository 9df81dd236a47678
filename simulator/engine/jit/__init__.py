"""How kernels are compiled, linked, handed groups of tables, and compiled in the background."""
