"""A perceptron as one node of the graph: the same values and gradients as operation by operation."""

import pytest
import torch
from torch import Tensor

from genbench.core.rng import Rng
from genbench.nn.mlp import MLP
from genbench.nn.stacked import ACTIVATIONS, differentiable_twice


@pytest.fixture(params=ACTIVATIONS)
def network(request: pytest.FixtureRequest) -> MLP:
    rng = Rng([0, 1], dtype=torch.float64)
    return MLP(3, 2, (5, 4), rng, activation=request.param)


@pytest.fixture
def x() -> Tensor:
    return Rng([3, 4], dtype=torch.float64).normal(6, 3).requires_grad_()


def assert_close(these: tuple[Tensor | None, ...], those: tuple[Tensor | None, ...]) -> None:
    assert [t is None for t in these] == [t is None for t in those]
    for a, b in zip(these, those, strict=True):
        if a is not None and b is not None:
            torch.testing.assert_close(a, b, rtol=1e-10, atol=1e-12)


def test_values_and_gradients_are_those_of_single_operations(network: MLP, x: Tensor) -> None:
    weights = [x, *network.parameters()]
    y = network(x)
    fused = torch.autograd.grad(y.square().sum(), weights)
    with differentiable_twice():
        z = network(x)
        plain = torch.autograd.grad(z.square().sum(), weights)
    torch.testing.assert_close(y, z, rtol=1e-12, atol=1e-12)
    assert_close(fused, plain)


def test_gradients_can_be_differentiated_again(network: MLP, x: Tensor) -> None:
    weights = [x, *network.parameters()]

    def penalty() -> tuple[Tensor | None, ...]:
        (slope,) = torch.autograd.grad(network(x).square().sum(), x, create_graph=True)
        return torch.autograd.grad(slope.square().sum(), weights, allow_unused=True)

    fused = penalty()
    with differentiable_twice():
        assert_close(fused, penalty())


def test_gradients_agree_with_differences(network: MLP, x: Tensor) -> None:
    assert torch.autograd.gradcheck(network, (x,))


def test_weights_of_a_network_passed_through_get_no_gradient(
    x: Tensor, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = (MLP(3, 3, (4,), Rng([k, k + 1], dtype=torch.float64)) for k in (0, 5))
    products = []
    bmm = torch.bmm
    monkeypatch.setattr(torch, "bmm", lambda a, b: products.append(a.shape) or bmm(a, b))
    loss = second(first(x.detach())).sum()
    products.clear()
    loss.backward(inputs=list(first.parameters()))
    # of the second network two products towards its input; of the first two for weights, one between
    assert len(products) == 5
    assert all(p.grad is not None for p in first.parameters())
    assert all(p.grad is None for p in second.parameters())


def test_frozen_weights_and_a_fixed_input(x: Tensor) -> None:
    network = MLP(3, 1, (4,), Rng([0, 1], dtype=torch.float64))
    network.requires_grad_(False)
    (slope,) = torch.autograd.grad(network(x).sum(), x)
    with differentiable_twice():
        (again,) = torch.autograd.grad(network(x).sum(), x)
    torch.testing.assert_close(slope, again)
    assert not network(x.detach()).requires_grad


def test_what_went_in_stays_as_it_was(network: MLP, x: Tensor) -> None:
    before = x.detach().clone()
    loss = network(x).sum()
    with torch.no_grad():
        assert torch.equal(x, before)
    loss.backward()
    assert torch.equal(x.detach(), before)
