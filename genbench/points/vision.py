"""Torchvision, also where its compiled operators do not fit the torch that is installed."""

from __future__ import annotations

import importlib
import sys
from types import ModuleType

import torch

#: what torchvision's Python files look up on import; nothing here ever calls them
_OPERATORS = ("nms", "qnms")
_declared: list[torch.library.Library] = []


def torchvision() -> ModuleType:
    """Returns the torchvision module; its models, transforms and data sets work, box operators may not.

    A torchvision built for another torch fails on import, because its registrations name operators
    that its library could not load; those are then declared, without a body, and the import repeated.

    Raises:
        ImportError: If torchvision is not installed.
    """
    try:
        return importlib.import_module("torchvision")
    except RuntimeError as error:
        if "torchvision::" not in str(error) or _declared:
            raise
    for name in [name for name in sys.modules if name.partition(".")[0] == "torchvision"]:
        del sys.modules[name]
    library = torch.library.Library("torchvision", "DEF")
    for operator in _OPERATORS:
        library.define(f"{operator}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    _declared.append(library)
    return importlib.import_module("torchvision")
