import math

import pytest
import torch

from genbench.core.dataset import DATASETS, DataSpec
from genbench.core.errors import SpecError
from genbench.core.model import Batch, build
from genbench.core.rng import Rng
from genbench.core.spec import Budget
from genbench.models.diffusion import ddpm
from genbench.nn.losses import normal_log_prob
from genbench.training.trainer import Trainer

LINE = DataSpec("line", (1,))
STD = 0.5


def exact(spec=LINE, std=STD, **options):
    """A model of data N(0, std²) whose predicted noise is the true conditional mean."""
    model = build("ddpm", spec, Rng([0, 1], dtype=torch.float64), options)

    def predicted(x, t):
        signal = model.signal[t]
        return (1 - signal).sqrt() * x / (signal * std**2 + 1 - signal)

    model.predicted = predicted
    signal = model.signal[1:]
    model.error.copy_(signal * std**2 / (signal * std**2 + 1 - signal))
    return model


def marginal_variance(model):
    """The variance of the linear Gaussian reverse chain's end, by recursion."""
    variance = 1.0
    for t in range(model.steps, 0, -1):
        one = torch.ones(2, 1, 1, dtype=torch.float64)
        variance = variance * model.mean(one, t)[0].item() ** 2 + model.variance(t)[0].item()
    return variance


@pytest.mark.parametrize("schedule", ["log_snr", "linear"])
def test_noise_ends_at_a_standard_normal(schedule):
    model = exact(schedule=schedule)
    assert model.signal[0] == 1
    assert model.signal[-1] < 0.01
    x, noise = model.diffuse(
        torch.full((2, 5, 1), 3.0).double(), model.signal[40], Rng([0, 1], dtype=torch.float64)
    )
    back = (x - (1 - model.signal[40]).sqrt() * noise) / model.signal[40].sqrt()
    assert torch.allclose(back, torch.full_like(back, 3.0))


def test_the_step_is_the_posterior_of_the_forward_process():
    """q(x_{t-1} | x_t, x_0) by Bayes' rule from the two Gaussians it is made of."""
    model, t, start = exact(variances="posterior"), 30, torch.full((2, 4, 1), 1.3).double()
    x, noise = model.diffuse(start, model.signal[t], Rng([0, 1], dtype=torch.float64))
    beta, before = model.beta[t - 1], model.signal[t - 1]
    precision = (1 - beta) / beta + 1 / (1 - before)
    mean = ((1 - beta).sqrt() / beta * x + before.sqrt() / (1 - before) * start) / precision
    assert torch.allclose(model.mean(x, t, noise), mean, atol=1e-10)
    assert model.variance(t)[0].item() == pytest.approx(1 / precision.item())


def test_the_schedule_is_even_in_log_signal_to_noise():
    signal = exact(log_snrs=(5.0, -5.0), steps=11).signal[1:]
    assert torch.allclose(torch.logit(signal), torch.linspace(5, -5, 11).double())


def test_errors_of_a_step_are_averaged_over_its_visits():
    model = build("ddpm", LINE, Rng([0, 1], dtype=torch.float64), {"steps": 3})
    step = torch.tensor([[0, 0, 2], [1, 1, 1]])
    model.note(step, torch.tensor([[0.2, 0.4, 0.5], [0.0, 0.3, 0.6]]).double())
    one, two, three = (ddpm.DECAY**n for n in (1, 2, 3))
    expected = [
        [two + (1 - two) * 0.3, 1, one + (1 - one) * 0.5],
        [1, three + (1 - three) * 0.3, 1],
    ]
    assert torch.allclose(model.error, torch.tensor(expected).double())


def test_the_loss_notes_the_error_of_the_predicted_noise():
    model, rng = exact(steps=4), Rng([0, 1], dtype=torch.float64)
    expected = model.error.clone()
    model.error.fill_(1.0)
    batch = Batch(STD * rng.fork("data").normal(100_000, 1))
    model.loss(batch, rng.fork("loss"))
    torch.testing.assert_close(model.error, expected, rtol=0.03, atol=0.0)


def test_samples_follow_the_chain_in_closed_form():
    model = exact()
    fake = model.sample(50_000, Rng([0, 1], dtype=torch.float64))
    assert torch.allclose(
        fake.var(1).mean(), torch.tensor(marginal_variance(model)).double(), rtol=0.02
    )
    assert fake.std().item() == pytest.approx(STD, rel=0.05)


