import numpy as np
import scipy.stats
import torch

from genbench.core.rng import Rng
from genbench.nn.losses import between, normal_log_prob, slopes


def test_normal_log_prob_agrees_with_scipy():
    rng = Rng([0], dtype=torch.float64)
    x, mean, log_std = rng.normal(50), rng.normal(50), rng.normal(50)
    expected = scipy.stats.norm.logpdf(x.numpy(), mean.numpy(), log_std.exp().numpy())
    np.testing.assert_allclose(normal_log_prob(x, mean, log_std), expected, rtol=1e-10)
    np.testing.assert_allclose(normal_log_prob(x), scipy.stats.norm.logpdf(x.numpy()), rtol=1e-10)


def test_slopes_are_the_norms_of_the_gradient():
    x = Rng([0, 1], dtype=torch.float64).normal(6, 3)
    torch.testing.assert_close(
        slopes(lambda y: y.square().sum(-1), x), 2 * x.square().sum(-1).sqrt()
    )
    weight = torch.tensor([3.0, 4.0, 0.0], dtype=torch.float64)
    torch.testing.assert_close(slopes(lambda y: y @ weight, x), torch.full((2, 6), 5.0).double())


def test_slopes_can_be_differentiated_again():
    weight = torch.tensor([3.0, 4.0], requires_grad=True)
    slopes(lambda y: y @ weight, torch.ones(1, 1, 2)).sum().backward()
    torch.testing.assert_close(weight.grad, torch.tensor([0.6, 0.8]))


def test_slopes_of_a_flat_score_are_zero_with_a_finite_gradient():
    weight = torch.zeros(2, requires_grad=True)
    slope = slopes(lambda y: y @ weight, torch.ones(1, 3, 2))
    slope.sum().backward()
    assert slope.abs().max() < 1e-10
    assert weight.grad.isfinite().all()


def test_between_draws_uniformly_on_the_segment():
    rng = Rng([0, 1])
    real, fake = torch.zeros(2, 20_000, 2), torch.tensor([2.0, -4.0]).expand(2, 20_000, 2)
    x = between(real, fake, rng)
    torch.testing.assert_close(x[..., 1], -2 * x[..., 0])
    share = x[..., 0] / 2
    assert share.min() >= 0
    assert share.max() <= 1
    assert (share.mean(-1) - 0.5).abs().max() < 5 * (1 / 12 / 20_000) ** 0.5
    assert (share.var(-1) - 1 / 12).abs().max() < 0.003
