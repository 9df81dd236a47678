"""Checks that a scenario hangs together: references, blocks, criteria, provenance."""
