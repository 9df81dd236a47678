"""The models: one module for each family, and the kernels and bases that families share."""
