"""The flow models, one file each."""
