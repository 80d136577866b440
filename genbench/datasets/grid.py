"""Twenty-five Gaussians on a grid."""

from __future__ import annotations

import math

import torch

from genbench.core.dataset import dataset
from genbench.core.streams import MixtureDataset

AXIS = torch.tensor([-4.0, -2.0, 0.0, 2.0, 4.0], dtype=torch.float64)


@dataset("grid")
class Grid(MixtureDataset):
    """Twenty-five Gaussians of standard deviation 0.05 on {-4, -2, 0, 2, 4}², equally likely.

    References:
        | VEEGAN: Reducing Mode Collapse in GANs (Srivastava et al., 2017), section 4.1
        | PacGAN: The power of two samples in generative adversarial networks (Lin et al., 2018), section 4.1
    """

    paper = "Srivastava et al., 2017; Lin et al., 2018"
    centres = torch.cartesian_prod(AXIS, AXIS)
    std = 0.05
    #: ln 25 + 1 + ln(2 pi std^2), exact but for overlaps below 1e-80
    entropy = math.log(25) + 1 + math.log(2 * math.pi * std**2)
