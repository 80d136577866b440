"""Stacked layers are the layers of their seeds, side by side."""

import pytest
import torch
from torch.nn import functional

from genbench.core.rng import Rng
from genbench.nn.mlp import ACTIVATIONS, MLP, Linear, flat


def test_linear_is_each_seeds_linear():
    layer = Linear(3, 4, Rng([0, 1], dtype=torch.float64))
    x = Rng([0, 1], dtype=torch.float64).fork("x").normal(5, 3)
    for k, row in enumerate(layer(x)):
        expected = functional.linear(x[k], layer.weight[k].T, layer.bias[k, 0])
        torch.testing.assert_close(row, expected, rtol=1e-12, atol=1e-12)


def test_weights_of_a_seed_do_not_depend_on_the_stack():
    stack, alone = MLP(2, 3, (8, 8), Rng([0, 5])), MLP(2, 3, (8, 8), Rng([5]))
    for a, b in zip(stack.parameters(), alone.parameters(), strict=True):
        assert torch.equal(a[1], b[0])
        assert not torch.equal(a[0], a[1])


def test_weights_fill_torchs_default_interval():
    layer = Linear(25, 4000, Rng([0]))
    for weights in (layer.weight, layer.bias):
        assert weights.abs().max() <= 0.2
        assert weights.abs().max() > 0.199
        assert weights.mean().abs() < 0.01


def test_gain_scales_and_zero_gain_gives_zero():
    narrow, wide = Linear(3, 4, Rng([0])), Linear(3, 4, Rng([0]), gain=2.0)
    torch.testing.assert_close(wide.weight, 2 * narrow.weight)
    silent = MLP(3, 2, (4,), Rng([0]), last_gain=0.0)
    assert torch.equal(
        silent(torch.randn(1, 5, 3, generator=torch.Generator())), torch.zeros(1, 5, 2)
    )


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_mlp_composes_its_layers(activation):
    net = MLP(2, 3, (8, 4), Rng([0, 1]), activation=activation)
    x = Rng([0, 1]).fork("x").normal(6, 2)
    y = x
    for layer in net.layers[:-1]:
        y = ACTIVATIONS[activation](layer(y))
    torch.testing.assert_close(net(x), net.layers[-1](y))
    assert net(x).shape == (2, 6, 3)


def test_flat_keeps_seeds_and_batch():
    x = torch.arange(24.0).view(2, 3, 1, 2, 2)
    assert flat(x).shape == (2, 3, 4)
    assert torch.equal(flat(x)[1, 2], x[1, 2].flatten())
