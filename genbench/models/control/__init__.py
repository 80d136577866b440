"""The control models, one file each."""
