"""What the platform does: lists of candidates, requests, answers, counters, editors."""
