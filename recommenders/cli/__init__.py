"""The commands of ``python -m recommenders``."""
