"""Many environments stepped together, as rows of one set of arrays."""
