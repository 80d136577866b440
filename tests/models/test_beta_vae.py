import pytest
import torch
from torch.distributions import Normal, kl_divergence

from genbench.core.dataset import DataSpec
from genbench.core.errors import SpecError
from genbench.core.model import Batch, build
from genbench.core.rng import Rng

SPEC = DataSpec("space", (3,))
IMAGE = DataSpec("image", (1, 6, 6), range=(0.0, 1.0))


def test_beta_weighs_the_kl_term_and_nothing_else():
    rng = Rng([0, 1], dtype=torch.float64)
    x = rng.fork("x").normal(5, 3)
    losses = {}
    for beta in (1.0, 4.0):
        model = build("beta_vae", SPEC, rng, {"beta": beta})
        losses[beta] = model.loss(Batch(x, progress=1.0), rng.fork("loss"))
    plain = build("vae", SPEC, rng, {})
    mean, log_std = plain.autoencoder.posterior(x)
    kl = kl_divergence(Normal(mean, log_std.exp()), Normal(0.0, 1.0)).sum(-1).mean(-1)
    torch.testing.assert_close(losses[4.0] - losses[1.0], 3 * kl)
    assert torch.equal(losses[1.0], plain.loss(Batch(x, progress=1.0), rng.fork("loss")))
    model = build("beta_vae", SPEC, rng, {"beta": 4.0})
    assert torch.equal(
        model.log_prob(x, rng.fork("bound")), plain.log_prob(x, rng.fork("bound"))
    ), "the bound reported is the true one"


@pytest.mark.parametrize("name", ["vae", "beta_vae", "iwae"])
def test_convolutions_see_neighbours(name):
    """The code of a convolutional encoder changes if pixels change places, and all sides fit."""
    rng = Rng([0, 1])
    for side in (4, 5, 6, 9):
        spec = DataSpec("image", (1, side, side), range=(0.0, 1.0))
        model = build(name, spec, rng, {"network": "conv", "width": 4, "latent": 3})
        x = model.sample(5, rng.fork("sample"))
        assert x.shape == (2, 5, 1, side, side)
        assert model.log_prob(x, rng.fork("bound")).shape == (2, 5)
    assert {p.ndim for p in model.autoencoder.encoder.parameters()} == {2, 3, 5}
    model.loss(Batch(x), rng).sum().backward()
    assert all(p.grad is not None and p.grad.flatten(1).any(1).all() for p in model.parameters())


def test_convolutions_need_images():
    with pytest.raises(SpecError, match="network=conv needs images of at least 4×4"):
        build("vae", SPEC, Rng([0]), {"network": "conv"})
    with pytest.raises(SpecError, match="take network=mlp"):
        build("vae", DataSpec("tiny", (1, 3, 3)), Rng([0]), {"network": "conv"})
