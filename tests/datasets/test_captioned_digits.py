"""Digits and captions, whose meaning and entropy are known."""

import math

import pytest
import torch

from genbench.core.dataset import open_named
from genbench.core.model import MODELS, build
from genbench.core.rng import Rng
from genbench.core.spec import Budget
from genbench.core.trained import Trained
from genbench.datasets.captioned_digits import ENTROPY, WORDS, decode, parse, spell
from genbench.metrics.caption_accuracy import caption_accuracy
from genbench.metrics.caption_nll import caption_nll
from genbench.metrics.pair_spread import pair_spread
from genbench.report.site.lines import write_lines
from genbench.training.minibatches import prepare
from genbench.training.trainer import Trainer

RNG = Rng([0])


@pytest.fixture(scope="module")
def drawn():
    return open_named("captioned_digits")


@pytest.fixture(scope="module")
def written():
    return open_named("captioned_digits", to="text")


def words(text):
    return torch.tensor([[WORDS.index(word) for word in text.split()]])


def test_captions_say_what_is_drawn(drawn):
    x, source = drawn.draw_pairs(400, Rng([0, 1]))
    assert x.shape == (2, 400, 1, 16, 16)
    assert source.shape == (2, 400, 6)
    for image, caption in zip(x[1, :50], source[1, :50], strict=True):
        text = spell(caption)
        rows, columns = image[0].nonzero().unbind(1)
        assert (rows.max() < 8) == ("upper" in text or "top" in text)
        assert (columns.max() < 8) == ("left" in text)
        assert (image.max() <= 0.5) == ("dim" in text or "dark" in text)


def test_the_entropy_of_a_caption_is_that_of_its_free_words(written):
    """Of captions that say the same all eight are equally likely."""
    text = written.points("test")
    said, groups, counts = torch.unique(
        parse(text), dim=0, return_inverse=True, return_counts=True
    )
    assert len(said) == 80
    most = int(counts.argmax())
    _, share = torch.unique(text[groups == most], dim=0, return_counts=True)
    p = share / share.sum()
    assert len(share) == 8
    assert float(-(p * p.log()).sum()) == pytest.approx(ENTROPY, abs=0.1)
    assert written.truth.described.entropy == pytest.approx(3 * math.log(2))


def test_reports_show_captions_as_words(drawn, written):
    words = spell(written.points("test")[0])
    assert write_lines(written.points("test")[:2].numpy(), written).splitlines()[0] == words
    sources = drawn.given.points("test")[:1]
    assert write_lines(sources.numpy(), drawn.given) == spell(sources[0])


def test_broken_captions_say_nothing():
    assert parse(words("the dim three at top left")).tolist() == [[1, 3, 0, 0]]
    for text in (
        "the dim dim at top left",
        "three dim three at top left",
        "a dim six upper at left",
    ):
        assert parse(words(text)).tolist() == [[-1] * 4]


def test_images_are_read_as_their_captions_say(drawn):
    x, source = drawn.points("test")[:1000], drawn.given.points("test")[:1000]
    seen, said = drawn.truth.described.read(x), parse(source)
    assert torch.equal(seen[:, [0, 2, 3]], said[:, [0, 2, 3]])
    assert (seen == said).all(1).double().mean() > 0.95


def test_one_picture_a_caption_is_right_and_has_no_spread(drawn):
    """Accuracy alone would not mind; the spread stands beside it, always."""
    x, source = drawn.points("test")[:1500], drawn.given.points("test")[:1500]
    _, groups = torch.unique(parse(source), dim=0, return_inverse=True)
    first = torch.stack([(groups == g).nonzero()[0, 0] for g in range(80)])
    # a picture that the judge reads rightly, if there is one
    scores = caption_accuracy(source, x, x[first][groups], drawn.truth, rng=RNG)
    assert scores["caption_accuracy"].value > 0.9
    assert scores["caption_spread"].value == pytest.approx(0, abs=1e-9)
    own = caption_accuracy(source, x, x, drawn.truth, rng=RNG)
    assert own["caption_spread"].value == 1
    assert own["caption_accuracy"].value == own["caption_accuracy"].floor > 0.95
    shuffled = caption_accuracy(source, x, x.flip(0), drawn.truth, rng=RNG)
    assert shuffled["caption_accuracy"].value < 0.05


