"""The offline protocol: reading data sets, splitting them, ranking, and measuring."""
