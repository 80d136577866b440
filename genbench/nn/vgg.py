"""VGG-19's convolutions, the network of most perceptual losses; it has no axis of seeds."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional

#: channels and number of the convolutions between two poolings
STAGES = ((64, 2), (128, 2), (256, 4), (512, 4), (512, 4))


class VGG19(nn.Module):
    """Creates VGG-19 without its classifier: 16 convolutions of 3×3, halved by maxima after each stage.

    Weights come from a file; layers are numbered as in torchvision's `features`.

    References:
        | Very Deep Convolutional Networks for Large-Scale Image Recognition (Simonyan and Zisserman,
        | 2015), table 1, column E
    """

    def __init__(self) -> None:
        super().__init__()
        layers: dict[str, nn.Module] = {}
        inputs, place = 3, 0
        for channels, count in STAGES:
            for _ in range(count):
                # without draws, which would move the global generator
                layers[str(place)] = nn.utils.skip_init(nn.Conv2d, inputs, channels, 3, padding=1)
                inputs, place = channels, place + 2
            place += 1
        self.features = nn.ModuleDict(layers)

    def maps(self, x: Tensor, last: int | None = None) -> list[Tensor]:
        """Maps images (N, 3, H, W) to what leaves the stages' last activations, of half the size each.

        Arguments:
            x: Images standardised as ImageNet's, H and W at least 2 to the stages' number less one.
            last: The last stage that is run, from 0; None runs all.
        """
        maps, layers = [], iter(self.features.values())
        stages = STAGES if last is None else STAGES[: last + 1]
        for k, (_, count) in enumerate(stages):
            x = functional.max_pool2d(x, 2) if k else x
            for _ in range(count):
                x = functional.relu(next(layers)(x))
            maps.append(x)
        return maps