def test_the_bound_is_exact_for_gaussians_with_fitted_variances():
    """Reverse steps then have the true moments, and only the far end's 1 - alpha bar is amiss."""
    model, rng = exact(), Rng([0, 1], dtype=torch.float64)
    assert marginal_variance(model) == pytest.approx(STD**2, rel=1e-3)
    x = STD * rng.normal(20_000, 1)
    gap = model.log_prob(x, rng.fork("bound")) - normal_log_prob(x, 0.0, math.log(STD)).sum(-1)
    error = gap.std(1) / 20_000**0.5
    assert (gap.mean(1).abs() < 4 * error).all()
    assert (error < 0.03).all()


@pytest.mark.parametrize("variances", ["posterior", "forward"])
def test_other_variances_leave_the_bound_below_the_chains_density(variances):
    model, rng = exact(variances=variances), Rng([0, 1], dtype=torch.float64)
    x = STD * rng.normal(4000, 1)
    truth = normal_log_prob(x, 0.0, 0.5 * math.log(marginal_variance(model))).mean()
    assert model.log_prob(x, rng.fork("bound")).mean() < truth - 0.01


def test_the_bound_is_a_density_on_the_datas_own_scale():
    wide = exact(DataSpec("wide", (1,), range=(-4.0, 4.0)), log_snrs=(11.0, -6.0))
    x = Rng([0, 1], dtype=torch.float64).normal(100, 1)
    bound = wide.log_prob(4 * x, Rng([5, 6], dtype=torch.float64))
    plain = exact().log_prob(x, Rng([5, 6], dtype=torch.float64))
    assert torch.allclose(bound, plain - torch.tensor(4.0).double().log())


@pytest.mark.parametrize(
    "options",
    [{"betas": (0.2, 0.1)}, {"betas": (0.0, 0.1)}, {"log_snrs": (1.0, 2.0)}],
)
def test_schedules_that_are_none_are_refused(options):
    with pytest.raises(SpecError, match="ddpm needs"):
        build("ddpm", LINE, Rng([0]), options)
    with pytest.raises(SpecError, match="'steps' needs a whole number of 2 or more, got 1"):
        build("ddpm", LINE, Rng([0]), {"steps": 1})


@pytest.mark.parametrize(
    "options",
    [
        {"log_snrs": (17.0, -6.0)},
        {"log_snrs": (20.0, -6.0)},
        {"log_snrs": (11.0, -20.0), "steps": 2},
        {"schedule": "linear", "betas": (1e-8, 0.1)},
        {"schedule": "linear", "betas": (1e-4, 0.9999999)},
    ],
)
def test_steps_that_single_precision_rounds_away_are_refused(options):
    """At 17 the bound was 0.3 nats from the density that it bounds; at 20 samples were NaN."""
    with pytest.raises(SpecError, match=r"for torch\.float32 to hold them, got .* by .*, steps="):
        build("ddpm", LINE, Rng([0]), options)
    rng = Rng([0], dtype=torch.float64)
    assert build("ddpm", LINE, rng, options).sample(9, rng).isfinite().all()


def test_training_finds_every_mode_of_the_ring_and_bounds_its_entropy():
    rng, ring = Rng([0]), DATASETS.get("ring")()
    model = build("ddpm", ring.spec, rng)
    trainer = Trainer(model, ring, Budget(steps=1500), batch=128, rng=rng).run()
    real = ring.to_model(ring.draw(2000, rng.fork("real")))
    with trainer.averaged():
        fake = ring.to_data(model.sample(2000, rng.fork("sample")))
        nats = -model.log_prob(real, rng.fork("bound")).mean(1) - ring.log_volume
    distance, mode = torch.cdist(fake, ring.truth.centres.to(fake)).min(-1)
    assert (distance.median(1).values < 6 * ring.truth.std).all()
    for row in mode:
        share = row.bincount(minlength=8) / 2000
        assert ((share > 0.08) & (share < 0.17)).all()
    assert ((nats > ring.truth.entropy) & (nats < ring.truth.entropy + 1.2)).all()
