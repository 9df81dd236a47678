"""One visit from top to bottom: browse, inspect, commit, consume, respond."""