def test_one_picture_a_string_of_words_varies_with_synonyms_alone(drawn):
    """Eight synonymous captions with a picture each pass the spread of a meaning, not that of a caption."""
    x, source = drawn.points("test")[:4000], drawn.given.points("test")[:4000]
    strings, which = torch.unique(source, dim=0, return_inverse=True)
    first = torch.stack([(which == k).nonzero()[0, 0] for k in range(len(strings))])
    one = caption_accuracy(source, x, x[first][which], drawn.truth, rng=RNG)
    assert one["caption_spread"].value > 0.8
    assert one["same_caption_spread"].value == pytest.approx(0, abs=1e-9)
    own = caption_accuracy(source, x, x, drawn.truth, rng=RNG)["same_caption_spread"]
    assert own.value == own.floor == pytest.approx(1, abs=0.05)
    # other real images of the same meaning are exact draws
    _, meanings = torch.unique(parse(source), dim=0, return_inverse=True)
    order = torch.arange(len(x))
    for meaning in meanings.unique():
        rows = (meanings == meaning).nonzero()[:, 0]
        order[rows] = rows.roll(1)
    drawn_again = caption_accuracy(source, x, x[order], drawn.truth, rng=RNG)
    assert drawn_again["same_caption_spread"].value == pytest.approx(1, abs=0.08)
    # half of every deviation from the meaning's average is a quarter of the variance
    means = torch.stack([x[meanings == m].mean(0) for m in meanings.unique()])[meanings]
    half = caption_accuracy(source, x, (x + means) / 2, drawn.truth, rng=RNG)
    assert half["same_caption_spread"].value == pytest.approx(own.floor / 4, rel=1e-5)
    once = caption_accuracy(source[first], x[first], x[first], drawn.truth, rng=RNG)
    assert "more than one output" in once["same_caption_spread"].reason


def test_an_oracle_is_told_what_captions_say(drawn):
    told = open_named("captioned_digits", to="image_of_attributes")
    assert torch.equal(told.points("test"), drawn.points("test"))
    source, captions = (data.given.points("test")[:500] for data in (told, drawn))
    assert source.shape == (500, 16)
    assert (source.sum(1) == 4).all()
    assert torch.equal(decode(source), parse(captions))
    x, other = told.draw_pairs(30, Rng([0, 1])), drawn.draw_pairs(30, Rng([0, 1]))
    assert torch.equal(x[0], other[0])
    assert torch.equal(decode(x[1][1]), parse(other[1][1]))
    real = told.points("test")[:500]
    assert (
        caption_accuracy(source, real, real, told.truth, rng=RNG)["caption_accuracy"].value > 0.9
    )
    options = {"network": "mlp", "hidden": [8], "l1": 0.0, "noise": 4}
    model = prepare(build("pix2pix", told.spec, Rng([0]), options), told, Rng([0]))
    assert Trained(model, told).translate(source[:3], Rng([0])).shape == (3, 1, 16, 16)


def test_retrieval_draws_one_picture_a_string(drawn):
    rng = Rng([0])
    model = prepare(build("retrieval", drawn.spec, rng), drawn, rng)
    source, x = drawn.given.points("test")[:2000], drawn.points("test")[:2000]
    fake = Trained(model, drawn).translate(source, rng)
    scores = caption_accuracy(source, x, fake, drawn.truth, rng=rng)
    assert scores["caption_spread"].value > 0.5
    assert scores["same_caption_spread"].value == pytest.approx(0, abs=1e-9)


