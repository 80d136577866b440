"""The distance between hidden images of a trained network, and VGG-19 beside torchvision's."""

import pytest
import torch
from torch import nn

from genbench.nn.perceptual import PerceptualNetwork, unit_vectors
from genbench.nn.vgg import STAGES, VGG19
from genbench.points.vision import torchvision


class Doubles(nn.Module):
    """Hidden images: the input, and twice the input with its colours turned."""

    def maps(self, x, last=None):
        return [x, 2 * x.roll(1, 1)][: None if last is None else last + 1]


def images(seed, channels=3, side=6):
    return torch.rand(4, channels, side, side, generator=torch.Generator().manual_seed(seed))


def test_the_distance_is_that_of_channels_at_unit_length():
    network = PerceptualNetwork(Doubles(), (0, 1), mean=(0.5,) * 3, std=(0.25,) * 3)
    x, y = images(0), images(1)
    one, two = (
        (part - 0.5) / (part - 0.5).norm(dim=1, keepdim=True) for part in (x.double(), y.double())
    )
    expected = (one - two).square().sum(1).mean((1, 2))  # the same for either hidden image
    distance = (network(x) - network(y)).square().sum(1)
    assert torch.allclose(distance.double(), expected, atol=1e-5)


def test_grey_is_three_equal_colours_and_images_are_resized():
    network = PerceptualNetwork(Doubles(), (0,), mean=(0.0,) * 3, std=(1.0,) * 3, side=3)
    grey = images(0, channels=1)
    assert torch.equal(network(grey), network(grey.expand(-1, 3, -1, -1)))
    assert network(grey).shape == (4, 3 * 3 * 3)


def test_places_without_any_activation_have_a_finite_slope():
    x = torch.zeros(1, 3, 2, 2, requires_grad=True)
    unit_vectors(x).square().sum().backward()
    assert x.grad is not None
    assert x.grad.isfinite().all()


@pytest.mark.slow
def test_vgg_is_torchvisions_with_the_same_weights():
    torchvision()
    from torchvision.models import vgg

    peer = vgg.make_layers(vgg.cfgs["E"]).eval()
    ours = VGG19()
    ours.load_state_dict({f"features.{k}": v for k, v in peer.state_dict().items()})
    x, ends, before = images(0, side=32), [], images(0, side=32)
    with torch.no_grad():
        for layer in peer:
            if isinstance(layer, nn.MaxPool2d):
                ends.append(before)
            before = layer(before)
        maps = ours.maps(x)
        assert all(torch.equal(a, b) for a, b in zip(maps, ends, strict=True))
        assert len(ours.maps(x, 1)) == 2
    assert [m.shape[1] for m in maps] == [channels for channels, _ in STAGES]
