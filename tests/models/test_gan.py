import math

import pytest
import torch

from genbench.core.dataset import DataSpec
from genbench.core.model import Batch, build
from genbench.core.rng import Rng

PLANE = DataSpec("plane", (2,))


@pytest.fixture
def gan():
    return build("gan", PLANE, Rng([0, 1]), {"hidden": (8,), "latent": 3})


@pytest.fixture
def batch():
    return Batch(Rng([0, 1]).fork("x").normal(64, 2))


def test_losses_are_those_of_a_blind_discriminator_at_zero_logits(gan, batch):
    with torch.no_grad():
        for p in gan.pair.discriminator.parameters():
            p.zero_()
    both = gan.discriminator_loss(batch, Rng([0, 1]))
    torch.testing.assert_close(both, torch.full((2,), 2 * math.log(2)))
    generator = gan.generator_loss(batch, Rng([0, 1]))
    torch.testing.assert_close(generator, torch.full((2,), math.log(2)))


def test_losses_are_the_papers(gan, batch):
    fake = gan.sample(64, Rng([0, 1]))
    p_real, p_fake = gan.pair.logits(batch.x).sigmoid(), gan.pair.logits(fake).sigmoid()
    torch.testing.assert_close(
        gan.discriminator_loss(batch, Rng([0, 1])), -(p_real.log() + (1 - p_fake).log()).mean(-1)
    )
    torch.testing.assert_close(gan.generator_loss(batch, Rng([0, 1])), -p_fake.log().mean(-1))


def test_the_discriminators_loss_does_not_reach_the_generator(gan, batch):
    gan.discriminator_loss(batch, Rng([0, 1])).sum().backward()
    assert all(p.grad is None for p in gan.pair.generator.parameters())
    assert all(p.grad is not None for p in gan.pair.discriminator.parameters())


def test_bits_are_refused():
    assert "continuous" in type(build("gan", PLANE, Rng([0]))).refuses(
        DataSpec("bits", (4,), kind="binary")
    )
