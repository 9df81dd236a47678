"""How one user reads, judges, remembers, tires, and comes back."""
