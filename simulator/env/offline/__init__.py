"""Episodes with exact propensities, and their export to formats of other libraries."""
