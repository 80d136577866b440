"""The Inception-v3 of the published FID, by torch-fidelity's implementation."""

from __future__ import annotations

import tempfile
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from genbench.core.dataset import Dataset
from genbench.core.errors import DataError
from genbench.core.feature import Extractor, Logits, extractor
from genbench.features import _weights
from genbench.features._images import images, to_bytes
from genbench.points.vision import torchvision

#: the file that torch-fidelity publishes, and its sha256, whose first digits its name ends in
DIGEST = "6726825d0af5f729cebd5821db510b11b1cfad8faad88a03f1befd49fb9129b2"
FILE = f"weights-inception-2015-12-05-{DIGEST[:8]}.pth"
ROWS = 64


@extractor("inception_v3_compat")
class InceptionV3Compat(Extractor, Logits):
    """The 2,048 pooled features of Inception-v3, whose images are resized as in TensorFlow 1.

    The network is torch-fidelity's `inception-v3-compat`, fed 8-bit RGB: pixels are rounded to bytes
    and grey is repeated. Weights are read with tensors alone allowed, whatever the file says.

    References:
        | Rethinking the Inception Architecture for Computer Vision (Szegedy et al., 2016)
        | GANs Trained by a Two Time-Scale Update Rule (Heusel et al., 2017), for its use
        | High-fidelity performance metrics for generative models in PyTorch (Obukhov et al., 2020)

    Arguments:
        dataset: Its image shape lets flattened points be given; None for arrays (N, C, H, W).
        weights: A file of weights; None looks into genbench's cache, then into torch-fidelity's.

    Raises:
        DataError: If there are no weights, or not for this network.
    """

    def __init__(self, dataset: Dataset | None = None, *, weights: str | None = None) -> None:
        super().__init__(dataset)
        self.weights = _weights.find_file("inception_v3_compat", FILE, weights)
        self._last: tuple[Tensor, dict[str, Tensor]] | None = None

    @classmethod
    def fetch(cls, *, offline: bool = False) -> str:
        """Downloads the published weights into genbench's cache and checks their digest."""
        torchvision()
        from torch_fidelity.feature_extractor_inceptionv3 import URL_INCEPTION_V3

        return _weights.download(FILE, URL_INCEPTION_V3, digest=DIGEST, offline=offline)

    @property
    def protocol(self) -> str:
        """The published name for the published weights, otherwise with the file's digest."""
        digest = self.digest[:8]
        own = (
            "" if digest == FILE.rpartition("-")[2].removesuffix(".pth") else f" weights {digest}"
        )
        return f"inception-v3-compat{own}"

    def extract(self, x: Tensor) -> Tensor:
        """Maps images (N, 1 or 3, H, W) in [0, 1] to features (N, 2048), float32."""
        return self._run(x)["2048"]

    def logits(self, x: Tensor) -> Tensor:
        """Maps images (N, 1 or 3, H, W) in [0, 1] to logits without bias (N, 1008), float32."""
        return self._run(x)["logits_unbiased"]

    @torch.no_grad()
    def _run(self, x: Tensor) -> dict[str, Tensor]:
        if self._last is not None and self._last[0] is x:
            return self._last[1]  # one pass serves features and logits
        pictures = images("inception-v3-compat", x, self.dataset)
        network, parts = self._network.to(x.device), []
        for part in pictures.split(ROWS):
            parts.append(network.convert_features_tuple_to_dict(network(to_bytes(part))))
        result = {key: torch.cat([part[key] for part in parts]) for key in parts[0]}
        self._last = (x, result)
        return result

    @cached_property
    def digest(self) -> str:
        """The sha256 of its weights."""
        return _weights.file_digest(self.weights)

    @cached_property
    def _network(self) -> Any:
        torchvision()  # torch-fidelity imports it
        from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3

        state = _weights.read_weights(self.weights)
        with tempfile.TemporaryDirectory() as folder:
            # the constructor unpickles whatever file it is given, so it is given one of our own
            plain = Path(folder, "weights.pth")
            torch.save(state, plain)
            try:
                return FeatureExtractorInceptionV3(
                    "inception-v3-compat", ["2048", "logits_unbiased"], str(plain)
                )
            except (RuntimeError, TypeError, AttributeError):
                raise DataError(
                    f"{self.weights} does not fit torch-fidelity's Inception-v3; give {FILE}"
                ) from None
