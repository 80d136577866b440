"""The variational models, one file each."""
