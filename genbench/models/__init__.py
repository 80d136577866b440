"""One file a model, in a folder a family."""
