"""Files of published weights: found, checked, read as tensors alone."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from genbench.core.errors import DataError
from genbench.core.files import cache_folder


def file_digest(path: Path) -> str:
    """Returns a file's sha256, hexadecimal.

    Raises:
        DataError: If it cannot be read.
    """
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}") from None


def read_weights(path: Path) -> dict[str, Tensor]:
    """Returns the tensors of a .safetensors file or of a state dict by torch.save, whatever else is in it.

    Raises:
        DataError: If it holds anything but tensors.
    """
    try:
        if path.suffix == ".safetensors":
            return load_file(path)
        state = torch.load(path, weights_only=True, map_location="cpu")
    except (OSError, SafetensorError, Exception) as error:
        first = " ".join(str(error).split())[:120]
        raise DataError(f"{path} holds no plain weights: {first}; fetch them anew") from None
    if not isinstance(state, Mapping) or not all(isinstance(v, Tensor) for v in state.values()):
        raise DataError(f"{path} holds no plain weights: not a state dict; fetch them anew")
    return dict(state)


def fit_weights(network: nn.Module, weights: Mapping[str, Tensor], path: Path, what: str) -> None:
    """Puts weights into a network as they are, perhaps one on torch's meta device; it is then frozen.

    Raises:
        DataError: If they are another network's.
    """
    try:
        network.load_state_dict(weights, assign=True)
    except (RuntimeError, TypeError, AttributeError):
        raise DataError(f"{path} does not fit {what}; give weights of this network") from None
    network.eval().requires_grad_(False)


def cached_file(name: str) -> Path:
    """Returns where a downloaded file lies in genbench's cache."""
    return cache_folder() / "features" / name


def find_file(who: str, name: str, weights: str | None) -> Path:
    """Returns the file of weights that an option names, else the downloaded one.

    Raises:
        DataError: If there is none.
    """
    if weights:
        if not Path(weights).is_file():
            raise DataError(f"{who} needs a file of weights, {weights} is not one; name {name}")
        return Path(weights)
    for place in (cached_file(name), Path(torch.hub.get_dir()) / "checkpoints" / name):
        if place.is_file():
            return place
    raise DataError(
        f"{who} needs the weights {name}, which are not on this machine; "
        f"`genbench fetch {who}` downloads them, --weights names a file"
    )


def download(name: str, url: str, *, digest: str | None, offline: bool) -> str:
    """Downloads a file into genbench's cache, and says what it did.

    Arguments:
        name: The file.
        url: Where its authors publish it.
        digest: How its sha256 begins, which is checked, or None where nobody has published it.
        offline: Whether downloads are forbidden.

    Raises:
        DataError: If it cannot be had.
    """
    target = cached_file(name)
    if target.is_file():
        return f"is at {target}"
    if offline:
        raise DataError(f"{name} is not on this machine; fetch it without --offline")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        torch.hub.download_url_to_file(url, str(target), hash_prefix=digest, progress=False)
    except (OSError, RuntimeError) as error:
        raise DataError(f"cannot download {name}: {error}; give it by --weights") from None
    return f"downloaded to {target}"
