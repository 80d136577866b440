import math

import pytest
import torch

from genbench.core.dataset import DataSpec
from genbench.core.errors import SpecError
from genbench.core.model import Batch, build
from genbench.core.rng import Rng

SPEC = DataSpec("space", (3,))


def linear(name, **options):
    rng = Rng([0, 1], dtype=torch.float64)
    given = {"hidden": (), "latent": 2, "log_std": -0.5, **options}
    return build(name, SPEC, rng, given), rng


def test_the_loss_is_minus_the_log_of_the_mean_weight():
    model, rng = linear("iwae", k=7)
    x = rng.fork("x").normal(4, 3)
    loss = model.loss(Batch(x, progress=1.0), rng.fork("loss"))
    mean, log_std = model.autoencoder.posterior(x)
    noise = rng.fork("loss").normal(4 * 7, 2).unflatten(1, (4, 7))
    q = torch.distributions.Normal(mean.unsqueeze(2), log_std.exp().unsqueeze(2))
    z = q.mean + q.stddev * noise
    decoded = model.autoencoder.output(z.flatten(1, 2)).unflatten(1, (4, 7))
    p = torch.distributions.Normal(decoded, math.exp(-0.5))
    log_w = p.log_prob(x.unsqueeze(2)).sum(-1) - q.log_prob(z).sum(-1)
    log_w = log_w + torch.distributions.Normal(0.0, 1.0).log_prob(z).sum(-1)
    torch.testing.assert_close(loss, -log_w.exp().mean(2).log().mean(-1))


def test_one_draw_is_the_vae():
    iwae, rng = linear("iwae", k=1)
    vae, _ = linear("vae")
    x = rng.fork("x").normal(1, 3).expand(-1, 50_000, -1)
    for progress in (0.1, 1.0):
        batch = Batch(x, progress=progress)
        losses = [model.loss(batch, rng.fork("loss")) for model in (iwae, vae)]
        assert ((losses[0] - losses[1]).abs() < 0.02 * losses[1].abs()).all()


def test_no_draws_are_refused():
    with pytest.raises(SpecError, match="'k' needs a whole number of 1 or more, got 0"):
        linear("iwae", k=0)
