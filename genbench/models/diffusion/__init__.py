"""The diffusion and flow matching models, one file each."""
