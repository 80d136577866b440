"""The class token of DINOv2, as Stein et al. compare images by it."""

from __future__ import annotations

import math
from functools import cached_property

import torch
from torch import Tensor, nn
from torch.nn import functional

from genbench.core.dataset import Dataset
from genbench.core.errors import DataError, SpecError, nearest
from genbench.core.feature import Extractor, extractor
from genbench.features import _weights
from genbench.features._images import images, resize, standardise
from genbench.features._vit import make_transformer

#: timm's name of each architecture
TIMM = {
    "vits14": "vit_small_patch14_dinov2",
    "vitb14": "vit_base_patch14_dinov2",
    "vitl14": "vit_large_patch14_dinov2",
}
SIDE, PATCH, ROWS = 224, 14, 32
#: what the authors' code adds to the number of patches before it resizes the places
OFFSET = 0.1
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


@extractor("dinov2")
class DINOv2(Extractor):
    """The normalised class token of a DINOv2 transformer: 1,024 features, 768 (vitb14), 384 (vits14).

    With `fd` it is FD-DINOv2. Images are taken as 8-bit RGB, resized whole to 224×224 by Pillow's
    bicubic filter and standardised as ImageNet is. The network is timm's; positions are resized from
    37×37 patches to 16×16 as in the authors' own code (timm's way moves the features).

    References:
        | DINOv2: Learning Robust Visual Features without Supervision (Oquab et al., 2023)
        | Exposing flaws of generative model evaluation metrics (Stein et al., 2023); their package
        | dgm-eval gives FD 862.537 between the first 512 images of CIFAR-10's train and test splits

    Arguments:
        dataset: Its image shape lets flattened points be given; None for arrays (N, C, H, W).
        arch: vitl14, as the paper has it, vitb14 or vits14.
        weights: The authors' file dinov2_vitl14_pretrain.pth (or the architecture's), or a
            .safetensors of the same names; None looks into genbench's cache, then into torch hub's.

    Raises:
        SpecError: If there is no such architecture.
        DataError: If there are no weights, or not for this network, or timm is not installed.
    """

    def __init__(
        self, dataset: Dataset | None = None, *, arch: str = "vitl14", weights: str | None = None
    ) -> None:
        super().__init__(dataset)
        if arch not in TIMM:
            raise SpecError(f"dinov2 has no architecture {arch!r}{nearest(arch, TIMM)}")
        self.arch = arch
        self.weights = _weights.find_file("dinov2", _file(arch), weights)

    @classmethod
    def fetch(cls, *, offline: bool = False) -> str:
        """Downloads the authors' weights of ViT-L/14 into genbench's cache (1.2 GB).

        Nobody publishes their sha256: the protocol says which file was used.
        """
        return _weights.download(_file("vitl14"), _url("vitl14"), digest=None, offline=offline)

    @property
    def protocol(self) -> str:
        """The architecture and the sha256 of the weights, shortened."""
        return f"dinov2:{self.arch} weights {self.digest[:8]}"

    @torch.no_grad()
    def extract(self, x: Tensor) -> Tensor:
        """Maps images (N, 1 or 3, H, W) in [0, 1] to features (N, F), float32."""
        pictures = images("dinov2", x, self.dataset)
        network = self._network.to(x.device)
        parts = [
            network(standardise(resize(part, SIDE), MEAN, STD)).float()
            for part in pictures.split(ROWS)
        ]
        return torch.cat(parts)

    @cached_property
    def digest(self) -> str:
        """The sha256 of its weights."""
        return _weights.file_digest(self.weights)

    @cached_property
    def _network(self) -> nn.Module:
        network = make_transformer("dinov2", TIMM[self.arch], img_size=SIDE, num_classes=0)
        state = _weights.read_weights(self.weights)
        state.pop("mask_token", None)  # for training alone
        if "pos_embed" not in state:
            raise DataError(f"{self.weights} does not fit dinov2: it has no pos_embed")
        state["pos_embed"] = resize_positions(state["pos_embed"].float(), SIDE // PATCH)
        _weights.fit_weights(network, state, self.weights, f"DINOv2's {self.arch}")
        return network


def resize_positions(positions: Tensor, side: int) -> Tensor:
    """Returns the positions of a class token and of side×side patches, (1, 1 + side², W).

    Arguments:
        positions: Those of the class token and of a square of patches, shape (1, 1 + n², W).
        side: How many patches a side.
    """
    token, grid = positions[:, :1], positions[:, 1:]
    before = math.isqrt(grid.shape[1])
    if before**2 != grid.shape[1]:
        raise DataError(f"dinov2 needs positions of a square of patches, got {grid.shape[1]}")
    if before == side:
        return positions
    square = grid.unflatten(1, (before, before)).permute(0, 3, 1, 2)
    scale = (side + OFFSET) / before
    square = functional.interpolate(square, scale_factor=(scale, scale), mode="bicubic")
    return torch.cat([token, square.flatten(2).transpose(1, 2)], dim=1)


def _file(arch: str) -> str:
    return f"dinov2_{arch}_pretrain.pth"


def _url(arch: str) -> str:
    return f"https://dl.fbaipublicfiles.com/dinov2/dinov2_{arch}/{_file(arch)}"
