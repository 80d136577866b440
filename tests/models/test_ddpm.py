import math

import pytest
import torch

from genbench.core.dataset import DATASETS, DataSpec
from genbench.core.errors import SpecError
from genbench.core.model import build
from genbench.core.rng import Rng
from genbench.core.spec import Budget
from genbench.harness.train import Trainer
from genbench.nn.losses import normal_log_prob

LINE = DataSpec("line", (1,))
STD = 0.5


def exact(spec=LINE, std=STD, **options):
    """A model of data N(0, std²) whose predicted noise is the true conditional mean."""
    made = build("ddpm", spec, Rng([0, 1], dtype=torch.float64), options)

    def noise(x, t):
        kept = made.kept[(t * made.steps).round().long()]
        return (1 - kept).sqrt() * x / (kept * std**2 + 1 - kept)

    made.noise.forward = noise
    return made


def marginal_variance(made):
    """The variance of the linear Gaussian reverse chain's end, by recursion."""
    variance = 1.0
    for t in range(made.steps, 0, -1):
        one = torch.ones(2, 1, 1, dtype=torch.float64)
        variance = variance * made.mean(one, t)[0].item() ** 2 + made.variance(t).item()
    return variance


def test_noise_ends_at_a_standard_normal():
    made = exact()
    assert made.kept[0] == 1
    assert made.kept[-1] < 0.01
    x, noise = made.diffuse(
        torch.full((2, 5, 1), 3.0).double(), made.kept[40], Rng([0, 1], dtype=torch.float64)
    )
    back = (x - (1 - made.kept[40]).sqrt() * noise) / made.kept[40].sqrt()
    assert torch.allclose(back, torch.full_like(back, 3.0))


def test_the_step_is_the_posterior_of_the_forward_process():
    """q(x_{t-1} | x_t, x_0) by Bayes' rule from the two Gaussians it is made of."""
    made, t, start = exact(), 30, torch.full((2, 4, 1), 1.3).double()
    x, noise = made.diffuse(start, made.kept[t], Rng([0, 1], dtype=torch.float64))
    beta, before = made.beta[t - 1], made.kept[t - 1]
    precision = (1 - beta) / beta + 1 / (1 - before)
    mean = ((1 - beta).sqrt() / beta * x + before.sqrt() / (1 - before) * start) / precision
    assert torch.allclose(made.mean(x, t, noise), mean, atol=1e-10)
    assert made.variance(t).item() == pytest.approx(1 / precision.item())


def test_samples_follow_the_chain_in_closed_form():
    made = exact()
    fake = made.sample(50_000, Rng([0, 1], dtype=torch.float64))
    assert torch.allclose(
        fake.var(1).mean(), torch.tensor(marginal_variance(made)).double(), rtol=0.02
    )
    assert fake.std().item() == pytest.approx(STD, rel=0.05)


def test_the_bound_is_exact_where_the_reverse_chain_is():
    """Standard normal data stay so, and their true reverse steps have the forward variances."""
    made = exact(std=1.0, variances="forward")
    rng = Rng([0, 1], dtype=torch.float64)
    x = rng.normal(20_000, 1)
    gap = made.log_prob(x, rng.fork("bound")) - normal_log_prob(x).sum(-1)
    error = gap.std(1) / 20_000**0.5
    assert (gap.mean(1).abs() < 4 * error).all()
    assert (error < 0.03).all()


def test_elsewhere_the_bound_lies_below_the_chains_density():
    made, rng = exact(), Rng([0, 1], dtype=torch.float64)
    x = STD * rng.normal(4000, 1)
    truth = normal_log_prob(x, 0.0, 0.5 * math.log(marginal_variance(made))).mean()
    assert made.log_prob(x, rng.fork("bound")).mean() < truth


def test_the_bound_is_a_density_on_the_datas_own_scale():
    wide = exact(DataSpec("wide", (1,), range=(-4.0, 4.0)))
    x = Rng([0, 1], dtype=torch.float64).normal(100, 1)
    bound = wide.log_prob(4 * x, Rng([5, 6], dtype=torch.float64))
    plain = exact().log_prob(x, Rng([5, 6], dtype=torch.float64))
    assert torch.allclose(bound, plain - torch.tensor(4.0).double().log())


@pytest.mark.parametrize("options", [{"steps": 1}, {"betas": (0.2, 0.1)}, {"betas": (0.0, 0.1)}])
def test_schedules_that_are_none_are_refused(options):
    with pytest.raises(SpecError, match="ddpm needs"):
        build("ddpm", LINE, Rng([0]), options)


def test_training_finds_every_mode_of_the_ring_and_bounds_its_entropy():
    rng, ring = Rng([0]), DATASETS.get("ring")()
    made = build("ddpm", ring.spec, rng)
    trainer = Trainer(made, ring, Budget(steps=1500), batch=128, rng=rng).run()
    real = ring.to_model(ring.draw(2000, rng.fork("real")))
    with trainer.averaged():
        fake = ring.to_data(made.sample(2000, rng.fork("sample")))
        nats = -made.log_prob(real, rng.fork("bound")).mean(1) - ring.log_volume
    distance, mode = torch.cdist(fake, ring.truth.centres.to(fake)).min(-1)
    assert (distance.median(1).values < 6 * ring.truth.std).all()
    for row in mode:
        share = row.bincount(minlength=8) / 2000
        assert ((share > 0.08) & (share < 0.17)).all()
    assert ((nats > ring.truth.entropy) & (nats < 0)).all()
