"""Reference rows and networks that make points from sources."""

import pytest
import torch

from genbench.core.dataset import DataSpec, open_named
from genbench.core.errors import SpecError
from genbench.core.model import MODELS, Batch, build
from genbench.core.rng import Rng
from genbench.core.spec import Budget
from genbench.models.control.retrieval import find_nearest
from genbench.training.minibatches import prepare
from genbench.training.trainer import Trainer

GREY = {"range": (0.0, 1.0), "levels": 17}


@pytest.fixture(scope="module")
def film():
    return open_named("moving_digits")


def make(name, film, seeds=(0,), **options):
    rng = Rng(list(seeds))
    return prepare(build(name, film.spec, rng, options), film, rng), rng


def grown(source=(1, 4, 4), event=(1, 8, 8)):
    return DataSpec("grown", event, **GREY, source=DataSpec("small", source, **GREY))


def test_copy_gives_the_last_frame(film):
    model, rng = make("copy", film)
    source = film.given.to_model(film.given.points("test")[:5]).unsqueeze(0)
    assert torch.equal(model.translate(source, rng), source[:, :, 1:])


def test_copy_repeats_channels_that_lack():
    model = build("copy", grown((1, 8, 8), (3, 8, 8)), Rng([0]))
    x = torch.rand(1, 2, 1, 8, 8)
    assert torch.equal(model.translate(x, Rng([0])), x.expand(1, 2, 3, 8, 8))


@pytest.mark.parametrize("exemplar", ["none", "view", "wrong"])
def test_copy_pastes_the_exemplar_into_the_hole_alone(exemplar):
    data = open_named("holes", exemplar=exemplar)
    model, rng = make("copy", data)
    source = data.given.to_model(data.given.points("test")[:20]).unsqueeze(0)
    hidden = data.truth.hidden
    y = model.translate(source, rng)
    assert torch.equal(y[..., ~hidden[0]], source[:, :, :1][..., ~hidden[0]])
    assert torch.equal(y[..., hidden[0]], source[:, :, -1:][..., hidden[0]])
    truth = data.points("test")[:20]
    assert torch.equal(data.to_data(y[0])[:, ~hidden], truth[:, ~hidden])


def test_enlargements_keep_constant_images_and_ranges():
    source = torch.full((1, 2, 1, 4, 4), 0.3)
    source[:, 1, :, :2] = 1.0
    for name in ("bicubic", "nearest"):
        y = build(name, grown(), Rng([0])).translate(source, Rng([0]))
        assert y.shape == (1, 2, 1, 8, 8)
        assert torch.allclose(y[:, 0], torch.full((1, 1, 8, 8), 0.3))
        assert y.max() <= 1
    assert torch.equal(y[0, 1, 0, ::2, ::2], source[0, 1, 0])


def test_enlargements_refuse_sources_as_large_as_points(film):
    for name in ("bicubic", "nearest"):
        assert "needs to enlarge images" in MODELS.get(name).refuses(film.spec)


@pytest.mark.parametrize("scale", [2**-10, 1.0, 2**10])
def test_the_nearest_is_that_of_exact_distances_whatever_else_is_asked(scale):
    torch.manual_seed(0)
    keys = torch.randint(3, (500, 40)).float() * scale
    keys = torch.cat([keys, keys[:200], torch.zeros(300, 40)])  # equals, of which the first counts
    asked = torch.cat([torch.randint(3, (60, 40)) * scale, keys[190:210], torch.zeros(3, 40)])
    away = (asked.double()[:, None] - keys.double()).square().sum(-1)
    first = [row.eq(row.min()).nonzero()[0].item() for row in away]
    assert find_nearest(asked, keys).tolist() == first
    alone = [find_nearest(one[None], keys).item() for one in asked]
    assert alone == first


def test_retrieval_finds_the_pair_it_remembers(film):
    rng = Rng([0, 1])
    model = build("retrieval", film.spec, rng)
    x, source = film.draw_pairs(50, rng.fork("pairs"))
    model.prepare(Batch(x, source=source), rng)
    order = torch.arange(49, -1, -1)
    assert torch.equal(model.translate(source[:, order], rng), x[:, order])


def test_the_mean_and_random_points_ignore_the_source(film):
    mean, rng = make("mean_answer", film, (0, 1))
    source = film.given.to_model(film.given.points("test")[:300]).expand(2, -1, -1, -1, -1)
    x = mean.translate(source, rng)
    assert torch.equal(x[:, 0], x[:, 1])
    assert torch.allclose(x[0, 0], film.to_model(film.points("train")).mean(0), atol=0.02)
    random, rng = make("random_target", film, (0, 1))
    y = random.translate(source, rng)
    assert not torch.equal(y[:, 0], y[:, 1])
    assert torch.allclose(y.mean(1), x[:, 0], atol=0.1)


