"""Contracts: what a model, a data set, a metric and a claim are. Imports nothing above itself."""
