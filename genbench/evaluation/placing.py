"""Extractors on a device and in a precision, whatever points come from."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
from torch import Tensor

from genbench.core.errors import SpecError, nearest
from genbench.core.feature import Extractor, Logits

#: how networks compute; float32 means just that, also where a GPU would round products by itself
PRECISIONS = ("float32", "tf32", "bfloat16", "float16")


class PlacedExtractor(Extractor):
    """An extractor on a device and in a precision; points come from the CPU, and features go there.

    Arguments:
        inner: The extractor.
        device: Where its network works.
        precision: Of `PRECISIONS`; others than float32 stand in the protocol, since they move numbers.
    """

    def __init__(self, inner: Extractor, device: torch.device, precision: str) -> None:
        super().__init__(inner.dataset)
        self.inner, self.device, self.precision = inner, device, precision
        self.name, self.version = inner.name, inner.version  # type: ignore[misc]
        self._moved: tuple[Tensor, Tensor] | None = None

    @property
    def protocol(self) -> str:
        """The extractor's, and the precision unless it is float32."""
        own = "" if self.precision == "float32" else f" {self.precision}"
        return f"{self.inner.protocol}{own}"

    @property
    def digest(self) -> str:
        """The sha256 of the network's weights, or "" where it has none."""
        return getattr(self.inner, "digest", "")

    def extract(self, x: Tensor) -> Tensor:
        """Maps points (N, *event) in data space to features (N, F), float32 on the CPU."""
        return self._call(self.inner.extract, x)

    def _call(self, function: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
        if self._moved is None or self._moved[0] is not x:  # features and logits share one pass
            self._moved = x, x.to(self.device)
        with computing(self.device.type, self.precision):
            return function(self._moved[1]).float().cpu()


class PlacedClassifier(PlacedExtractor, Logits):
    """The same of an extractor with logits."""

    def logits(self, x: Tensor) -> Tensor:
        """Maps points (N, *event) in data space to class logits (N, classes) on the CPU."""
        assert isinstance(self.inner, Logits)
        return self._call(self.inner.logits, x)


def place_extractor(inner: Extractor, device: torch.device, precision: str) -> Extractor:
    """Returns an extractor on a device in a precision; itself where that changes nothing.

    Raises:
        SpecError: If there is no such precision.
    """
    if precision not in PRECISIONS:
        raise SpecError(f"--precision has no {precision!r}{nearest(str(precision), PRECISIONS)}")
    if not inner.computes or (device.type == "cpu" and precision == "float32"):
        return inner
    kind = PlacedClassifier if isinstance(inner, Logits) else PlacedExtractor
    return kind(inner, device, precision)


@contextmanager
def computing(device: str, precision: str) -> Iterator[None]:
    """Lets networks on a kind of device compute in a precision of `PRECISIONS`."""
    matrices = torch.backends.cuda.matmul
    before = torch.backends.cudnn.allow_tf32, matrices.allow_tf32
    # cuDNN rounds the factors of products to 10 bits unless it is told not to
    torch.backends.cudnn.allow_tf32 = matrices.allow_tf32 = precision == "tf32"
    kind = getattr(torch, precision, torch.float32)
    try:
        with torch.autocast(device, dtype=kind, enabled=precision in ("bfloat16", "float16")):
            yield
    finally:
        torch.backends.cudnn.allow_tf32, matrices.allow_tf32 = before
