import pytest
import torch

from genbench.core.dataset import DataSpec
from genbench.core.errors import SpecError
from genbench.core.model import Batch, build
from genbench.core.rng import Rng

PLANE = DataSpec("plane", (2,))
IMAGE = DataSpec("image", (1, 2, 2), range=(0.0, 1.0))
SEEDS = [0, 1]


def rng():
    return Rng(SEEDS, dtype=torch.float64)


def make(spec=PLANE, **options):
    given = {"hidden": (8,), "features": 3, **options}
    return build("mmd_gan", spec, rng(), given)


@pytest.fixture
def batch():
    return Batch(rng().fork("x").normal(7, 2))


def naive_mmd(real, fake, sigmas):
    """The biased squared MMD, pair by pair."""

    def mean(a, b):
        total = 0.0
        for p in a:
            for q in b:
                square = float((p - q).square().sum())
                total += sum(torch.exp(torch.tensor(-square / (2 * s * s))).item() for s in sigmas)
        return total / (len(a) * len(b))

    return mean(real, real) + mean(fake, fake) - 2 * mean(real, fake)


def codes(model, batch):
    fake = model.sample(batch.x.shape[1], rng())
    return model.features(model.pair.inputs(batch.x)), model.features(model.pair.inputs(fake))


def test_the_generators_loss_is_the_mmd_of_the_critics_features(batch):
    model = make(sigmas=(0.5, 2.0))
    real, fake = (code.detach() for code in codes(model, batch))
    naive = [naive_mmd(real[k], fake[k], (0.5, 2.0)) for k in range(2)]
    assert model.generator_loss(batch, rng()).tolist() == pytest.approx(naive, rel=1e-6)
    bare = make(sigmas=(0.5, 2.0), penalty=0.0, reconstruction=0.0)
    assert bare.discriminator_loss(batch, rng()).tolist() == pytest.approx(
        [-v for v in naive], rel=1e-6
    )


def test_the_autoencoder_rebuilds_real_and_generated_points(batch):
    bare, full = make(penalty=0.0, reconstruction=0.0), make(penalty=0.0, reconstruction=3.0)
    fake = full.sample(7, rng())
    decoder = full.pair.discriminator[1]
    errors = [(decoder(full.features(x)) - x).square().mean((1, 2)) for x in (batch.x, fake)]
    gap = full.discriminator_loss(batch, rng()) - bare.discriminator_loss(batch, rng())
    torch.testing.assert_close(gap, 3.0 * sum(errors))


def test_the_penalty_is_on_the_witness_between_real_and_fake(batch):
    bare, held = make(penalty=0.0), make(penalty=2.0)
    stream = rng()
    fake = held.sample(7, stream)
    share = stream.uniform(7, 1)
    x = torch.lerp(batch.x, fake, share).detach().requires_grad_()
    (slope,) = torch.autograd.grad(held.witness(x, *codes(held, batch)).sum(), x)
    expected = 2.0 * (slope.norm(dim=-1) - 1).square().mean(-1)
    gap = held.discriminator_loss(batch, rng()) - bare.discriminator_loss(batch, rng())
    torch.testing.assert_close(gap, expected)


def test_the_critics_loss_moves_the_critic_alone_and_the_generators_the_generator(batch):
    model = make(IMAGE)
    images = Batch(rng().fork("x").uniform(7, 1, 2, 2))
    model.discriminator_loss(images, rng()).sum().backward()
    assert all(p.grad is None for p in model.pair.generator.parameters())
    assert all(p.grad is not None for p in model.pair.discriminator.parameters())
    model.generator_loss(images, rng()).sum().backward()
    assert all(p.grad is not None for p in model.pair.generator.parameters())


def test_a_width_is_needed():
    """That widths are positive is in the type of the option."""
    with pytest.raises(SpecError, match="mmd_gan needs sigmas, got none"):
        make(sigmas=())


def test_bits_are_refused():
    assert "continuous" in type(make()).refuses(DataSpec("bits", (4,), kind="binary"))
