"""Eight Gaussians on a ring."""

from __future__ import annotations

import math

import torch

from genbench.core.dataset import dataset
from genbench.core.streams import MixtureDataset

ANGLES = torch.arange(8, dtype=torch.float64) * (2 * math.pi / 8)


@dataset("ring")
class Ring(MixtureDataset):
    """Eight Gaussians of standard deviation 0.01 on the unit circle, equally likely.

    The eight angles are 2 pi k / 8: several published codes place the last on the first and so have
    seven modes.

    References:
        | VEEGAN: Reducing Mode Collapse in GANs (Srivastava et al., 2017), section 4.1
        | PacGAN: The power of two samples in generative adversarial networks (Lin et al., 2018), section 4.1
    """

    paper = "Srivastava et al., 2017; Lin et al., 2018"
    centres = torch.stack([ANGLES.cos(), ANGLES.sin()], dim=-1)
    std = 0.01
    #: -H = E log p: ln 8 + 1 + ln(2 pi std^2), exact but for overlaps below 1e-300
    entropy = math.log(8) + 1 + math.log(2 * math.pi * std**2)
