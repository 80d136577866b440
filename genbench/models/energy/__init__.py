"""The energy models, one file each."""
