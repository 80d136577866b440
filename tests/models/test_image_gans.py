"""What makes each GAN of images the model that it is."""

import pytest
import torch
from torch import nn

from genbench.core.dataset import DataSpec
from genbench.core.model import Batch, build
from genbench.core.rng import Rng
from genbench.models.adversarial._growing import EqualisedConv2d, pixel_norm, with_deviation
from genbench.models.adversarial._pyramid import level_specs, pyramid
from genbench.nn.conv import BatchNorm, downsample, upsample

SEEDS = [0, 1]
DIGIT = DataSpec("digit", (1, 8, 8), range=(0.0, 1.0))
SHIRT = DataSpec("shirt", (1, 28, 28), range=(0.0, 1.0))
PHOTO = DataSpec("photo", (3, 32, 32), range=(0.0, 1.0))
NAMES = ["dcgan", "resgan", "lapgan", "progan"]


def rng():
    return Rng(SEEDS, dtype=torch.float64)


def make(name, spec=DIGIT, **options):
    return build(name, spec, rng(), {"width": 4, **options})


def minibatch(spec=DIGIT, n=8, progress=0.5):
    return Batch(rng().fork("x").uniform(n, *spec.event), progress=progress)


@pytest.mark.parametrize("spec", [DIGIT, SHIRT, PHOTO], ids=lambda spec: spec.name)
@pytest.mark.parametrize("name", NAMES)
def test_images_of_every_usual_size(name, spec):
    model = make(name, spec)
    assert type(model).refuses(spec) is None
    for player in model.players():
        loss = player.loss(minibatch(spec, 4), rng())
        assert loss.shape == (2,)
        assert loss.isfinite().all()
    x = model.eval().sample(3, rng())
    assert x.shape == (2, 3, *spec.event)
    assert x.min() >= 0
    assert x.max() <= 1


@pytest.mark.parametrize("name", NAMES)
def test_what_is_no_image_is_refused(name):
    refuses = type(make(name)).refuses
    assert "needs images" in refuses(DataSpec("plane", (2,)))
    assert "continuous" in refuses(DataSpec("bits", (1, 8, 8), kind="binary"))


def test_sides_that_do_not_halve_are_refused_where_networks_halve():
    odd = DataSpec("odd", (1, 7, 7), range=(0.0, 1.0))
    assert type(make("dcgan")).refuses(odd) is None
    for name in NAMES[1:]:
        assert "odd has (7, 7)" in type(make(name)).refuses(odd)


# --- dcgan


def test_real_and_fake_images_are_normalised_apart_and_by_their_minibatch():
    model, batch = make("dcgan"), minibatch()
    alone = model.pair.logits(batch.x)
    real, _ = model.pair.both(batch, rng())
    torch.testing.assert_close(real, alone)
    together = model.pair.logits(torch.cat([batch.x, model.pair.fakes(batch, rng())], dim=1))
    assert not torch.allclose(together[:, :8], alone)
    shifted = Batch(batch.x.clone())
    shifted.x[:, 0] = 0.0  # one image of the minibatch moves what the others are worth
    assert not torch.allclose(model.pair.logits(shifted.x)[:, 1:], alone[:, 1:])
    model.eval()
    torch.testing.assert_close(
        model.pair.logits(shifted.x)[:, 1:], model.pair.logits(batch.x)[:, 1:]
    )


def test_the_dcgan_normalises_all_but_the_ends():
    pair = make("dcgan").pair

    def norms(network):
        return sum(isinstance(part, BatchNorm) for part in network.modules())

    assert norms(pair.generator) == 2
    assert norms(pair.discriminator) == 1


# --- resgan


def test_residual_blocks_pass_their_input_when_branches_are_silent():
    model = make("resgan").eval()
    block = model.pair.discriminator.blocks[1]
    x = rng().normal(2, 8, 4, 4)
    with torch.no_grad():
        block.second.weight.zero_()
        block.second.bias.zero_()
    torch.testing.assert_close(block(x), downsample(block.skip(x)))


def test_the_penalty_is_half_gamma_times_the_squared_slope_at_real_images():
    plain, held = make("resgan", penalty=0.0), make("resgan", penalty=4.0)
    batch = minibatch()
    x = batch.x.clone().mul(2).sub(1).requires_grad_()
    scores = held.pair.discriminator(x).sum()
    (slope,) = torch.autograd.grad(scores, x)
    gap = held.discriminator_loss(batch, rng()) - plain.discriminator_loss(batch, rng())
    torch.testing.assert_close(gap, 2.0 * slope.flatten(2).square().sum(-1).mean(-1))


# --- lapgan


class Remembers(nn.Module):
    """A generator that paints what real images have and their coarser ones lack."""

    def __init__(self, answer):
        super().__init__()
        self.answer = answer

    def forward(self, *_):
        return self.answer


def test_perfect_levels_rebuild_the_images_exactly():
    model, x = make("lapgan", SHIRT), minibatch(SHIRT).x
    images = pyramid(2 * x - 1, 3)
    assert [image.shape[-1] for image in images] == [28, 14, 7]
    parts = [images[0] - upsample(images[1]), images[1] - upsample(images[2])]
    model.generators = nn.ModuleList(
        [*map(Remembers, parts), Remembers(torch.atanh(images[2].clamp(-1 + 1e-12, 1 - 1e-12)))]
    )
    torch.testing.assert_close(model.sample(8, rng()), x)
    assert model.sequential_steps() == 3


