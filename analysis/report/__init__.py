"""The comparison page and its pictures."""
