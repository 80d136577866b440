"""Sharpness and likeness of images, against closed forms and torchmetrics."""

import pytest
import torch
from torch.nn.functional import avg_pool2d, interpolate

from genbench.core.dataset import DATASETS
from genbench.core.errors import DataError, SpecError
from genbench.core.rng import Rng
from genbench.metrics.ms_ssim import POWERS, layout, likeness, ms_ssim
from genbench.metrics.sharpness import sharpness
from genbench.points.vision import torchvision

RNG = Rng([0])


def images(n, side, seed=0, channels=1):
    made = torch.Generator().manual_seed(seed)
    rough = torch.rand(n, channels, side // 4, side // 4, generator=made, dtype=torch.float64)
    noise = torch.rand(n, channels, side, side, generator=made, dtype=torch.float64)
    return 0.8 * interpolate(rough, size=side, mode="bilinear") + 0.2 * noise


def ratios(real, fake):
    return {name: score.value for name, score in sharpness(real, fake, rng=RNG).items()}


def test_energies_of_waves_are_known():
    """A wave of f cycles a pixel has a gradient energy of 4 sin²(pi f) of its power."""
    across = torch.arange(32).double().expand(1, 1, 32, 32)
    slow, fast = (torch.sin(2 * torch.pi * f * across).repeat(5, 1, 1, 1) for f in (0.125, 0.375))
    found = ratios(slow + fast, fast)
    energies = [float(torch.sin(torch.tensor(torch.pi * f)) ** 2) for f in (0.125, 0.375)]
    assert found["high_frequency"] == pytest.approx(1, abs=1e-9)
    assert found["sharpness"] == pytest.approx(energies[1] / sum(energies), rel=0.06)
    assert ratios(slow + fast, slow)["high_frequency"] == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("value", [0.1, 0.3, 1.0])
def test_power_that_is_rounding_is_none(value):
    flat = torch.full((20, 1, 28, 28), value)
    found = sharpness(flat, images(20, 28), rng=RNG)
    assert [score.value for score in found.values()] == [None, None]
    assert found["high_frequency"].reason == "the true images have no such power"
    assert set(ratios(images(20, 28), flat).values()) == {0.0}


def test_blurred_images_are_below_one_noisy_ones_above_and_scale_counts_squared():
    real = images(200, 16)
    blurred = avg_pool2d(real, 3, stride=1, padding=1, count_include_pad=False)
    assert max(ratios(real, blurred).values()) < 0.5
    noise = torch.rand(real.shape, generator=torch.Generator().manual_seed(3))
    assert min(ratios(real, real + noise).values()) > 2
    assert ratios(real, real / 2) == pytest.approx({"sharpness": 0.25, "high_frequency": 0.25})
    same = sharpness(real, images(200, 16, seed=1), rng=RNG)
    for score in same.values():
        assert abs(score.value - 1) < 4 * score.stderr


def test_likeness_agrees_with_torchmetrics_away_from_borders():
    """Its similarity counts reflected borders too, which are cut off here as its contrast is."""
    torchvision()
    from torchmetrics.functional.image import structural_similarity_index_measure as peer

    for side, channels in ((180, 1), (64, 3), (28, 1)):
        window, scales = layout(side)
        assert window == 11
        x, y = images(1, side, 0, channels), images(1, side, 1, channels)
        y = (x + y) / 2
        found, expected = float(likeness(x, y, window, scales)), 1.0
        for scale, power in enumerate(POWERS[:scales]):
            if scale:
                x, y = avg_pool2d(x, 2), avg_pool2d(y, 2)
            if scale == scales - 1:
                part = peer(x, y, data_range=1.0, return_full_image=True)[1][..., 5:-5, 5:-5]
            else:
                part = peer(x, y, data_range=1.0, return_contrast_sensitivity=True)[1]
            expected *= float(part.mean()) ** (power / sum(POWERS[:scales]))
        assert found == pytest.approx(expected, rel=1e-9), side


@pytest.mark.parametrize(
    ("side", "expected"),
    [(2, (1, 1)), (8, (7, 1)), (11, (11, 1)), (28, (11, 2)), (32, (11, 2)), (176, (11, 5))],
)
def test_small_images_have_fewer_scales(side, expected):
    assert layout(side) == expected
    score = ms_ssim(
        images(9, max(side, 4))[..., :side, :side],
        images(9, max(side, 4), 1)[..., :side, :side],
        rng=RNG,
        pairs=5,
    )
    assert score["ms_ssim"].protocol == {"window": expected[0], "scales": expected[1]}


def test_one_image_is_like_itself_and_true_images_are_as_alike_as_others():
    real = DATASETS.get("digits")().points("train")
    one = ms_ssim(real[:300], real[:1].repeat(50, 1, 1, 1), rng=RNG)
    assert one["ms_ssim"].value == pytest.approx(1)
    assert one["ms_ssim_excess"].value > 0.5
    other = ms_ssim(real[:600], real[600:1200], rng=RNG)["ms_ssim_excess"]
    assert abs(other.value) < 4 * other.stderr
    noise = torch.rand(real[:300].shape, generator=torch.Generator().manual_seed(0))
    assert ms_ssim(real[:300], noise, rng=RNG)["ms_ssim_excess"].value < 0


@pytest.mark.parametrize("scale", [255, 2], ids=str)
def test_likeness_is_null_of_pixels_beyond_its_range(scale):
    """Its constants are those of values in [0, 1]: of others it gave a number all the same."""
    x = scale * images(9, 8) - scale // 2
    for score in ms_ssim(x, x, rng=RNG).values():
        assert score.value is None
        assert "pixels are not in [0, 1] but from" in score.reason


@pytest.mark.parametrize("function", [sharpness, ms_ssim])
def test_what_is_no_image_gets_a_reason_and_what_is_broken_an_error(function):
    flat = torch.zeros(9, 5)
    for x in (flat, flat.long(), torch.zeros(9, 1, 1, 7)):
        assert all("are no images" in score.reason for score in function(x, x, rng=RNG).values())
    with pytest.raises(DataError, match="needs points of one shape, got real"):
        function(images(9, 8), images(9, 12), rng=RNG)
    constant = torch.zeros(9, 1, 8, 8)
    found = function(constant, constant, rng=RNG)
    assert all(s.value is None or s.value in (0, 1) for s in found.values())


def test_options_are_checked():
    with pytest.raises(SpecError, match="'pairs' needs a whole number of 2 or more, got 1"):
        ms_ssim(images(9, 8), images(9, 8), rng=RNG, pairs=1)
