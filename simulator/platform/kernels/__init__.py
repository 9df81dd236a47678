"""Compiled work of the platform: filters, sorting, requests, checks of slates, counters."""
