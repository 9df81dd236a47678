"""A run as it goes on: the clock, rounds of requests, cases, the table of visits."""