def test_captions_are_right_by_their_meaning(written):
    text, image = written.points("test")[:500], written.given.points("test")[:500]
    scores = caption_accuracy(image, text, text, written.truth, rng=RNG)
    assert scores["caption_accuracy"].value == scores["caption_readable"].value == 1
    assert scores["caption_spread"].value is None
    assert "no variance" in scores["same_caption_spread"].reason
    synonyms = text.clone()
    synonyms[:, 0] = 1 - synonyms[:, 0]
    assert (
        caption_accuracy(image, text, synonyms, written.truth, rng=RNG)["caption_accuracy"].value
        == 1
    )
    noise = Rng([3]).integers(len(WORDS), 500, 6)[0]
    assert (
        caption_accuracy(image, text, noise, written.truth, rng=RNG)["caption_readable"].value
        < 0.05
    )


def measure_captioner(written, steps, **options):
    rng = Rng([0])
    model = prepare(build("captioner", written.spec, rng, options), written, rng)
    Trainer(model, written, Budget(steps=steps), rng=rng, batch=64).run()
    score = caption_nll(Trained(model, written), written.points("test"), rng=rng, points=1000)
    assert score.floor == pytest.approx(ENTROPY)
    return score.value


def test_a_captioner_comes_near_the_entropy_and_needs_the_image(written):
    """A small one, after 500 rounds, within a nat of the floor; without the image four nats above."""
    small = {"units": 64, "width": 8}
    assert ENTROPY < measure_captioner(written, 500, **small) < ENTROPY + 1
    assert measure_captioner(written, 150, image=False, **small) > ENTROPY + 4


@pytest.mark.slow
def test_the_default_captioner_is_within_three_tenths_of_a_nat(written):
    assert ENTROPY < measure_captioner(written, 1500) < ENTROPY + 0.3


def test_captions_are_drawn_as_often_as_their_probability_says(written):
    """The first word's frequencies among 4,000 captions of one image are their probabilities."""
    rng = Rng([0], dtype=torch.float64)
    model = prepare(build("captioner", written.spec, rng, {"units": 4, "width": 2}), written, rng)
    image = written.given.to_model(written.given.points("test")[:1].double()).unsqueeze(0)
    model.writer.length = 1
    draws = model.translate(image.expand(1, 4000, -1, -1, -1), rng)[0, :, 0]
    every = torch.arange(len(WORDS)).view(1, -1, 1)
    p = model.log_prob_given(every, image.expand(1, len(WORDS), -1, -1, -1), rng)[0].detach().exp()
    assert float(p.sum()) == pytest.approx(1)
    share = draws.bincount(minlength=len(WORDS)) / 4000
    assert (share - p).abs().max() < 4 * 0.5 / 4000**0.5


def test_the_game_never_moves_the_features_of_captions(drawn):
    rng = Rng([0])
    options = {"hidden": [8], "units": 4, "features": 4}
    model = prepare(build("text_gan", drawn.spec, rng, options), drawn, rng)
    assert [player.name for player in model.players()] == ["matcher", "discriminator", "generator"]
    schedule = model.players()[0].schedule
    assert (schedule(0.4), schedule(0.6)) == (1.0, 0.0)
    batch = Trainer(model, drawn, Budget(steps=1), rng=rng, batch=16).minibatches(0.5)
    for loss in (model.discriminator_loss, model.generator_loss):
        loss(batch, rng).sum().backward()
    assert all(p.grad is None for p in model.matcher.parameters())


def test_wrong_captions_count_where_they_are_shown(drawn):
    """Without `match` the judge has two kinds of pairs, with it three."""
    rng = Rng([0])
    batch = None
    losses = []
    for match in (True, False):
        options = {"hidden": [8], "units": 4, "features": 4, "match": match, "penalty": 0.0}
        model = prepare(build("text_gan", drawn.spec, rng, options), drawn, rng)
        batch = batch or Trainer(model, drawn, Budget(steps=1), rng=rng, batch=16).minibatches(0.5)
        losses.append(model.discriminator_loss(batch, Rng([1])).item())
    assert losses[0] != losses[1]


