import pytest
import torch

from genbench.core.dataset import DataSpec
from genbench.core.errors import SpecError
from genbench.core.model import build
from genbench.core.rng import Rng
from genbench.nn.output import centred, code_size, into_range

BOUNDED = DataSpec("bounded", (2,), range=(-1.0, 3.0))
FREE = DataSpec("free", (2,))


def test_into_range_stays_inside_and_is_half_way_at_zero():
    x = torch.tensor([-50.0, 0.0, 50.0])
    torch.testing.assert_close(into_range(x, BOUNDED), torch.tensor([-1.0, 1.0, 3.0]))
    assert into_range(x, FREE) is x


def test_centred_maps_the_range_to_minus_one_and_one():
    x = torch.tensor([-1.0, 0.0, 1.0, 3.0])
    torch.testing.assert_close(centred(x, BOUNDED), torch.tensor([-1.0, -0.5, 0.0, 1.0]))
    assert centred(x, FREE) is x


def test_a_code_of_no_numbers_is_not_the_usual_one():
    """`latent: 0` trained the usual number of dimensions and was recorded as 0."""
    assert (code_size(None, 2), code_size(3, 2)) == (2, 3)
    with pytest.raises(
        SpecError, match="'latent' needs a whole number of 1 or more or None, got 0"
    ):
        build("vae", FREE, Rng([0]), {"latent": 0})
