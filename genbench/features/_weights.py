"""Files of published weights: found, checked, read as tensors alone."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors.torch import load
from torch import Tensor, nn

from genbench.core.errors import DataError
from genbench.core.files import cache_folder, make_folder, read_file, read_text, write_bytes
from genbench.core.guard import ran_out


def file_digest(path: Path) -> str:
    """Returns a file's sha256, hexadecimal.

    Raises:
        DataError: If it cannot be read.
    """
    try:
        return hashlib.sha256(read_file(path, None)).hexdigest()
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}") from None


def read_weights(path: Path) -> dict[str, Tensor]:
    """Returns the tensors of a .safetensors file or of a state dict by torch.save, whatever else is in it.

    Raises:
        DataError: If it holds anything but tensors.
    """
    try:
        content = read_file(path, None)
        if path.suffix == ".safetensors":
            return load(content)
        state = torch.load(io.BytesIO(content), weights_only=True, map_location="cpu")
    except Exception as error:
        if ran_out(error):
            raise DataError(
                f"{path} does not fit into the memory that is free; free some"
            ) from None
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

    A file that is there already is checked too, and downloaded anew where it is another.

    Arguments:
        name: The file.
        url: Where its authors publish it, by https.
        digest: Its sha256, which is checked; None where nobody has published it, and the first download's
            is kept beside the file.
        offline: Whether downloads are forbidden.

    Raises:
        DataError: If it cannot be had.
    """
    target = cached_file(name)
    note = target.with_name(f"{target.name}.sha256")
    checksum = digest or _read_note(note)
    if target.is_file() and (checksum is None or file_digest(target) == checksum):
        return f"is at {target}" + (", checked" if checksum else "")
    if offline:
        lack = "is damaged" if target.is_file() else "is not on this machine"
        raise DataError(f"{name} {lack}; fetch it without --offline")
    try:
        make_folder(target.parent)
        # which writes a temporary file and renames it
        torch.hub.download_url_to_file(url, str(target), hash_prefix=digest, progress=False)
        write_bytes(note, f"{file_digest(target)}  {name}\n".encode())
    except (OSError, RuntimeError) as error:
        raise DataError(f"cannot download {name}: {error}; give it by --weights") from None
    return f"downloaded to {target}"


def _read_note(path: Path) -> str | None:
    """The sha256 that was kept beside a file, as sha256sum writes it."""
    try:
        digest = read_text(path).split()[0]
    except (OSError, ValueError, IndexError):
        return None
    return digest if len(digest) == 64 else None
