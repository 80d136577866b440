"""One file a feature extractor."""
