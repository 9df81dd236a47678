"""Tables that people bring: interactions and items of any source, read once for evaluation and for real catalogs."""
