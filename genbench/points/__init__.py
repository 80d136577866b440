"""Points as they come: arrays and images in files, blocks of mapped ones, passes over all pairs."""
