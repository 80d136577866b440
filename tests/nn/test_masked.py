"""Masked networks are autoregressive, whatever their widths."""

import pytest
import torch

from genbench.core.rng import Rng
from genbench.nn.masked import MaskedLinear, MaskedMLP

F64 = {"dtype": torch.float64}


def jacobian(net, x):
    """d output[d, p] / d input[e], shape (D, P, D), of the first seed at one point."""
    return torch.autograd.functional.jacobian(lambda row: net(row.view(1, 1, -1))[0, 0], x)


@pytest.mark.parametrize(("inputs", "hidden"), [(5, (16,)), (4, (3, 7)), (2, (4, 4)), (9, (5, 5))])
def test_the_jacobian_is_strictly_lower_triangular(inputs, hidden):
    net = MaskedMLP(inputs, 3, hidden, Rng([0], **F64), activation="tanh")
    slopes = jacobian(net, Rng([1], **F64).normal(inputs)[0]).abs().sum(1)
    assert torch.equal(slopes.triu(), torch.zeros(inputs, inputs, dtype=torch.float64))


def test_every_earlier_input_is_seen_when_there_are_units_enough():
    net = MaskedMLP(5, 2, (32, 32), Rng([0], **F64), activation="tanh")
    slopes = jacobian(net, Rng([1], **F64).normal(5)[0]).abs().sum(1)
    below = torch.ones(5, 5).tril(-1).bool()
    assert (slopes[below] > 0).all()


def test_one_input_is_seen_by_nothing():
    net = MaskedMLP(1, 4, (8,), Rng([0]))
    assert torch.equal(net(torch.zeros(1, 1, 1)), net(torch.ones(1, 1, 1)))


def test_unroll_draws_from_what_forward_gives():
    net = MaskedMLP(6, 2, (16, 8), Rng([0, 1], **F64), activation="tanh")
    seen = []

    def draw(d, outputs):
        seen.append(outputs)
        return outputs[..., 0] + 0.1 * d

    x = net.unroll(7, draw)
    torch.testing.assert_close(net(x), torch.stack(seen, dim=2), rtol=1e-12, atol=1e-12)
    assert x.shape == (2, 7, 6)


def test_masked_weights_neither_act_nor_get_a_gradient():
    mask = torch.tensor([[1.0, 0.0], [1.0, 1.0]])
    layer = MaskedLinear(mask, Rng([0, 1]))
    layer(torch.ones(2, 3, 2)).sum().backward()
    assert torch.equal(layer.weight.grad, 3 * mask.expand(2, 2, 2))
    assert torch.equal(layer.kept()[:, 0, 1], torch.zeros(2))


def test_masks_are_not_part_of_the_state():
    assert not any("mask" in key for key in MaskedMLP(3, 1, (4,), Rng([0])).state_dict())
