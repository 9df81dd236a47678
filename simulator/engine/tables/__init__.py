"""Every table that kernels read or write: its columns, their types and units."""
