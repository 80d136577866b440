import math

import pytest
import torch

from genbench.core.dataset import DATASETS, DataSpec
from genbench.core.errors import SpecError
from genbench.core.model import Batch, build
from genbench.core.rng import Rng
from genbench.core.spec import Budget
from genbench.training.trainer import Trainer

PLANE = DataSpec("plane", (2,))
STD = 0.3


def gaussian_velocity(x, t):
    """E[x_1 - x_0 | x_t] for data N(0, STD²), in closed form."""
    variance = (1 - t) ** 2 + t**2 * STD**2
    return (t * STD**2 - (1 - t)) / variance * x


def exact(steps, solver):
    """A model of Gaussian data whose velocity is the true one."""
    model = build(
        "flow_matching",
        PLANE,
        Rng([0, 1], dtype=torch.float64),
        {"steps": steps, "solver": solver},
    )
    model.velocity.forward = gaussian_velocity
    return model


@pytest.mark.parametrize(("solver", "order"), [("euler", 1), ("heun", 2)])
def test_the_solver_converges_to_the_flow_at_its_order(solver, order):
    x = Rng([0, 1], dtype=torch.float64).normal(50, 2)
    errors = [(exact(n, solver).carry(x) - STD * x).abs().max().item() for n in (50, 100, 200)]
    assert math.log2(errors[0] / errors[1]) == pytest.approx(order, abs=0.2)
    assert math.log2(errors[1] / errors[2]) == pytest.approx(order, abs=0.1)
    assert errors[2] < 0.01


def test_the_true_velocity_has_the_least_loss():
    """Its loss is the conditional variance of x_1 - x_0, here the integral over t of s²/v(t)."""
    model, rng = exact(10, "heun"), Rng([0, 1], dtype=torch.float64)
    batch = Batch(STD * rng.fork("data").normal(100_000, 2))
    t = (torch.arange(10_000, dtype=torch.float64) + 0.5) / 10_000
    least = (STD**2 / ((1 - t) ** 2 + t**2 * STD**2)).mean().item()
    loss = model.loss(batch, rng.fork("loss"))
    assert torch.allclose(loss, torch.full_like(loss, least), rtol=0.02)
    model.velocity.forward = lambda x, t: gaussian_velocity(x, t) + 0.3
    assert torch.allclose(model.loss(batch, rng.fork("loss")), loss + 0.09, atol=0.01)


def test_steps_count_the_networks_evaluations():
    for solver in ("heun", "euler"):
        model, calls = exact(7, solver), []
        model.velocity.forward = lambda x, t, calls=calls: calls.append(t) or torch.zeros_like(x)
        model.sample(3, Rng([0, 1], dtype=torch.float64))
        assert len(calls) == model.sequential_steps()


def test_no_steps_are_refused():
    with pytest.raises(SpecError, match="'steps' needs a whole number of 1 or more, got 0"):
        build("flow_matching", PLANE, Rng([0]), {"steps": 0})


def test_training_finds_every_mode_of_the_ring():
    rng, ring = Rng([0]), DATASETS.get("ring")()
    model = build("flow_matching", ring.spec, rng)
    trainer = Trainer(model, ring, Budget(steps=1500), batch=128, rng=rng).run()
    with trainer.averaged():
        fake = ring.to_data(model.sample(2000, rng.fork("sample")))
    distance, mode = torch.cdist(fake, ring.truth.centres.to(fake)).min(-1)
    assert (distance.median(1).values < 6 * ring.truth.std).all()
    for row in mode:
        share = row.bincount(minlength=8) / 2000
        assert ((share > 0.08) & (share < 0.17)).all()
