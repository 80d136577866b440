"""Our optimisers step as torch's do, and keep seeds apart."""

import pytest
import torch
from torch import nn

from genbench.core.errors import SpecError
from genbench.core.rng import Rng
from genbench.nn.optim import SGD, Adam, RMSProp, adam, linear_decay, rmsprop, sgd


def weights(dtype=torch.float64):
    rng = Rng([0, 1], dtype=dtype)
    return [nn.Parameter(rng.normal(4, 3)), nn.Parameter(rng.normal(1, 3))]


def walk(optimizer, parameters, steps=20):
    """Steps down a fixed sequence of gradients and returns where it led."""
    rng = Rng([0, 1], dtype=parameters[0].dtype).fork("gradients")
    for _ in range(steps):
        for p in parameters:
            p.grad = rng.normal(*p.shape[1:]) + p.detach()
        optimizer.step()
    return [p.detach().clone() for p in parameters]


PAIRS = {
    "adam": (adam(1e-2, (0.5, 0.99)), lambda p: torch.optim.Adam(p, 1e-2, (0.5, 0.99))),
    "adamw": (
        adam(1e-2, weight_decay=0.3),
        lambda p: torch.optim.AdamW(p, 1e-2, weight_decay=0.3),
    ),
    "sgd": (sgd(1e-2), lambda p: torch.optim.SGD(p, 1e-2)),
    "momentum": (sgd(1e-2, 0.9), lambda p: torch.optim.SGD(p, 1e-2, momentum=0.9)),
    "rmsprop": (rmsprop(1e-2, 0.9), lambda p: torch.optim.RMSprop(p, 1e-2, alpha=0.9)),
}


@pytest.mark.parametrize("pair", PAIRS)
def test_steps_are_torchs(pair):
    ours, theirs = PAIRS[pair]
    a, b = weights(), weights()
    for x, y in zip(walk(ours(a), a), walk(theirs(b), b), strict=True):
        torch.testing.assert_close(x, y, rtol=1e-10, atol=1e-12)


def test_adam_without_the_kernel_steps_alike():
    a, b = weights(), weights()
    plain = Adam(b, 1e-2, weight_decay=0.3)
    plain._kernel = None
    for x, y in zip(walk(Adam(a, 1e-2, weight_decay=0.3), a), walk(plain, b), strict=True):
        torch.testing.assert_close(x, y, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("make", [adam(1e-2), sgd(1e-2, 0.9), rmsprop(1e-2)])
def test_a_seed_in_a_stack_steps_as_alone(make):
    stack = weights()
    alone = [nn.Parameter(p.detach()[1:].clone()) for p in stack]
    rng = Rng([0, 1], dtype=torch.float64)
    a, b = make(stack), make(alone)
    for _ in range(10):
        for p, q in zip(stack, alone, strict=True):
            p.grad = rng.normal(*p.shape[1:])
            q.grad = p.grad[1:].clone()
        a.step()
        b.step()
    for p, q in zip(stack, alone, strict=True):
        assert torch.equal(p[1:], q)


@pytest.mark.parametrize("make", [adam(1e-2), sgd(1e-2, 0.9), rmsprop(1e-2)])
def test_a_state_is_taken_up(make):
    a, b = weights(), weights()
    first, second = make(a), make(b)
    walk(first, a)
    with torch.no_grad():
        for p, q in zip(a, b, strict=True):
            q.copy_(p)
    second.load_state_dict({key: value.clone() for key, value in first.state_dict().items()})
    for x, y in zip(walk(first, a), walk(second, b), strict=True):
        assert torch.equal(x, y)


@pytest.mark.parametrize("cls", [Adam, SGD, RMSProp])
def test_weights_without_a_gradient_stay(cls):
    moved, kept = weights()
    before = kept.detach().clone()
    moved.grad = torch.ones_like(moved)
    cls([moved, kept], lr=0.1).step()
    assert torch.equal(kept, before)


def test_linear_decay_falls_from_one_to_last():
    falling = linear_decay(0.2)
    assert falling(0.0) == 1.0
    assert falling(0.5) == pytest.approx(0.6)
    assert falling(1.0) == pytest.approx(0.2)
    assert falling(1.5) == pytest.approx(0.2)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda w: adam(-1e-3)(w), "an optimiser needs lr >= 0, got -0.001"),
        (lambda w: sgd(float("nan"))(w), "an optimiser needs lr >= 0, got nan"),
        (lambda w: adam(1e-3, (2.5, 0.9))(w), r"Adam needs decays .* got betas=\(2.5, 0.9\)"),
        (lambda w: adam(1e-3, weight_decay=-1.0)(w), "got .* weight_decay=-1.0"),
    ],
)
def test_numbers_that_would_climb_or_explode_are_refused(make, message):
    with pytest.raises(SpecError, match=message):
        make(weights())
