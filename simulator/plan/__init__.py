"""From a checked scenario to the tables that kernels read, and what is not supported yet."""
