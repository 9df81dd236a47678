"""Compiled work of the records: when a record arrives at the platform."""
