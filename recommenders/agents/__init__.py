"""Trained agents as recommenders: the file that holds one, and what it is told of users."""
