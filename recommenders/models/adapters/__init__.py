"""Models of other libraries, as recommenders: one class for each library, its models by name."""
