import torch

from genbench.core.dataset import DataSpec
from genbench.nn.output import centred, into_range

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
