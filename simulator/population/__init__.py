"""The population of a world at its beginning: items, parents, users, and their interests."""
