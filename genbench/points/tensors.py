"""Reads tensors of points from .pt and .safetensors files, of which nothing but tensors is ever loaded."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy
import torch
from torch import Tensor

from genbench.core.errors import DataError, nearest
from genbench.core.guard import ran_out
from genbench.points.moments import Moments, read_moments
from genbench.points.readers import ArrayReader, hash_file

SUFFIXES = (".pt", ".pth", ".safetensors")
#: names of labels beside points
LABELS = ("labels", "label", "y", "targets", "classes")


def open_tensor(path: Path, key: str = "") -> ArrayReader | Moments:
    """Opens the points in a file: the tensor of the key, else `samples`, else the only one.

    A file of `mu` and `sigma` without `samples` is read as the moments of points.

    Raises:
        DataError: Naming the file and what is wrong with it.
    """
    read = _read_safetensors if path.suffix.lower() == ".safetensors" else _read_torch
    try:
        tensors = read(path)
    except DataError:
        raise
    except Exception as error:
        if ran_out(error):
            size = f"{path.stat().st_size / 2**30:.2g} GiB as stored"
            raise DataError(
                f"{path} does not fit into the memory that is free, {size}; save it as .npy, which is read "
                f"by parts"
            ) from None
        first = " ".join(str(error).split())[:120]
        pickled = "weights only" in first.lower() or "unsupported" in first.lower()
        what = "holds more than tensors, which is never loaded" if pickled else "is damaged"
        raise DataError(f"{path} {what}; save a plain tensor, torch.save(x, path)") from None
    if not key and {"mu", "sigma"} <= set(tensors) and "samples" not in tensors:
        return read_moments(
            {name: to_array(x, str(path)) for name, x in tensors.items()}, str(path)
        )
    name = _find_name(tensors, path, key)
    labels = next(
        (
            tensors[other]
            for other in LABELS
            if other != name and _are_labels(tensors, other, name)
        ),
        None,
    )
    rest = [other for other, x in tensors.items() if other != name and x is not labels]
    return ArrayReader(
        str(path),
        to_array(tensors[name], str(path)),
        None if labels is None else labels.numpy(),
        source=lambda: f"{hash_file(path)} {name}",
        remarks=tuple(f"its tensor {other} was not read" for other in rest),
    )


def to_array(x: Tensor, label: str) -> numpy.ndarray:
    """Returns a tensor as an array; types that numpy does not know become float32.

    Raises:
        DataError: If it is sparse or quantised.
    """
    x = x.detach()
    if x.layout is not torch.strided or x.is_quantized:
        raise DataError(f"{label} needs to be a dense array of numbers; call .to_dense() first")
    x = x.cpu().resolve_conj().resolve_neg()
    try:
        return x.numpy()
    except TypeError:
        return x.float().numpy()


def _read_torch(path: Path) -> dict[str, Tensor]:
    hash_file(path)  # says so if it is no regular file
    content = torch.load(path, map_location="cpu", weights_only=True)
    if isinstance(content, Tensor):
        content = {"samples": content}
    if not isinstance(content, dict):
        raise DataError(
            f"{path} needs one tensor, or a mapping from names to tensors, got "
            f"{type(content).__name__}; stack the points into one tensor"
        )
    tensors = {str(name): x for name, x in content.items() if isinstance(x, Tensor)}
    for name, x in tensors.items():
        if (
            x.layout is torch.strided
            and x.numel() * x.element_size() > x.untyped_storage().nbytes()
        ):
            raise DataError(
                f"{path} holds a tensor {name} that repeats what it stores, {tuple(x.shape)}; save "
                f"x.contiguous()"
            )
    return tensors


def _read_safetensors(path: Path) -> dict[str, Any]:
    from safetensors import safe_open

    hash_file(path)
    with safe_open(path, "pt") as file:
        return {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118


def _find_name(tensors: dict[str, Tensor], path: Path, key: str) -> str:
    if key:
        if key not in tensors:
            raise DataError(f"{path} holds no tensor {key!r}{nearest(key, tensors)}")
        return key
    points = [name for name, x in tensors.items() if x.dim() > 1]
    if "samples" in tensors or len(points) == 1:
        return "samples" if "samples" in tensors else points[0]
    listed = sorted(tensors)[:8]
    hint = f"; name it: {path}:{points[0]}" if points else ""
    if not points and len(tensors) > 1 and len({x.shape for x in tensors.values()}) == 1:
        hint = f"; save one tensor, torch.stack([{', '.join(listed[:3])}], 1), where each is a coordinate"
    raise DataError(
        f"{path} needs one tensor or one named 'samples', got {listed or 'none'}{hint}"
    )


def _are_labels(tensors: dict[str, Tensor], other: str, name: str) -> bool:
    x = tensors.get(other)
    return x is not None and not x.is_floating_point() and x.shape == tensors[name].shape[:1]
