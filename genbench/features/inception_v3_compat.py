"""The Inception-v3 of the published FID, by torch-fidelity's implementation."""

from __future__ import annotations

import hashlib
import tempfile
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from genbench.core.dataset import Dataset
from genbench.core.errors import DataError
from genbench.core.feature import Extractor, Logits, extractor
from genbench.core.files import cache_folder
from genbench.features._images import images
from genbench.points.vision import torchvision

#: the file that torch-fidelity publishes; its name ends in the first digits of its sha256
DIGEST = "6726825d"
FILE = f"weights-inception-2015-12-05-{DIGEST}.pth"
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
        self.weights = Path(weights) if weights else _find_weights()
        self._last: tuple[Tensor, dict[str, Tensor]] | None = None

    @classmethod
    def fetch(cls, *, offline: bool = False) -> str:
        """Downloads the published weights into genbench's cache and checks their digest."""
        target = cache_folder() / "features" / FILE
        if target.is_file():
            return f"is at {target}"
        if offline:
            raise DataError(f"{FILE} is not on this machine; fetch it without --offline")
        torchvision()
        from torch_fidelity.feature_extractor_inceptionv3 import URL_INCEPTION_V3

        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            torch.hub.download_url_to_file(
                URL_INCEPTION_V3, str(target), hash_prefix=DIGEST, progress=False
            )
        except (OSError, RuntimeError) as error:
            raise DataError(f"cannot download {FILE}: {error}; give it by --weights") from None
        return f"downloaded to {target}"

    @property
    def protocol(self) -> str:
        """The published name for the published weights, otherwise with the file's digest."""
        digest = self._digest[:8]
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
            pixels = (part * 255).round().clamp(0, 255).to(torch.uint8).expand(-1, 3, -1, -1)
            parts.append(network.convert_features_tuple_to_dict(network(pixels)))
        result = {key: torch.cat([part[key] for part in parts]) for key in parts[0]}
        self._last = (x, result)
        return result

    @cached_property
    def _digest(self) -> str:
        with self.weights.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()

    @cached_property
    def _network(self) -> Any:
        torchvision()  # torch-fidelity imports it
        from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3

        try:
            state = torch.load(self.weights, weights_only=True, map_location="cpu")
        except Exception as error:
            first = " ".join(str(error).split())[:120]
            raise DataError(
                f"{self.weights} holds no plain weights: {first}; fetch them anew"
            ) from None
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


def _find_weights() -> Path:
    """The published weights on this machine.

    Raises:
        DataError: If they are nowhere.
    """
    places = [cache_folder() / "features" / FILE, Path(torch.hub.get_dir()) / "checkpoints" / FILE]
    for place in places:
        if place.is_file():
            return place
    raise DataError(
        f"inception_v3_compat needs the weights {FILE}, which are not on this machine; "
        f"`genbench fetch inception_v3_compat` downloads them, --weights names a file"
    )
