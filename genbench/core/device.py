"""Where tensors are worked on."""

from __future__ import annotations

import re

import torch

from genbench.core.errors import SpecError


def choose_device(name: str | torch.device, *, mps: bool = False) -> torch.device:
    """Returns the device for `auto`, `cpu`, `cuda` or `cuda:N`, and for `mps` where that is allowed.

    Arguments:
        name: What is asked for; auto takes a CUDA GPU, else one of Apple's where allowed, else the CPU.
        mps: Whether the caller can use a device without float64.

    Raises:
        SpecError: If there is no such device, or a GPU is asked for and there is none.
    """
    name = str(name)
    if name == "auto":
        apple = mps and torch.backends.mps.is_available()
        return torch.device("cuda" if torch.cuda.is_available() else "mps" if apple else "cpu")
    if not re.fullmatch(r"cpu|cuda(:\d+)?" + ("|mps" if mps else ""), name):
        kinds = "auto, cpu, cuda, cuda:N or mps" if mps else "auto, cpu, cuda or cuda:N"
        raise SpecError(f"--device needs {kinds}, got {name!r}; try auto")
    if name == "cpu":
        return torch.device(name)
    if name == "mps":
        if not torch.backends.mps.is_available():
            raise SpecError(
                "--device mps needs a GPU of Apple's, this torch sees none; use --device cpu"
            )
        return torch.device(name)
    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if int(name.partition(":")[2] or 0) >= count:
        raise SpecError(
            f"--device {name} needs a CUDA GPU, this torch sees {count or 'none'}; use --device cpu"
        )
    return torch.device(name)
