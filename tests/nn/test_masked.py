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


@pytest.mark.parametrize(
    ("hidden", "width"), [((16, 8), 1), ((3, 7), 1), ((24,), 3), ((4, 4, 4), 2)]
)
def test_steps_give_what_forward_gives(hidden, width):
    net = MaskedMLP(6, 2, hidden, Rng([0, 1], **F64), width=width, activation="tanh")
    y = Rng([2, 3], **F64).normal(7, 6, width)
    step = net.steps(7)
    stepped = [step(d, y[:, :, d - 1] if d else torch.zeros_like(y[:, :, 0])) for d in range(6)]
    torch.testing.assert_close(torch.stack(stepped, dim=2), net(y), rtol=1e-12, atol=1e-12)


def test_the_last_output_sees_far_back_where_hidden_units_are_few():
    net = MaskedMLP(100, 1, (8, 8), Rng([0], **F64), activation="tanh")
    slopes = jacobian(net, Rng([1], **F64).normal(100)[0]).abs().sum(1)
    assert (slopes[99] > 0).nonzero().max() > 80


def test_masked_weights_neither_act_nor_get_a_gradient():
    mask = torch.tensor([[1.0, 0.0], [1.0, 1.0]])
    layer = MaskedLinear(mask, Rng([0, 1]))
    layer(torch.ones(2, 3, 2)).sum().backward()
    assert torch.equal(layer.weight.grad, 3 * mask.expand(2, 2, 2))
    assert torch.equal(layer.masked_weight()[:, 0, 1], torch.zeros(2))


def test_masks_are_not_part_of_the_state():
    assert not any("mask" in key for key in MaskedMLP(3, 1, (4,), Rng([0])).state_dict())
