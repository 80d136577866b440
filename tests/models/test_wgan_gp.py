import pytest
import torch

from genbench.core.dataset import DataSpec
from genbench.core.model import Batch, build
from genbench.core.rng import Rng

PLANE = DataSpec("plane", (2,))


@pytest.fixture
def batch():
    return Batch(Rng([0, 1]).fork("x").normal(64, 2))


def linear_critic(penalty):
    """A WGAN-GP whose critic is x -> 3 a + 4 b, of slope 5 everywhere."""
    model = build("wgan_gp", PLANE, Rng([0, 1]), {"penalty": penalty, "hidden": ()})
    with torch.no_grad():
        model.pair.discriminator.layers[0].weight.copy_(
            torch.tensor([[3.0], [4.0]]).expand(2, 2, 1)
        )
        model.pair.discriminator.layers[0].bias.zero_()
    return model


def test_the_critics_loss_is_the_gap_and_the_penalty(batch):
    model = linear_critic(0.5)
    fake = model.sample(64, Rng([0, 1]))
    weight = torch.tensor([3.0, 4.0])
    gap = ((fake - batch.x) @ weight).mean(-1)
    torch.testing.assert_close(
        model.discriminator_loss(batch, Rng([0, 1])), gap + 0.5 * (5 - 1) ** 2
    )
    torch.testing.assert_close(model.generator_loss(batch, Rng([0, 1])), -(fake @ weight).mean(-1))


def test_the_penalty_pulls_the_slope_towards_one(batch):
    model = linear_critic(1000.0)
    model.discriminator_loss(batch, Rng([0, 1])).sum().backward()
    layer = model.pair.discriminator.layers[0]
    assert (layer.weight.grad * layer.weight).sum() > 0


def test_the_penalty_is_chosen_by_the_range():
    image = DataSpec("image", (1, 2, 2), range=(0.0, 1.0))
    assert build("wgan_gp", PLANE, Rng([0])).penalty == 0.1
    assert build("wgan_gp", image, Rng([0])).penalty == 10.0


def test_the_critic_moves_five_times_for_one_of_the_generator():
    players = build("wgan_gp", PLANE, Rng([0])).players()
    assert [(p.name, p.steps) for p in players] == [("critic", 5), ("generator", 1)]


def test_the_critics_loss_does_not_reach_the_generator(batch):
    model = build("wgan_gp", PLANE, Rng([0, 1]), {"hidden": (8,)})
    model.discriminator_loss(batch, Rng([0, 1])).sum().backward()
    assert all(p.grad is None for p in model.pair.generator.parameters())
