"""Benchmarks: ratios measured in one run on the same work. Run by hand, never by the test suite."""
