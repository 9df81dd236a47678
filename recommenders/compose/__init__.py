"""Recommenders made of others: pipelines, filters, exploration, ensembles."""
