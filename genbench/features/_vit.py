"""Vision transformers by timm, without weights of their own and without a draw."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from genbench.core.errors import DataError
from genbench.points.vision import torchvision


def make_transformer(who: str, architecture: str, **options: Any) -> nn.Module:
    """Returns one of timm's networks on torch's meta device, to be filled with weights from a file.

    Raises:
        DataError: If timm is not installed.
    """
    torchvision()  # timm imports it
    try:
        import timm
    except ImportError:
        raise DataError(
            f"{who} needs the package timm, which is not installed; pip install 'genbench[features]'"
        ) from None
    with torch.device("meta"):
        return timm.create_model(architecture, pretrained=False, **options)
