"""Images made from smaller ones, by a map that is known."""

import pytest
import torch

from genbench.core.dataset import open_named
from genbench.core.errors import SpecError


@pytest.mark.parametrize("kernel", ["box", "bicubic"])
def test_points_are_the_other_data_set_s_and_sources_their_small_images(kernel):
    data, digits = open_named("super_resolution", kernel=kernel), open_named("digits")
    for split in ("train", "test"):
        x, source = data.points(split), data.given.points(split)
        assert torch.equal(x, digits.points(split))
        assert torch.equal(data.labels(split), digits.labels(split))
        assert torch.equal(data.degrade(x), source)
    assert (x.mean((1, 2, 3)) - source.mean((1, 2, 3))).abs().max() < 0.03


def test_a_box_averages_squares():
    data = open_named("super_resolution", scale=4)
    x, source = data.points("test")[0, 0], data.given.points("test")[0, 0]
    assert source.shape == (2, 2)
    assert source[0, 1] == torch.round(x[:4, 4:].mean() * 16) / 16


@pytest.mark.parametrize("options", [{"scale": 1}, {"scale": 3}, {"of": "ring"}])
def test_impossible_ones_are_refused(options):
    with pytest.raises(SpecError, match="super_resolution needs"):
        open_named("super_resolution", **options)