def test_captions_are_as_large_to_the_networks_as_the_noise(drawn):
    model = build("text_gan", drawn.spec, Rng([0, 1]), {"hidden": [8], "units": 4})
    text = model.read(drawn.given.points("test")[:50].expand(2, -1, -1))
    torch.testing.assert_close(text.square().mean(-1), torch.ones(2, 50))


def test_the_mode_seeking_term_is_that_of_the_paper(drawn):
    """Distance of codes over distance of images of one caption; huge where noise is ignored."""
    rng = Rng([0, 1])
    small = {"hidden": [8], "units": 4, "features": 4}
    model = prepare(build("text_gan", drawn.spec, rng, small), drawn, rng)
    batch = Trainer(model, drawn, Budget(steps=1), rng=rng, batch=16).minibatches(0.5)
    losses = {}
    for weight in (1.0, 3.0):
        model.diversity = weight
        losses[weight] = model.generator_loss(batch, Rng([0, 1]))
    z = Rng([0, 1]).normal(32, model.latent)
    text = model.read(batch.source)
    pairs = [model.decode(text, half) for half in z.chunk(2, 1)]
    far, apart = ((a - b).abs().flatten(1).mean(-1) for a, b in (pairs, z.chunk(2, 1)))
    torch.testing.assert_close(losses[3.0] - losses[1.0], 2 * apart / (2 * far + 1e-5))

    with torch.no_grad():
        model.generator.layers[0].weight[:, 4:] = 0
    assert (model.generator_loss(batch, Rng([0, 1])) > 1e4).all()
    model.diversity = 0
    assert (model.generator_loss(batch, Rng([0, 1])) < 2).all()


@pytest.mark.slow
def test_text_gan_draws_captions_rightly_and_in_more_than_one_way(drawn):
    """After 1,200 rounds, by the validation split."""
    rng = Rng([1000])
    source, x = drawn.given.points("validation")[:2000], drawn.points("validation")[:2000]
    model = prepare(build("text_gan", drawn.spec, rng), drawn, rng)
    Trainer(model, drawn, Budget(steps=1200), rng=rng, batch=64).run()
    fake = Trained(model, drawn).translate(source, rng)
    scores = caption_accuracy(source, x, fake, drawn.truth, rng=rng)
    assert scores["caption_accuracy"].value > 0.8
    assert scores["caption_spread"].value > 0.4


def test_words_have_no_variance(written):
    rng = Rng([0])
    model = prepare(build("captioner", written.spec, rng, {"units": 4, "width": 2}), written, rng)
    score = pair_spread(Trained(model, written), written.points("test"), rng=rng)
    assert score.reason == "points of captioned_digits are words, which have no variance"


def test_models_of_captions_refuse_others(drawn, written):
    assert "needs captions to draw" in MODELS.get("text_gan").refuses(
        open_named("quarter_turn").spec
    )
    assert "needs captions of images" in MODELS.get("captioner").refuses(drawn.spec)
    assert "needs continuous data" in MODELS.get("pix2pix").refuses(drawn.spec)
    assert MODELS.get("captioner").refuses(written.spec) is None
    assert MODELS.get("regression").refuses(drawn.spec) is None


def test_controls_read_captions_too(drawn):
    """Retrieval finds an image of the same words, and regression starts at the mean of the images."""
    rng = Rng([0, 1])
    source = drawn.given.points("test")[:20].expand(2, -1, -1)
    model = prepare(build("retrieval", drawn.spec, rng), drawn, rng)
    near = parse(source[0])
    assert torch.equal(
        drawn.truth.described.read(drawn.to_data(model.translate(source, rng))[0])[:, 0],
        near[:, 0],
    )
    network = prepare(
        build("regression", drawn.spec, rng, {"network": "mlp", "hidden": [8]}), drawn, rng
    )
    assert (network.translate(source, rng) - network.mean).abs().mean() < 0.1
    for name in ("random_target", "mean_answer"):
        other = prepare(build(name, drawn.spec, rng), drawn, rng)
        assert other.sample(5, rng).shape == (2, 5, 1, 16, 16)
