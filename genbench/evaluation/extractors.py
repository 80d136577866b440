"""Feature extractors by name: registered ones, a user's function, a TorchScript file."""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from genbench.core import options
from genbench.core.dataset import Dataset
from genbench.core.errors import DataError
from genbench.core.feature import EXTRACTORS, Extractor
from genbench.core.registry import named_callable


class Users(Extractor):
    """A user's map from points (N, *event) in data space to features (N, F).

    Arguments:
        dataset: The data set, or None.
        label: What the protocol says.
        function: The map; it must treat every point on its own.
    """

    def __init__(
        self, dataset: Dataset | None, label: str, function: Callable[[Tensor], Any]
    ) -> None:
        super().__init__(dataset)
        self.label, self.function = label, function

    @property
    def protocol(self) -> str:
        """The user's name for it, and a digest where it is a file."""
        return self.label

    @torch.no_grad()
    def extract(self, x: Tensor) -> Tensor:
        """Calls the function, and checks what it returns."""
        if self.dataset is not None:
            x = x.reshape(-1, *self.dataset.spec.event)
        try:
            found = self.function(x)
        except Exception as error:
            text = " ".join(str(error).split())[:200]
            raise DataError(
                f"{self.label} failed on points {tuple(x.shape)}: {type(error).__name__}: {text}"
            ) from None
        if not isinstance(found, Tensor) or found.dim() != 2 or len(found) != len(x):
            got = tuple(found.shape) if isinstance(found, Tensor) else type(found).__name__
            raise DataError(f"{self.label} needs to return a tensor ({len(x)}, F), got {got}")
        if not found.isfinite().all():
            raise DataError(f"{self.label} returned features that are NaN or infinite")
        return found.detach().cpu().float()


def make(name: str, dataset: Dataset | None, given: dict[str, Any] | None = None) -> Extractor:
    """Returns an extractor: a registered name, `module:function`, or a TorchScript file's path.

    Arguments:
        name: Hyphens and underscores are the same in registered names.
        dataset: The data set whose points it will see, or None.
        given: Options of registered extractors.

    Raises:
        SpecError, DataError, UnknownName: If there is none such, or it cannot be made.
    """
    if Path(name).suffix in (".pt", ".pth", ".ts", ".torchscript"):
        return _scripted(Path(name), dataset)
    if ":" in name:
        return Users(dataset, name, named_callable(name))
    cls = EXTRACTORS.get(name.replace("-", "_"))
    chosen = options.resolve(cls, given or {}, who=f"extractor {name}")
    return cls(dataset, **chosen)


def _scripted(path: Path, dataset: Dataset | None) -> Extractor:
    try:
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()[:8]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # of TorchScript itself
            function = torch.jit.load(path, map_location="cpu").eval()
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}") from None
    except (RuntimeError, ValueError) as error:
        first = " ".join(str(error).split())[:120]
        raise DataError(f"{path} is no TorchScript file: {first}") from None
    return Users(dataset, f"{path.name} {digest}", function)
