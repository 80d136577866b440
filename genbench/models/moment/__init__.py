"""Models that match moments, one file each."""
