"""What makes each variant of the adversarial game that variant."""

import pytest
import torch

from genbench.core.dataset import DataSpec
from genbench.core.errors import ContractError
from genbench.core.model import Batch, build
from genbench.core.rng import Rng
from genbench.models.adversarial._spectral import SpectralMLP

PLANE = DataSpec("plane", (2,))
IMAGE = DataSpec("image", (1, 2, 2), range=(0.0, 1.0))
SEEDS = [0, 1]
VARIANTS = ["gan_minimax", "lsgan", "wgan", "r1_gan", "pacgan", "hinge_sn", "unrolled_gan"]


def make(name, spec=PLANE, **options):
    return build(name, spec, Rng(SEEDS, dtype=torch.float64), {"hidden": (8,), **options})


def rng():
    return Rng(SEEDS, dtype=torch.float64)


@pytest.fixture
def batch():
    return Batch(rng().fork("x").normal(64, 2))


def outputs(model, batch):
    """What the discriminator says of the minibatch and of the points its losses will draw."""
    return model.pair.logits(batch.x), model.pair.logits(model.sample(batch.x.shape[1], rng()))


def gradient(loss, module):
    return torch.autograd.grad(loss.sum(), list(module.parameters()))


@pytest.mark.parametrize("name", VARIANTS)
def test_the_first_players_loss_does_not_reach_the_generator(name, batch):
    model = make(name)
    model.players()[0].loss(batch, rng()).sum().backward()
    assert all(p.grad is None for p in model.pair.generator.parameters())
    assert all(p.grad is not None for p in model.pair.discriminator.parameters())


@pytest.mark.parametrize("name", VARIANTS)
def test_bits_are_refused(name):
    assert "continuous" in type(make(name)).refuses(DataSpec("bits", (4,), kind="binary"))


# --- losses


@pytest.mark.parametrize(
    ("name", "options"),
    [("gan_minimax", {}), ("r1_gan", {"penalty": 0.0}), ("pacgan", {"pack": 1})],
)
def test_without_what_sets_it_apart_a_variant_is_the_gan(name, options, batch):
    model, gan = make(name, **options), make("gan")
    torch.testing.assert_close(
        model.discriminator_loss(batch, rng()), gan.discriminator_loss(batch, rng())
    )
    if name != "gan_minimax":
        torch.testing.assert_close(
            model.generator_loss(batch, rng()), gan.generator_loss(batch, rng())
        )


def test_the_minimax_generator_lowers_log_one_minus_d_and_saturates(batch):
    model, gan = make("gan_minimax"), make("gan")
    _, fake = outputs(model, batch)
    loss = model.generator_loss(batch, rng())
    torch.testing.assert_close(loss, (1 - fake.sigmoid()).log().mean(-1))
    for each in (model.pair, gan.pair):
        with torch.no_grad():
            each.discriminator.layers[-1].bias.fill_(-12.0)  # samples are found out
    slow = gradient(model.generator_loss(batch, rng()), model.pair.generator)
    fast = gradient(gan.generator_loss(batch, rng()), gan.pair.generator)
    for a, b in zip(slow, fast, strict=True):
        assert a.abs().max() < 1e-4 * b.abs().max()


def test_lsgan_regresses_on_one_and_zero(batch):
    model = make("lsgan")
    real, fake = outputs(model, batch)
    torch.testing.assert_close(
        model.discriminator_loss(batch, rng()), ((real - 1) ** 2 + fake**2).mean(-1) / 2
    )
    torch.testing.assert_close(model.generator_loss(batch, rng()), ((fake - 1) ** 2).mean(-1) / 2)


def test_hinge_ignores_points_beyond_the_margin(batch):
    model = make("hinge_sn").eval()
    real, fake = outputs(model, batch)
    loss = model.discriminator_loss(batch, rng())
    torch.testing.assert_close(loss, ((1 - real).clamp(0) + (1 + fake).clamp(0)).mean(-1))
    torch.testing.assert_close(model.generator_loss(batch, rng()), -fake.mean(-1))
    with torch.no_grad():
        model.pair.discriminator.layers[-1].bias.fill_(1000.0)
    real, fake = outputs(model, batch)
    torch.testing.assert_close(model.discriminator_loss(batch, rng()), 1 + fake.mean(-1))


