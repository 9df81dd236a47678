"""Recommenders that learn from what the items show, and the graph model that they stand on."""
