"""The commands of ``python -m simulator``: arguments, runs, sweeps, and what they print."""
