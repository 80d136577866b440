"""Networks that enlarge images."""

import pytest
import torch

from genbench.core.errors import SpecError
from genbench.core.rng import Rng
from genbench.nn.super_resolution import EnlargingNetwork, find_scale, prime_factors


@pytest.mark.parametrize("scale", [2, 3, 4, 6])
def test_images_grow_by_the_scale(scale):
    network = EnlargingNetwork(2, 3, scale, 4, 1, Rng([0, 1]))
    assert network(torch.rand(2, 5, 2, 4, 3)).shape == (2, 5, 3, 4 * scale, 3 * scale)


def test_a_pixel_depends_on_the_source_around_it():
    network = EnlargingNetwork(1, 1, 2, 4, 1, Rng([0], dtype=torch.float64))
    x = torch.rand(1, 1, 1, 24, 24, dtype=torch.float64, requires_grad=True)
    (slope,) = torch.autograd.grad(network(x)[..., 24, 24].sum(), x)
    rows = slope[0, 0, 0].abs().sum(1).nonzero().squeeze(1)
    assert 12 in rows
    assert (
        rows.max() - rows.min() + 1 <= 5 + 4 + 2 + 2 + 3
    )  # kernels of 5, 3, 3, 3, 3 and 5 at twice the size


def test_scales_are_whole_and_the_same_along_both_sides():
    assert find_scale((1, 7, 7), (1, 28, 28)) == 4
    assert [prime_factors(n) for n in (2, 4, 6, 7)] == [[2], [2, 2], [2, 3], [7]]
    for source, event in (
        ((1, 8, 8), (1, 8, 8)),
        ((1, 8, 4), (1, 16, 12)),
        ((1, 3, 3), (1, 8, 8)),
    ):
        with pytest.raises(SpecError, match="larger than sources by a whole factor"):
            find_scale(source, event)
