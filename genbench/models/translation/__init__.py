"""Models that make points from sources, one file each."""
