"""Trained agents: saving them, and the vector environment that Stable-Baselines3 takes."""
