"""The IDX format of the MNIST family: a big-endian header, then bytes."""

from __future__ import annotations

import gzip
import hashlib
import math
import struct
import zlib
from pathlib import Path

import torch
from torch import Tensor

from genbench.core.errors import DataError
from genbench.core.files import read_file

#: the header's type code of unsigned bytes, the only one that image sets use
UINT8 = 8


def read_idx(path: Path, digest: str | None = None) -> Tensor:
    """Returns the array of an IDX file of unsigned bytes, plain or gzipped (`.gz`), uint8.

    Arguments:
        path: The file.
        digest: The sha256 of the plain file, which is checked; None takes any.

    References:
        | THE MNIST DATABASE (LeCun, Cortes and Burges, 1998), "file formats": two zero bytes, a type
          code, the number of axes, one big-endian 32-bit size an axis, then the values in C order

    Raises:
        DataError: If the file cannot be read, is cut short or is no such file.
    """
    content = _content(path)
    if len(content) < 4 or content[:2] != b"\0\0" or content[2] != UINT8 or content[3] == 0:
        raise DataError(
            f"{path} needs the magic number 00 00 08 nn of an IDX file of bytes, got "
            f"{content[:4].hex(' ') or 'nothing'}; fetch the file again"
        )
    if digest is not None and hashlib.sha256(content).hexdigest() != digest:
        raise DataError(
            f"{path} is not the published file: its content has another sha256 than {digest[:12]}…; "
            "fetch the file again"
        )
    axes = content[3]
    start = 4 + 4 * axes
    if len(content) < start:
        raise DataError(
            f"{path} needs {start} bytes of header, got {len(content)}; fetch the file again"
        )
    sizes = struct.unpack(f">{axes}I", content[4:start])
    if 0 in sizes:
        raise DataError(f"{path} needs values, its sizes {sizes} hold none; fetch the file again")
    if len(content) - start != math.prod(sizes):
        raise DataError(
            f"{path} needs {math.prod(sizes)} values for sizes {sizes}, got {len(content) - start}; "
            "fetch the file again"
        )
    return torch.frombuffer(bytearray(content[start:]), dtype=torch.uint8).reshape(sizes)


def _content(path: Path) -> bytes:
    try:
        content = read_file(path, None)
        return gzip.decompress(content) if path.suffix == ".gz" else content
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(
            f"{path} cannot be read as {'gzip' if path.suffix == '.gz' else 'a file'}: {error}; "
            "fetch the file again"
        ) from error