@pytest.mark.parametrize("network", ["mlp", "unet", "encoder_decoder", "resnet"])
@pytest.mark.parametrize(("l1", "far"), [(100.0, 0.2), (0.0, 0.25)])
def test_outputs_start_at_the_training_mean(film, network, l1, far):
    options = {"network": network, "hidden": [16], "width": 4, "blocks": 1, "l1": l1}
    model, rng = make("pix2pix", film, (0, 1), **options)
    away = (model.sample(64, rng) - model.mean).abs().mean()
    assert away < far


def test_a_judge_of_patches_that_do_not_fit_is_refused():
    """cyclegan also judges sources, on which convolutions of the largest patch failed in training."""
    with pytest.raises(
        SpecError, match=r"patch=22 needs images of at least 8 pixels a side .* got 4×4"
    ):
        build("cyclegan", grown(), Rng([0]), {"patch": 22})
    build("cyclegan", grown((1, 8, 8)), Rng([0]), {"patch": 22})


@pytest.mark.parametrize("patch", [None, 1, 4, 10, 22])
def test_a_judge_sees_patches(film, patch):
    model, rng = make("pix2pix", film, (0, 1), patch=patch, width=4)
    x, source = film.draw_pairs(3, rng)
    count = {None: 1, 1: 256, 4: 64, 10: 16, 22: 4}[patch]
    assert model.discriminator(x, source).shape == (2, 3, count)
    if patch is not None:
        x.requires_grad_()
        middle = model.discriminator(x, source)[0, 0, count // 2 + int(count**0.5) // 2]
        (slope,) = torch.autograd.grad(middle, x)
        rows = slope[0, 0, 0].abs().sum(1).nonzero().squeeze(1)
        assert int(rows.max() - rows.min()) + 1 <= patch


def test_a_judge_of_images_does_not_see_the_source(film):
    for judge, same in (("image", True), ("pair", False)):
        model, rng = make("pix2pix", film, network="mlp", hidden=[8], l1=0.0, judge=judge)
        x, source = film.draw_pairs(3, rng)
        one, two = (model.discriminator(x, s) for s in (source, source.flip(1)))
        assert torch.equal(one, two) == same


def test_without_a_judge_it_is_regression(film):
    model, _ = make("pix2pix", film, judge="none", l1=0.0, squared=1.0, network="mlp", hidden=[8])
    assert [player.name for player in model.players()] == ["generator"]
    assert model.noise == 0


@pytest.mark.parametrize(
    ("options", "reason"),
    [({"network": "mlp", "patch": 4}, "patch needs one of 1, 4, 10, 22")],
)
def test_options_that_do_not_go_together_are_refused(film, options, reason):
    with pytest.raises(SpecError, match=reason):
        make("pix2pix", film, **options)


def test_vectors_have_no_convolutions():
    plane = DataSpec("plane", (2,), source=DataSpec("line", (1,)))
    with pytest.raises(SpecError, match="take network=mlp"):
        build("regression", plane, Rng([0]))
    assert build("regression", plane, Rng([0]), {"network": "mlp", "hidden": [4]})


def test_pairs_are_asked_for():
    loose = DataSpec("loose", (2,), source=DataSpec("line", (1,)), paired=False)
    for name in ("pix2pix", "regression", "retrieval"):
        assert "needs pairs, loose shows" in MODELS.get(name).refuses(loose)
    for name in ("mean_answer", "random_target"):
        assert MODELS.get(name).refuses(loose) is None


def test_an_absolute_error_on_black_backgrounds():
    """Most pixels have their median at black, where outputs may get stuck; a linear one learns the digit."""
    film = open_named("moving_digits", futures=1)
    model, rng = make("pix2pix", film, judge="none", network="mlp", hidden=[128])
    Trainer(model, film, Budget(steps=300), batch=64, rng=rng).run()
    x, source = film.draw_pairs(300, rng.fork("test"))
    with torch.no_grad():
        lit = model.translate(film.given.to_model(source), rng)[x > 0.9]
    assert not model.logistic
    assert lit.mean() > 0.5


@pytest.fixture(scope="module")
def turned():
    return open_named("quarter_turn")


def step(model, data, rng, steps=3, **options):
    return Trainer(model, data, Budget(steps=steps), rng=rng, batch=16).run()


@pytest.mark.parametrize("cycle", ["both", "forward", "backward", "none"])
@pytest.mark.parametrize("adversary", [True, False])
def test_cyclegan_has_the_players_of_its_options(turned, cycle, adversary):
    options = {"network": "mlp", "hidden": [8], "cycle": cycle, "adversary": adversary}
    if cycle == "none" and not adversary:
        with pytest.raises(SpecError, match="needs an adversary, cycles or both"):
            make("cyclegan", turned, **options)
        return
    model, rng = make("cyclegan", turned, (0, 1), **options)
    names = [player.name for player in model.players()]
    assert names == ["discriminators", "generators"] if adversary else names == ["generators"]
    step(model, turned, rng)


def test_cycles_alone_bring_sources_back(turned):
    """Without judges nothing says what points look like, but the way there and back is learnt."""
    options = {"network": "mlp", "hidden": [64], "adversary": False}
    model, rng = make("cyclegan", turned, (0,), **options)
    source = turned.given.to_model(turned.given.points("test")[:200]).unsqueeze(0)

    def error():
        return (model.back(model.translate(source, rng), rng) - source).abs().mean()

    before = error()
    step(model, turned, rng, 200)
    assert error() < 0.6 * before


def test_a_backward_cycle_teaches_the_backward_way_alone_to_be_undone(turned):
    """`forward` is G then F; `backward` F then G: each loss is zero where its own composition is."""
    for cycle, first, second in (("forward", "there", "here"), ("backward", "here", "there")):
        model, _ = make(
            "cyclegan", turned, network="mlp", hidden=[8], cycle=cycle, adversary=False, weight=1.0
        )
        batch = Batch(torch.rand(1, 4, 1, 8, 8), source=torch.rand(1, 4, 1, 8, 8))
        start = batch.source if cycle == "forward" else batch.x
        there = getattr(model, second)(getattr(model, first)(start))
        expected = 2 * (there - start).abs().mean()
        assert model.generators_loss(batch, Rng([0])).item() == pytest.approx(
            expected.item(), rel=1e-5
        )


def test_identity_is_nothing_for_networks_that_leave_points_alone(turned):
    batch = Batch(torch.rand(1, 4, 1, 8, 8), source=torch.rand(1, 4, 1, 8, 8))
    options = {"network": "mlp", "hidden": [8], "adversary": False, "weight": 2.0}
    plain, _ = make("cyclegan", turned, **options)
    tied, _ = make("cyclegan", turned, identity=0.5, **options)
    more = (tied.there(batch.x) - batch.x).abs().mean() + (
        tied.here(batch.source) - batch.source
    ).abs().mean()
    gap = tied.generators_loss(batch, Rng([0])) - plain.generators_loss(batch, Rng([0]))
    assert gap.item() == pytest.approx(2 * more.item(), rel=1e-4)
    with pytest.raises(SpecError, match="sources of the points' shape for identity"):
        make("cyclegan", open_named("super_resolution"), identity=0.5, network="mlp")


def test_cyclegan_never_sees_which_point_a_source_is_of(turned):
    """Sources in another order leave its losses, without a buffer, as they are."""
    model, _ = make("cyclegan", turned, network="mlp", hidden=[8], buffer=0)
    batch = Batch(torch.rand(1, 8, 1, 8, 8), source=torch.rand(1, 8, 1, 8, 8))
    other = Batch(batch.x, source=batch.source.flip(1))
    for player in model.players():
        one, two = (player.loss(b, Rng([0])).item() for b in (batch, other))
        assert one == pytest.approx(two, rel=1e-5)


@pytest.mark.parametrize("exemplar", [True, False])
@pytest.mark.parametrize("adversary", [True, False])
def test_exgan_looks_at_exemplars_if_it_may(exemplar, adversary):
    data = open_named("holes")
    options = {"network": "mlp", "hidden": [8], "exemplar": exemplar, "adversary": adversary}
    model, rng = make("exgan", data, (0, 1), **options)
    step(model, data, rng)
    source = data.given.to_model(data.given.points("test")[:8]).expand(2, -1, -1, -1, -1)
    other = torch.cat([source[:, :, :1], source[:, :, 1:].flip(1)], 2)
    same = torch.equal(model.translate(source, rng), model.translate(other, rng))
    assert same != exemplar
    assert len(model.players()) == 1 + adversary


def test_exgan_needs_exemplars():
    assert "needs images with exemplars" in MODELS.get("exgan").refuses(
        open_named("holes", exemplar="none").spec
    )
