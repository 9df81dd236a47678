"""Calibration: numbers of a scenario moved until its fit targets, or readings of a platform's own log, are met."""
