"""Compiled work of the population: stated interests, the order of menus."""
