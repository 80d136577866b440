"""Networks in a loss that are not trained."""

import torch
from torch import nn

from genbench.contracts.standin import DEVICE, StandInTensor, stand_in
from genbench.nn.frozen import Frozen


class Holder(nn.Module):
    def __init__(self, network):
        super().__init__()
        self.frozen = Frozen(network)


def network():
    layers = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.Dropout(0.5), nn.ReLU())
    return layers.eval()


def test_it_is_no_part_of_a_model_s_weights():
    holder = Holder(network()).train()
    assert not list(holder.parameters())
    assert not holder.state_dict()
    assert len(list(holder.buffers())) == 7


def test_it_serves_all_seeds_as_the_network_does_alone():
    inner = network()
    x = torch.rand(2, 3, 1, 6, 6, generator=torch.Generator().manual_seed(0))
    holder = Holder(inner).train()  # batch norm and dropout stay at rest
    y = holder.frozen(x)
    assert y.shape == (2, 3, 2, 4, 4)
    assert torch.allclose(y[1], inner(x[1]))


def test_gradients_reach_the_points_and_not_the_network():
    inner = network()
    x = torch.ones(1, 2, 1, 6, 6, requires_grad=True)
    Holder(inner).frozen(x).sum().backward()
    assert x.grad is not None
    assert all(p.grad is None for p in inner.parameters())


def test_its_weights_follow_the_model():
    inner = nn.Linear(3, 2)
    holder = Holder(inner).double()
    x = torch.ones(1, 4, 3, dtype=torch.float64)
    assert holder.frozen(x).dtype == torch.float64
    assert inner.weight.dtype == torch.float32
    with stand_in():
        moved = Holder(inner).to(DEVICE)
        assert isinstance(moved.frozen(torch.ones(1, 4, 3).to(DEVICE)), StandInTensor)