# --- wgan


def test_the_wgans_critic_loss_is_the_gap(batch):
    model = make("wgan")
    real, fake = outputs(model, batch)
    torch.testing.assert_close(
        model.discriminator_loss(batch, rng()), fake.mean(-1) - real.mean(-1)
    )
    torch.testing.assert_close(model.generator_loss(batch, rng()), -fake.mean(-1))


def test_the_wgans_critic_is_clipped_and_the_generator_is_not():
    model = make("wgan", clip=0.05)
    critic, generator = model.players()
    before = [p.detach().clone() for p in critic.module.parameters()]
    assert (critic.name, critic.steps, generator.project) == ("critic", 5, None)
    critic.project()
    for old, p in zip(before, critic.module.parameters(), strict=True):
        assert p.abs().max() == 0.05
        inside = old.abs() <= 0.05
        assert torch.equal(p[inside], old[inside])
    assert max(p.abs().max() for p in generator.module.parameters()) > 0.05


# --- r1


def linear_r1(spec, penalty):
    model = make("r1_gan", spec, hidden=(), penalty=penalty)
    with torch.no_grad():
        model.pair.discriminator.layers[0].weight.fill_(2.0)
    return model


@pytest.mark.parametrize("spec", [PLANE, IMAGE])
def test_r1_adds_half_the_squared_slope_at_real_points(spec):
    batch = Batch(rng().fork("x").uniform(64, *spec.event))
    plain, held = (
        linear_r1(spec, penalty).discriminator_loss(batch, rng()) for penalty in (0.0, 3.0)
    )
    square = 4.0 * spec.size
    torch.testing.assert_close(held - plain, torch.full_like(plain, 0.5 * 3.0 * square))


def test_r1_looks_at_real_points_alone_and_pulls_the_slope_to_zero(batch):
    model = linear_r1(PLANE, 1e6)
    (weight, _) = gradient(model.discriminator_loss(batch, rng()), model.pair.discriminator)
    assert (weight > 0).all()
    bent = make("r1_gan", penalty=1.0)
    x = batch.x.clone().requires_grad_()
    (slope,) = torch.autograd.grad(bent.pair.logits(x).sum(), x)
    gap = bent.discriminator_loss(batch, rng()) - make("gan").discriminator_loss(batch, rng())
    torch.testing.assert_close(gap, 0.5 * slope.square().sum(-1).mean(-1))


# --- pacgan


def test_a_pack_holds_points_of_one_seed_side_by_side(batch):
    packs = make("pacgan", pack=3).pair.inputs(batch.x)
    assert packs.shape == (2, 21, 6)
    for k in range(2):
        assert torch.equal(
            packs[k, 5], torch.cat([batch.x[k, 15], batch.x[k, 16], batch.x[k, 17]])
        )


def test_packs_show_collapse_that_no_single_point_shows():
    """Both sources have the same single points; only pairs of the collapsed one always agree."""
    model = make("pacgan", hidden=())
    sign = rng().integers(2, 2000, 2).double() * 2 - 1
    varied, collapsed = sign, sign[:, ::2].repeat_interleave(2, dim=1)
    product = [
        x.prod(2, keepdim=True) for x in (model.pair.inputs(varied), model.pair.inputs(collapsed))
    ]
    torch.testing.assert_close(product[1], torch.ones_like(product[1]))
    assert (product[0].mean((1, 2)).abs() < 0.1).all()


def test_a_minibatch_smaller_than_a_pack_is_refused(batch):
    with pytest.raises(ContractError, match="at least 65, got 64"):
        make("pacgan", pack=65).discriminator_loss(batch, rng())


# --- spectral normalisation


def spectral(**options):
    return SpectralMLP(3, 1, (7, 5), Rng([0, 1, 2], dtype=torch.float64), **options)


