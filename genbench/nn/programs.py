"""Networks that are stored as programs: TorchScript, and what torch.export saves."""

from __future__ import annotations

import io
import os
import warnings
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from genbench.core.errors import DataError
from genbench.core.files import read_file

#: parts of an archive of torch.export that are unpickled whatever they hold
PICKLED = ("custom_obj_", "opaque_obj_")
#: makes torch.load refuse anything but tensors, also where torch.export asks for more
GUARD = "TORCH_FORCE_WEIGHTS_ONLY_LOAD"


def load_script(path: Path) -> nn.Module:
    """Returns the module of a TorchScript file, in evaluation mode.

    TorchScript is code, which may read and write files: load what you would run.

    Raises:
        DataError: If it is not one.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # of TorchScript itself
            return torch.jit.load(io.BytesIO(read_file(path, None)), map_location="cpu").eval()
    except Exception as error:
        raise DataError(f"{path} is not a TorchScript file: {_first(error)}") from None


class ExportedProgram:
    """A function that torch.export has saved, on whatever device its points are.

    Its weights are read as tensors alone, and archives with pickled objects are refused. The program
    itself is code of whoever made it, as a module:function is.

    Arguments:
        path: A .pt2 file, exported with a dynamic first dimension.

    Raises:
        DataError: If it is not one, or holds objects that would have to be unpickled.
    """

    def __init__(self, path: Path) -> None:
        self._program = _load_exported(path)
        self._module: tuple[torch.device, Any] | None = None

    def __call__(self, x: Tensor) -> Any:
        """Calls the program with points (N, *event)."""
        if self._module is None or self._module[0] != x.device:
            if x.device.type != "cpu" or self._module is not None:  # it is loaded onto the CPU
                from torch.export.passes import move_to_device_pass

                self._program = move_to_device_pass(self._program, str(x.device))
            self._module = x.device, self._program.module()
        return self._module[1](x)


def _load_exported(path: Path) -> torch.export.ExportedProgram:
    try:
        with zipfile.ZipFile(path) as archive:
            names = [Path(name).name for name in archive.namelist()]
        pickled = next((name for name in names if name.startswith(PICKLED)), None)
        if pickled is not None:
            raise DataError(
                f"{path} needs to hold tensors alone, got the pickled object {pickled}; "
                f"export a network without such constants"
            )
        with _tensors_alone(), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return torch.export.load(path)
    except DataError:
        raise
    except Exception as error:
        raise DataError(f"{path} is not a file of torch.export: {_first(error)}") from None


@contextmanager
def _tensors_alone() -> Iterator[None]:
    before = os.environ.get(GUARD)
    os.environ[GUARD] = "1"
    try:
        yield
    finally:
        if before is None:
            del os.environ[GUARD]
        else:
            os.environ[GUARD] = before


def _first(error: Exception) -> str:
    return " ".join(str(error).split())[:120]
