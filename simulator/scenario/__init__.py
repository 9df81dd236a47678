"""A scenario as data: its schema, reading it from a file, and checking that it hangs together."""
