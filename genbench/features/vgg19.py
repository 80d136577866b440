"""The convolutions of VGG-19, for whom has the file of their weights."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path

import torch
from torch import Tensor, nn

from genbench.core.dataset import Dataset
from genbench.core.errors import DataError
from genbench.core.feature import Extractor, HiddenImages, extractor
from genbench.features import _weights
from genbench.features._images import images, resize, standardise
from genbench.nn.perceptual import PerceptualNetwork
from genbench.nn.vgg import STAGES, VGG19

SIDE, ROWS = 224, 8
NO_WEIGHTS = (
    "vgg19 needs a file of its weights, which genbench does not download; "
    "name it by vgg19:weights=FILE"
)
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


@extractor("vgg19")
class VGG19Features(Extractor, HiddenImages):
    """The 512 pooled channels of VGG-19's last convolution, and its hidden images.

    Nothing is downloaded: a user names the file. Images are resized to 224×224 as 8-bit RGB, bicubic.

    References:
        | Very Deep Convolutional Networks for Large-Scale Image Recognition (Simonyan and Zisserman, 2015)
        | Photo-Realistic Single Image Super-Resolution Using a Generative Adversarial Network (Ledig et
        | al., 2017), section 2.2.1, for its use in a loss

    Arguments:
        dataset: Its image shape lets flattened points be given; None for arrays (N, C, H, W).
        weights: A file of weights by torchvision's names, `features.0.weight` and so on, by torch.save or
            .safetensors; those of its classifier are left out.

    Raises:
        DataError: If no file is named, or it is not this network's.
    """

    #: stages, from 0, whose last activations are 1/2, 1/4 and 1/8 as large as the input
    taps = (1, 2, 3)

    def __init__(self, dataset: Dataset | None = None, *, weights: str | None = None) -> None:
        super().__init__(dataset)
        if weights is None:
            raise DataError(NO_WEIGHTS)
        if not Path(weights).is_file():
            raise DataError(f"vgg19 needs a file of weights, {weights} is not one; name another")
        self.weights = Path(weights)

    @classmethod
    def fetch(cls, *, offline: bool = False) -> str:
        """Refuses: nothing is downloaded."""
        raise DataError(NO_WEIGHTS)

    @property
    def protocol(self) -> str:
        """The network and the sha256 of the weights, shortened."""
        return f"vgg19 weights {self.digest[:8]}"

    @cached_property
    def digest(self) -> str:
        """The sha256 of its weights."""
        return _weights.file_digest(self.weights)

    @torch.no_grad()
    def extract(self, x: Tensor) -> Tensor:
        """Maps images (N, 1 or 3, H, W) in [0, 1] to features (N, 512), float32."""
        pictures, network = images("vgg19", x, self.dataset), self._network.to(x.device)
        parts = [
            network.maps(standardise(resize(part, SIDE), MEAN, STD))[-1].mean((2, 3)).float()
            for part in pictures.split(ROWS)
        ]
        return torch.cat(parts) if parts else x.new_empty(0, STAGES[-1][0])

    def perceptual_network(self, *, side: int | None = None) -> nn.Module:
        """Returns the network of the last activations of stages 2, 3 and 4."""
        return PerceptualNetwork(self._network, self.taps, mean=MEAN, std=STD, side=side)

    @cached_property
    def _network(self) -> VGG19:
        network, state = VGG19(), _weights.read_weights(self.weights)
        own = {key: value.float() for key, value in state.items() if key.startswith("features.")}
        _weights.fit_weights(network, own, self.weights, "VGG-19")
        return network
