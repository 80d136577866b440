"""Couplings can be undone, and their determinants are autograd's."""

import pytest
import torch

from genbench.core.rng import Rng
from genbench.nn.coupling import AffineCoupling, Couplings

F64 = {"dtype": torch.float64}


def stirred(module, scale=0.5):
    """The module with weights far from its start, at which it is the identity."""
    rng = Rng([99], **F64)
    with torch.no_grad():
        for p in module.parameters():
            p.copy_(scale * rng.normal(*p.shape)[0])
    return module


@pytest.mark.parametrize("mixing", ["permutation", "rotation"])
@pytest.mark.parametrize(("inputs", "layers"), [(2, 8), (2, 3), (5, 4), (7, 5)])
def test_inverse_undoes_forward(inputs, layers, mixing):
    flow = stirred(Couplings(inputs, layers, (8,), Rng([0, 1], **F64), limit=0.5, mixing=mixing))
    x = Rng([0, 1], **F64).fork("x").normal(50, inputs)
    z, _ = flow(x)
    torch.testing.assert_close(flow.inverse(z), x, rtol=1e-9, atol=1e-9)
    assert (z - x).abs().max() > 0.1


@pytest.mark.parametrize("mixing", ["permutation", "rotation"])
@pytest.mark.parametrize(("inputs", "layers"), [(2, 4), (5, 5)])
def test_log_determinant_is_autograds(inputs, layers, mixing):
    flow = stirred(Couplings(inputs, layers, (8,), Rng([0], **F64), mixing=mixing))
    for x in Rng([2], **F64).normal(4, inputs)[0]:
        slopes = torch.autograd.functional.jacobian(lambda row: flow(row.view(1, 1, -1))[0], x)
        expected = torch.linalg.slogdet(slopes.view(inputs, inputs)).logabsdet
        torch.testing.assert_close(flow(x.view(1, 1, -1))[1][0, 0], expected)


def test_couplings_start_at_the_identity_up_to_order():
    flow = Couplings(6, 4, (8,), Rng([0, 1]))
    x = Rng([0, 1]).fork("x").normal(10, 6)
    z, log_det = flow(x)
    torch.testing.assert_close(z.sort(-1).values, x.sort(-1).values)
    assert torch.equal(log_det, torch.zeros(2, 10))


def test_two_couplings_move_every_coordinate():
    flow = stirred(Couplings(5, 2, (8,), Rng([0], **F64)))
    x = Rng([0], **F64).fork("x").normal(1, 5)
    slopes = torch.autograd.functional.jacobian(lambda row: flow(row)[0], x).view(5, 5)
    moved = slopes.abs().sum(1) - slopes.abs().max(1).values
    assert (moved > 1e-6).all()


def test_log_scale_is_bounded():
    layer = stirred(AffineCoupling(2, 3, (8,), Rng([0], **F64), limit=0.7), scale=50.0)
    _, log_det = layer(torch.zeros(1, 20, 3, **F64), Rng([0], **F64).normal(20, 2))
    assert log_det.abs().max() <= 3 * 0.7


def test_permutations_are_the_same_for_all_seeds_and_builds():
    a, b = Couplings(6, 4, (8,), Rng([0])), Couplings(6, 4, (8,), Rng([5, 6]))
    assert torch.equal(a.orders, b.orders)
    assert not any("order" in key for key in a.state_dict())