def test_levels_are_trained_apart():
    model, batch = make("lapgan", SHIRT), minibatch(SHIRT)
    assert [p.name for p in model.players()] == [
        f"{who}_{size}" for size in (7, 14, 28) for who in ("discriminator", "generator")
    ]
    for k, player in enumerate(model.players()):
        model.zero_grad()
        player.loss(batch, rng()).sum().backward()
        level = 2 - k // 2
        own = {id(p) for p in model.discriminators[level].parameters()}
        own |= {id(p) for p in model.generators[level].parameters()}
        touched = {id(p) for p in model.parameters() if p.grad is not None}
        assert touched <= own
        assert {id(p) for p in player.module.parameters()} <= touched


def test_a_level_judges_images_given_their_coarser_ones():
    model, batch = make("lapgan"), minibatch()
    real, coarse = model.real(0, batch)
    torch.testing.assert_close(real, 2 * batch.x - 1)
    torch.testing.assert_close(coarse, upsample(downsample(2 * batch.x - 1)))
    shuffled = model.logits(0, real, coarse.roll(1, 1))
    assert not torch.allclose(model.logits(0, real, coarse), shuffled)


def test_what_a_level_adds_leaves_the_coarser_image_as_it_was():
    model, batch = make("lapgan"), minibatch()
    _, coarse = model.real(0, batch)
    finer = model.paint(0, 8, coarse, rng())
    torch.testing.assert_close(downsample(finer), downsample(coarse))
    assert not torch.allclose(finer, coarse)


def test_sides_halve_while_they_are_even_and_four_remain():
    def sides(spec):
        return [level.event[-1] for level in level_specs(spec, 9)]

    assert sides(DIGIT) == [8, 4]
    assert sides(SHIRT) == [28, 14, 7]
    assert sides(PHOTO) == [32, 16, 8, 4]


# --- progan


def test_growth_is_flat_then_rises_by_one_and_so_on():
    model = make("progan", SHIRT)
    shares = [0.0, 0.19, 0.3, 0.4, 0.5, 0.599, 0.7, 0.8, 0.9, 1.0]
    actual = [model.grown(share) for share in shares]
    assert actual == pytest.approx([0, 0, 0.5, 1, 1, 1, 1.5, 2, 2, 2])


def test_early_samples_are_coarse_images_doubled():
    model = make("progan", SHIRT)
    x = model.sample(5, rng())
    torch.testing.assert_close(x, upsample(upsample(downsample(downsample(x)))))
    assert not torch.allclose(x, x.mean((-1, -2), keepdim=True).expand_as(x))


@pytest.mark.parametrize("step", [1, 2])
def test_growing_is_continuous(step):
    model = make("progan", SHIRT)
    x, eps = minibatch(SHIRT).x, 1e-9
    before, after = float(step - 1), float(step)
    coarse = upsample(model.images(4, rng(), before))
    torch.testing.assert_close(model.images(4, rng(), before + eps), coarse, rtol=0, atol=1e-6)
    fine = model.images(4, rng(), after)
    torch.testing.assert_close(model.images(4, rng(), after - eps), fine, rtol=0, atol=1e-6)
    for growth, shown in ((before, before + eps), (after - eps, after)):
        scores = [model.discriminator(model.real(x, g), g) for g in (growth, shown)]
        torch.testing.assert_close(*scores, rtol=0, atol=1e-6)


def test_the_growth_is_kept_with_the_weights():
    model = make("progan", SHIRT)
    model.discriminator_loss(minibatch(SHIRT, progress=0.3), rng())
    fresh = make("progan", SHIRT)
    fresh.load_state_dict(model.state_dict())
    assert float(fresh.growth) == pytest.approx(0.5)
    assert torch.equal(fresh.sample(3, rng()), model.sample(3, rng()))


def test_equalised_weights_are_standard_normal_and_scaled_in_use():
    conv = EqualisedConv2d(16, 32, 3, rng())
    assert conv.weight.std().item() == pytest.approx(1.0, abs=0.02)
    x = rng().fork("x").normal(8, 16, 6, 6)
    assert conv(x)[..., 1:-1, 1:-1].square().mean().item() == pytest.approx(2.0, rel=0.1)


def test_pixel_norm_gives_every_pixel_unit_power():
    x = pixel_norm(rng().normal(3, 5, 4, 4) * 7)
    power = x.square().mean(2)
    torch.testing.assert_close(power, torch.ones_like(power))


def test_the_deviation_channel_shows_a_minibatch_without_variety():
    x = rng().normal(6, 3, 4, 4)
    varied = with_deviation(x)
    expected = x.std(1, unbiased=False).mean((1, 2, 3))
    assert varied.shape == (2, 6, 4, 4, 4)
    torch.testing.assert_close(varied[:, :, :3], x)
    torch.testing.assert_close(varied[:, 2, 3, 1, 1], expected)
    same = with_deviation(x[:, :1].expand(-1, 6, -1, -1, -1))
    assert same[:, :, 3].max() < 1e-3