def test_layers_have_spectral_norm_one_each_seed_its_own():
    judge = spectral(warmup=500)
    with torch.no_grad():
        for layer in judge.layers:
            layer.weight.mul_(torch.tensor([1.0, 10.0, 0.1]).view(3, 1, 1))
        for i in range(3):
            largest = torch.linalg.matrix_norm(judge.weight(i), ord=2)
            torch.testing.assert_close(largest, torch.ones_like(largest))


def test_power_iteration_goes_on_in_training_mode_only():
    judge = spectral(warmup=0)
    x = Rng([0, 1, 2], dtype=torch.float64).normal(4, 3)
    judge.eval()
    assert torch.equal(judge(x), judge(x))
    start = judge.direction_0.clone()
    judge.train()
    for _ in range(300):
        judge(x)
    assert not torch.equal(judge.direction_0, start)
    largest = torch.linalg.matrix_norm(judge.eval().weight(0), ord=2)
    torch.testing.assert_close(largest, torch.ones_like(largest))
    assert {"direction_0", "direction_1", "direction_2"} <= set(judge.state_dict())


def test_the_gradient_runs_through_the_norm_as_in_torch():
    judge = spectral(warmup=500).eval()
    direction = Rng([0, 1, 2], dtype=torch.float64).fork("direction").normal(3, 7)
    layer = judge.layers[0]
    (ours,) = torch.autograd.grad((judge.weight(0) * direction).sum(), layer.weight)
    norm = torch.linalg.matrix_norm(layer.weight, ord=2).view(3, 1, 1)
    (exact,) = torch.autograd.grad((layer.weight / norm * direction).sum(), layer.weight)
    torch.testing.assert_close(ours, exact, rtol=1e-6, atol=1e-8)


def test_the_discriminator_is_lipschitz_times_its_scale():
    judge = spectral(warmup=500, scale=10.0).eval()
    noise = Rng([0, 1, 2], dtype=torch.float64)
    a, b = noise.normal(500, 3), noise.normal(500, 3)
    ratio = (judge(a) - judge(b)).squeeze(-1).abs() / (a - b).norm(dim=-1)
    assert (ratio <= 10 + 1e-6).all()
    assert make("hinge_sn").scale == 10.0
    assert make("hinge_sn", IMAGE).scale == 1.0


# --- unrolling


def test_without_unrolling_the_game_is_zero_sum(batch):
    model = make("unrolled_gan", unroll=0)
    torch.testing.assert_close(
        model.generator_loss(batch, rng()), -model.discriminator_loss(batch, rng())
    )


def test_the_loss_is_that_of_a_discriminator_moved_by_gradient_descent(batch):
    model, moved = make("unrolled_gan", unroll=3, inner_lr=0.2), make("unrolled_gan")
    weights = list(moved.pair.discriminator.parameters())
    for _ in range(3):
        slopes = gradient(moved.discriminator_loss(batch, rng()), moved.pair.discriminator)
        with torch.no_grad():
            for weight, slope in zip(weights, slopes, strict=True):
                weight -= 0.2 * slope
    torch.testing.assert_close(
        model.generator_loss(batch, rng()), -moved.discriminator_loss(batch, rng())
    )
    for p, q in zip(
        model.pair.discriminator.parameters(),
        make("unrolled_gan").pair.discriminator.parameters(),
        strict=True,
    ):
        assert torch.equal(p, q)


def test_the_generators_gradient_runs_through_the_steps_ahead(batch):
    model = make("unrolled_gan", unroll=3, inner_lr=0.5)
    bias = model.pair.generator.layers[-1].bias
    (ours,) = torch.autograd.grad(model.generator_loss(batch, rng()).sum(), bias)
    step, losses = 1e-6, []
    for sign in (1, -1):
        with torch.no_grad():
            bias[:, 0, 0] += sign * step
        losses.append(model.generator_loss(batch, rng()).detach())
        with torch.no_grad():
            bias[:, 0, 0] -= sign * step
    torch.testing.assert_close(
        ours[:, 0, 0], (losses[0] - losses[1]) / (2 * step), rtol=1e-5, atol=1e-8
    )
