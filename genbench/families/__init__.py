"""Skeletons of the kinds of models: what all models of a kind share."""
