"""How networks' outputs become points of a data set's range, and back."""

from __future__ import annotations

import torch
from torch import Tensor

from genbench.core.dataset import DataSpec


def into_range(x: Tensor, spec: DataSpec) -> Tensor:
    """Squashes real numbers into the range of the data by a logistic function; unbounded data pass."""
    if spec.range is None:
        return x
    low, high = spec.range
    return low + (high - low) * torch.sigmoid(x)


def centred(x: Tensor, spec: DataSpec) -> Tensor:
    """Maps the range of the data to [-1, 1] for a network's input; unbounded data pass."""
    if spec.range is None:
        return x
    low, high = spec.range
    return (x - low) * (2 / (high - low)) - 1


def noise_size(spec: DataSpec) -> int:
    """Returns the usual dimension of a generator's noise: 2 for points in the plane, 64 otherwise.

    References:
        | PacGAN (Lin et al., 2018), section 4.1, and Improved Training of Wasserstein GANs (Gulrajani
        | et al., 2017), toy code: 2; Are GANs Created Equal? (Lucic et al., 2018), appendix: 64
    """
    return 2 if spec.size == 2 else 64


def code_size(latent: int | None, usual: int) -> int:
    """Returns the dimension of codes that is asked for; None asks for the usual one."""
    return usual if latent is None else latent


def uncentred(y: Tensor, spec: DataSpec) -> Tensor:
    """Maps [-1, 1] back to the range of the data, what lies outside to the nearer end."""
    if spec.range is None:
        return y
    low, high = spec.range
    return (low + (y + 1) * ((high - low) / 2)).clamp(low, high)


def only_continuous(spec: DataSpec) -> str | None:
    """Returns why a model of real numbers refuses a data set, or None where it does not."""
    if spec.kind == "continuous":
        return None
    return f"needs continuous data, {spec.name} is {spec.kind}"


def numbers_or_bits(spec: DataSpec) -> str | None:
    """Returns why a model of real numbers and bits refuses a data set, or None where it does not."""
    if spec.kind == "tokens":
        return f"needs continuous or binary data, {spec.name} is tokens"
    return None
