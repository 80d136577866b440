import pytest
import torch

from genbench.core.dataset import DataSpec
from genbench.core.errors import SpecError
from genbench.core.model import build
from genbench.core.rng import Rng
from genbench.models.flow._coupling_image import (
    ChannelCoupling,
    CheckerboardCoupling,
    ImageCouplings,
    squeezed,
    unsqueezed,
)


def stirred(module, dtype=torch.float64, scale=0.08):
    """Moves the weights away from their start, at which every coupling is the identity."""
    rng = Rng([9], dtype=dtype)
    with torch.no_grad():
        for p in module.parameters():
            p.copy_(scale * rng.normal(*p.shape[1:]).expand_as(p))
    return module


def flow(event, dtype=torch.float64, **options):
    couplings = ImageCouplings(event, 4, 1, Rng([0], dtype=dtype), **options)
    return stirred(couplings, dtype)


def test_a_squeeze_moves_blocks_of_pixels_into_channels():
    x = torch.arange(16.0).view(1, 1, 1, 4, 4)
    y = squeezed(x)
    assert y.shape == (1, 1, 4, 2, 2)
    assert y[0, 0, :, 0, 1].tolist() == [2, 3, 6, 7]
    many = Rng([0, 1]).normal(3, 2, 6, 4)
    assert torch.equal(unsqueezed(squeezed(many)), many)


@pytest.mark.parametrize("odd", [False, True])
def test_a_checkerboard_moves_half_the_pixels_given_the_other_half(odd):
    layer = stirred(CheckerboardCoupling(1, odd, 4, 1, 2.0, Rng([0], dtype=torch.float64)))
    x = Rng([1], dtype=torch.float64).normal(1, 1, 4, 4)
    y, _ = layer(x)
    black = (torch.arange(4).unsqueeze(-1) + torch.arange(4)) % 2 == int(odd)
    assert torch.equal(y[0, 0, 0][black], x[0, 0, 0][black])
    assert (y[0, 0, 0][~black] != x[0, 0, 0][~black]).all()
    slopes = torch.autograd.functional.jacobian(lambda v: layer(v)[0], x).view(16, 16)
    moved = slopes[~black.flatten()][:, ~black.flatten()]
    assert torch.equal(moved, moved.diag().diag())
    assert (slopes[~black.flatten()][:, black.flatten()] != 0).any()


@pytest.mark.parametrize("odd", [False, True])
def test_a_channel_coupling_moves_one_half_of_the_channels(odd):
    layer = stirred(ChannelCoupling(4, odd, 4, 1, 2.0, Rng([0], dtype=torch.float64)))
    x = Rng([1], dtype=torch.float64).normal(2, 4, 3, 3)
    y, _ = layer(x)
    kept, moved = (slice(2, 4), slice(0, 2)) if odd else (slice(0, 2), slice(2, 4))
    assert torch.equal(y[:, :, kept], x[:, :, kept])
    assert (y[:, :, moved] != x[:, :, moved]).all()


@pytest.mark.parametrize("event", [(1, 8, 8), (2, 3, 5), (3, 4, 4)], ids=str)
def test_the_log_determinant_is_that_of_the_jacobian(event):
    couplings = flow(event)
    size = event[0] * event[1] * event[2]
    for x in Rng([3], dtype=torch.float64).normal(2, size)[0]:
        slopes = torch.autograd.functional.jacobian(
            lambda v: couplings(v.view(1, 1, -1))[0][0, 0], x
        )
        log_det = couplings(x.view(1, 1, -1))[1]
        torch.testing.assert_close(log_det[0, 0], torch.linalg.slogdet(slopes).logabsdet)
        assert log_det.abs() > 0.1


@pytest.mark.parametrize(("dtype", "error"), [(torch.float32, 1e-5), (torch.float64, 1e-9)])
@pytest.mark.parametrize("event", [(1, 8, 8), (3, 16, 8), (1, 28, 28)], ids=str)
def test_codes_go_back(event, dtype, error):
    couplings = flow(event, dtype)
    x = Rng([4], dtype=dtype).normal(5, event[0] * event[1] * event[2])
    with torch.no_grad():
        z, _ = couplings(x)
        assert z.shape == x.shape
        torch.testing.assert_close(couplings.inverse(z), x, rtol=error, atol=error)


def test_scales_halve_while_sides_are_even_and_at_least_eight():
    assert flow((1, 28, 28)).smallest == (4, 7, 7)
    assert flow((3, 32, 32)).smallest == (24, 4, 4)
    assert flow((1, 9, 8)).smallest == (1, 9, 8)


def test_realnvp_takes_it_for_images_alone():
    rng = Rng([0, 1])
    spec = DataSpec("image", (1, 8, 8), range=(0.0, 1.0))
    couplings = build("realnvp", spec, rng, {"network": "conv", "width": 4, "blocks": 1})
    x = couplings.sample(6, rng.fork("sample"))
    assert x.shape == (2, 6, 1, 8, 8)
    stirred(couplings.flow, torch.float32, 0.1)
    with torch.no_grad():
        z, _ = couplings(x)
        torch.testing.assert_close(couplings.inverse(z), x, rtol=1e-4, atol=1e-4)
    with pytest.raises(SpecError, match="needs images"):
        build("realnvp", DataSpec("plane", (2,)), rng, {"network": "conv"})
