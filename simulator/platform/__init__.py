"""The platform: lists of candidates, requests, answers, counters, editors."""
