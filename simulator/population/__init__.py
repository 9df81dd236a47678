"""Who and what is there at the beginning: items, parents, users, their interests."""
