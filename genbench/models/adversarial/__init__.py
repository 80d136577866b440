"""The adversarial models, one file each."""
