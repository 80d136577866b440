"""CLIP's image embeddings, as CMMD compares images by them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional

from genbench.core.dataset import Dataset
from genbench.core.errors import DataError, SpecError, nearest
from genbench.core.feature import Extractor, extractor
from genbench.features import _weights
from genbench.features._images import images, resize, standardise
from genbench.features._vit import make_transformer
from genbench.nn.programs import load_script

#: by architecture: timm's name, the side of an image, OpenAI's file and its sha256
ARCHITECTURES = {
    "vitl14_336": (
        *("vit_large_patch14_clip_quickgelu_336", 336, "ViT-L-14-336px.pt"),
        "3035c92b350959924f9f00213499208652fc7ea050643e8b385c2dac08641f02",
    ),
    "vitl14": (
        *("vit_large_patch14_clip_quickgelu_224", 224, "ViT-L-14.pt"),
        "b8cca3fd41ae0c99ba7e8951adf17d267cdb84cd88be6f7c2e0eca1737a03836",
    ),
    "vitb16": (
        *("vit_base_patch16_clip_quickgelu_224", 224, "ViT-B-16.pt"),
        "5806e77cd80f8b59890b7e101eabd078d9fb84e6937f9e85e4ecb61988df416f",
    ),
    "vitb32": (
        *("vit_base_patch32_clip_quickgelu_224", 224, "ViT-B-32.pt"),
        "40d365715913c9da98579312b702a82c18be219cc2a73407c4526f58eba950af",
    ),
}
DEFAULT, ROWS = "vitl14_336", 16
MEAN = (0.48145466, 0.4578275, 0.40821073)
STD = (0.26862954, 0.26130258, 0.27577711)
#: OpenAI's names and timm's
NAMES = {
    "class_embedding": "cls_token",
    "positional_embedding": "pos_embed",
    "conv1.weight": "patch_embed.proj.weight",
    "ln_pre": "norm_pre",
    "ln_post": "norm",
    "transformer.resblocks": "blocks",
    "ln_1": "norm1",
    "ln_2": "norm2",
    "attn.in_proj_": "attn.qkv.",
    "attn.out_proj": "attn.proj",
    "mlp.c_fc": "mlp.fc1",
    "mlp.c_proj": "mlp.fc2",
}


@extractor("clip")
class CLIP(Extractor):
    """CLIP's projected image embeddings of length 1: 768 numbers of ViT-L/14@336px, 512 of ViT-B.

    With `cmmd` they are CMMD's. Images are taken as 8-bit RGB; the square in the middle is resized to
    336×336 by Pillow's bicubic filter, antialiased, and standardised as CLIP's training images were.

    References:
        | Learning Transferable Visual Models From Natural Language Supervision (Radford et al., 2021)
        | Rethinking FID (Jayasumana et al., 2024), whose code sets resizing, cropping and length 1

    Arguments:
        dataset: Its image shape lets flattened points be given; None for arrays (N, C, H, W).
        arch: vitl14_336, as CMMD has it, vitl14, vitb16 or vitb32.
        weights: OpenAI's file ViT-L-14-336px.pt (or the architecture's), a state dict or a
            .safetensors of the same names; None looks into genbench's cache, then into torch hub's.

    Raises:
        SpecError: If there is no such architecture.
        DataError: If there are no weights, or not for this network, or timm is not installed.
    """

    def __init__(
        self, dataset: Dataset | None = None, *, arch: str = DEFAULT, weights: str | None = None
    ) -> None:
        super().__init__(dataset)
        if arch not in ARCHITECTURES:
            raise SpecError(f"clip has no architecture {arch!r}{nearest(arch, ARCHITECTURES)}")
        self.arch = arch
        self._timm, self._side, name, self._published = ARCHITECTURES[arch]
        self.weights = _weights.find_file("clip", name, weights)

    @classmethod
    def fetch(cls, *, offline: bool = False) -> str:
        """Downloads OpenAI's weights of ViT-L/14@336px into genbench's cache and checks their sha256."""
        _, _, name, digest = ARCHITECTURES[DEFAULT]
        url = f"https://openaipublic.azureedge.net/clip/models/{digest}/{name}"
        return _weights.download(name, url, digest=digest, offline=offline)

    @property
    def protocol(self) -> str:
        """The architecture, and the weights' sha256 where they are not the published file."""
        own = "" if self.digest == self._published else f" weights {self.digest[:8]}"
        return f"clip:{self.arch}{own}"

    @torch.no_grad()
    def extract(self, x: Tensor) -> Tensor:
        """Maps images (N, 1 or 3, H, W) in [0, 1] to embeddings of length 1, (N, F), float32."""
        pictures = images("clip", x, self.dataset)
        network, parts = self._network.to(x.device), []
        for part in pictures.split(ROWS):
            pixels = standardise(resize(part, self._side, crop=1.0), MEAN, STD)
            parts.append(functional.normalize(network(pixels).float(), dim=1))
        return torch.cat(parts)

    @cached_property
    def digest(self) -> str:
        """The sha256 of its weights."""
        return _weights.file_digest(self.weights)

    @cached_property
    def _network(self) -> nn.Module:
        state = rename(read_visual(self.weights))
        if "head.weight" not in state:
            raise DataError(
                f"{self.weights} does not fit CLIP: it has no image encoder's projection"
            )
        outputs = len(state["head.weight"])
        state["head.bias"] = torch.zeros(outputs)  # which CLIP has not
        network = make_transformer("clip", self._timm, num_classes=outputs)
        _weights.fit_weights(network, state, self.weights, f"CLIP's {self.arch}")
        return network


def read_visual(path: Path) -> dict[str, Tensor]:
    """Returns the image encoder's weights, float32, by OpenAI's names without `visual.`.

    Raises:
        DataError: If the file holds anything else.
    """
    state: Mapping[str, Tensor]
    try:
        # OpenAI publishes a TorchScript archive, which runs nothing of Python's
        state = load_script(path).state_dict()
    except DataError:
        state = _weights.read_weights(path)
    return {
        name.removeprefix("visual."): value.float()
        for name, value in state.items()
        if name.startswith("visual.")
    }


def rename(visual: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Returns the image encoder's weights by timm's names and in its shapes."""
    pattern = re.compile("|".join(map(re.escape, NAMES)))
    state = {pattern.sub(lambda match: NAMES[match[0]], name): v for name, v in visual.items()}
    if "proj" in state:
        state["head.weight"] = state.pop("proj").T.contiguous()
    for name, dims in (("cls_token", 3), ("pos_embed", 3)):
        if name in state:
            state[name] = state[name].reshape(
                (1,) * (dims - state[name].dim()) + state[name].shape
            )
    return state
