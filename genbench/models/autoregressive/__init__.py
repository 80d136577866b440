"""The autoregressive models, one file each."""
