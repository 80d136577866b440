"""EfficientNet-Lite0, a small classifier of photographs with published weights; it has no axis of seeds."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor, nn
from torch.nn import functional

#: kernel, stride, expansion, outputs and repeats of each stage
STAGES = (
    (3, 1, 1, 16, 1),
    (3, 2, 6, 24, 2),
    (5, 2, 6, 40, 2),
    (3, 2, 6, 80, 3),
    (5, 1, 6, 112, 3),
    (5, 2, 6, 192, 4),
    (3, 1, 6, 320, 1),
)
#: the size of the penultimate layer
FEATURES = 1280
#: of TensorFlow's batch normalisation
EPSILON = 1e-3
#: the normalisation that follows each convolution, by their names in the published files
NORMS = {
    "conv_stem": "bn0",
    "expand_conv": "bn0",
    "depthwise_conv": "bn1",
    "project_conv": "bn2",
    "conv_head": "bn1",
}


class EfficientNetLite0(nn.Module):
    """Creates EfficientNet-Lite0: no squeeze-and-excitation, ReLU6, TensorFlow's padding.

    It is frozen: its batch normalisation is part of the convolutions (`fold_norms`), and weights come
    from a file. 4.6 million of them, of one seed, for features and for perceptual losses.

    References:
        | EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks (Tan and Le, 2019)
        | Higher accuracy on vision models with EfficientNet-Lite (Liu, 2020), for what Lite leaves out

    Arguments:
        classes: The number of logits.
    """

    def __init__(self, classes: int = 1000) -> None:
        super().__init__()
        self.conv_stem, inputs, blocks = _Conv2d(3, 32, 3, stride=2), 32, []
        for kernel, stride, expansion, outputs, repeats in STAGES:
            for k in range(repeats):
                blocks.append(_Block(inputs, outputs, kernel, 1 if k else stride, expansion))
                inputs = outputs
        self.blocks = nn.ModuleList(blocks)
        self.conv_head = _Conv2d(inputs, FEATURES, 1)
        # skip_init leaves out the layers' own draws, which move the global generator
        self.fc = nn.utils.skip_init(nn.Linear, FEATURES, classes)

    def maps(self, x: Tensor, blocks: int | None = None) -> list[Tensor]:
        """Maps (B, 3, H, W) to what leaves the stem and each of the 16 blocks, (B, C, H', W').

        Arguments:
            x: Images as `features` takes them.
            blocks: How many blocks are run; None runs all.
        """
        maps = [functional.relu6(self.conv_stem(x), inplace=True)]
        for block in list(self.blocks)[:blocks]:
            maps.append(block(maps[-1]))
        return maps

    def features(self, x: Tensor) -> Tensor:
        """Maps images (B, 3, H, W), (v - 127) / 128 of bytes v, to pooled features (B, 1280), >= 0."""
        return functional.relu6(self.conv_head(self.maps(x)[-1])).mean((2, 3))

    def forward(self, x: Tensor) -> Tensor:
        """Maps the same to class logits (B, classes)."""
        return self.fc(self.features(x))


def fold_norms(published: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Returns weights for `EfficientNetLite0` from published ones, whose names begin with underscores.

    Raises:
        KeyError: If a convolution's normalisation is missing.
    """
    names = {".".join(part.removeprefix("_") for part in key.split(".")): key for key in published}
    folded = {}
    for name, key in names.items():
        *scope, layer, kind = name.split(".")
        if layer == "fc":
            folded[name] = published[key].contiguous()
        if kind != "weight" or layer not in NORMS:
            continue
        norm = {
            what: published[names[".".join((*scope, NORMS[layer], what))]].double()
            for what in ("weight", "bias", "running_mean", "running_var")
        }
        scale = norm["weight"] / (norm["running_var"] + EPSILON).sqrt()
        conv, bias = ".".join((*scope, layer)), norm["bias"] - norm["running_mean"] * scale
        folded[f"{conv}.weight"] = (published[key] * scale.view(-1, 1, 1, 1)).float().contiguous()
        folded[f"{conv}.bias"] = bias.float()
    return folded


class _Conv2d(nn.Conv2d):
    """A convolution padded as TensorFlow does: of an odd number of zeros the last side has more."""

    def __init__(
        self, inputs: int, outputs: int, kernel: int, *, stride: int = 1, groups: int = 1
    ) -> None:
        padding = (kernel - 1) // 2 if stride == 1 else 0
        super().__init__(
            inputs, outputs, kernel, stride, padding, groups=groups, device="meta"
        )  # without draws
        self.to_empty(device="cpu")

    def forward(self, x: Tensor) -> Tensor:
        if self.stride[0] > 1:
            zeros = []
            for side, kernel, stride in zip(
                x.shape[:1:-1], self.kernel_size, self.stride, strict=True
            ):
                excess = max(0, (-(-side // stride) - 1) * stride + kernel - side)
                zeros += [excess // 2, excess - excess // 2]
            x = functional.pad(x, zeros)
        return super().forward(x)


class _Block(nn.Module):
    """An inverted bottleneck: wider pixel by pixel, across pixels channel by channel, narrower again."""

    def __init__(
        self, inputs: int, outputs: int, kernel: int, stride: int, expansion: int
    ) -> None:
        super().__init__()
        wide, self.residual = inputs * expansion, stride == 1 and inputs == outputs
        self.expand_conv = _Conv2d(inputs, wide, 1) if expansion > 1 else None
        self.depthwise_conv = _Conv2d(wide, wide, kernel, stride=stride, groups=wide)
        self.project_conv = _Conv2d(wide, outputs, 1)

    def forward(self, x: Tensor) -> Tensor:
        wide = (
            x if self.expand_conv is None else functional.relu6(self.expand_conv(x), inplace=True)
        )
        y = self.project_conv(functional.relu6(self.depthwise_conv(wide), inplace=True))
        return x + y if self.residual else y
