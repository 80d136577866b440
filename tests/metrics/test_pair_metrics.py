"""Metrics of pairs against closed forms and scikit-image."""

import math

import numpy as np
import pytest
import torch
from skimage.metrics import peak_signal_noise_ratio, structural_similarity
from torch.nn import functional

from genbench.core.dataset import open_named
from genbench.core.errors import DataError
from genbench.core.feature import EXTRACTORS, Extractor, Logits
from genbench.core.metric import METRICS
from genbench.core.model import build
from genbench.core.rng import Rng
from genbench.core.spec import Part
from genbench.core.trained import Trained
from genbench.core.truth import Truth
from genbench.evaluation.evaluator import Evaluator, draw
from genbench.evaluation.requests import make_requests
from genbench.metrics.answers_hit import answers_hit
from genbench.metrics.class_kept import class_kept
from genbench.metrics.consistency import consistency
from genbench.metrics.content_kept import content_kept
from genbench.metrics.cycle_error import cycle_error
from genbench.metrics.error_over_least import error_over_least
from genbench.metrics.hidden_psnr import hidden_psnr
from genbench.metrics.identified import identified
from genbench.metrics.near_answer import near_answer
from genbench.metrics.pair_gap import pair_gap
from genbench.metrics.pair_spread import pair_spread
from genbench.metrics.psnr import psnr
from genbench.metrics.ssim import ssim
from genbench.metrics.target_class import target_class
from genbench.training.minibatches import prepare

RNG = Rng([0])


def images(seed, n=6, channels=1, side=16):
    draws = torch.Generator().manual_seed(seed)
    return torch.rand(n, channels, side, side, generator=draws)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("side", [11, 16, 28])
def test_psnr_and_ssim_are_scikit_image_s(channels, side):
    real = images(0, channels=channels, side=side)
    fake = (real + 0.2 * (images(1, channels=channels, side=side) - 0.5)).clamp(0, 1)
    pairs = list(zip(real.double().numpy(), fake.double().numpy(), strict=True))
    expected = np.mean([peak_signal_noise_ratio(x, y, data_range=1.0) for x, y in pairs])
    assert psnr(real, real, fake, None, rng=RNG).value == pytest.approx(expected, abs=1e-6)
    about = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False}
    expected = np.mean(
        [structural_similarity(x, y, data_range=1.0, channel_axis=0, **about) for x, y in pairs]
    )
    score = ssim(real, real, fake, None, rng=RNG)
    assert score.value == pytest.approx(expected, abs=1e-6)
    assert score.protocol == {"window": 11}


def test_ssim_of_small_images_takes_a_smaller_window_and_may_be_negative():
    real = images(0, side=8)
    score = ssim(real, real, 1 - real, None, rng=RNG)
    assert score.protocol == {"window": 7}
    assert score.value < 0
    assert ssim(real, real, real, None, rng=RNG).value == pytest.approx(1, abs=1e-12)


def test_an_equal_image_counts_as_if_one_value_were_off_by_one_level():
    real = images(0)
    most = 20 * math.log10(255) + 10 * math.log10(real[0].numel())
    assert psnr(real, real, real, None, rng=RNG).value == pytest.approx(most)
    stored = (real * 255).round()
    kinds = [stored.float() / 255, stored.double() / 255]
    for kind in kinds:  # rounding of floats is no error of a picture
        assert psnr(real, kinds[0], kind, None, rng=RNG).value == pytest.approx(most)


def test_what_is_no_image_has_no_value():
    plane = torch.zeros(5, 2)
    for metric in (psnr, ssim):
        assert "are no images" in metric(plane, plane, plane, None, rng=RNG).reason
        assert "not in [0, 1]" in metric(images(0), images(0), images(0) + 1, None, rng=RNG).reason


@pytest.mark.parametrize("metric", [psnr, ssim, near_answer, error_over_least, consistency])
def test_pairs_must_be_complete(metric):
    real = images(0)
    with pytest.raises(
        DataError, match="needs a point for every source, got 6 sources, 6 real and 5"
    ):
        metric(real, real, real[:5], None, rng=RNG)


def test_consistency_is_the_root_of_the_mean_square():
    truth = Truth(degrade=lambda x: x[:, :, ::2, ::2])
    real = images(0)
    source = real[:, :, ::2, ::2]
    assert consistency(source, real, real, truth, rng=RNG).value == 0
    off = consistency(source, real, real + 0.25, truth, rng=RNG)
    assert off.value == pytest.approx(0.25, abs=1e-6)


@pytest.fixture(scope="module")
def film():
    return open_named("moving_digits")


@pytest.fixture(scope="module")
def parts(film):
    source, real = film.given.points("test")[:600], film.points("test")[:600]
    answers, _ = film.truth.answers(source)
    which = Rng([7]).integers(3, 600)[0]
    return source, real, answers.mean(1), answers[torch.arange(600), which]


def test_the_average_is_least_and_an_exact_draw_pays_twice(film, parts):
    source, real, average, draw = parts
    one = error_over_least(source, real, average, film.truth, rng=RNG)
    two = error_over_least(source, real, draw, film.truth, rng=RNG)
    values = [score[c].value for score in (one, two) for c in score]
    assert values == pytest.approx([1, 0, 2, 1], abs=0.15)
    assert values[1] < 1e-12


def test_the_average_is_near_no_answer_though_it_wins_psnr(film, parts):
    source, real, average, draw = parts
    assert near_answer(source, real, average, film.truth, rng=RNG).value == 0
    assert near_answer(source, real, draw, film.truth, rng=RNG).value == 1
    scores = [psnr(source, real, x, None, rng=RNG).value for x in (average, draw.clone())]
    errors = [(real - x).square().mean() for x in (average, draw)]
    assert errors[0] < errors[1]
    assert scores[1] > scores[0] or errors[1] > 1.8 * errors[0]


def test_one_answer_alone_has_no_gap():
    film = open_named("moving_digits", futures=1)
    source, real = film.given.points("test")[:9], film.points("test")[:9]
    assert near_answer(source, real, real, film.truth, rng=RNG).reason
    assert error_over_least(source, real, real, film.truth, rng=RNG)["error_over_least"].reason


class Draws:
    """Draws answers by given chances."""

    def __init__(self, dataset, chances):
        self.dataset, self.chances = dataset, torch.tensor(chances)

    def __call__(self, source, rng):
        answers, _ = self.dataset.truth.answers(self.dataset.given.to_data(source[0]))
        steps = self.chances.cumsum(0)
        which = (rng.uniform(len(answers))[0].unsqueeze(1) > steps).sum(1).clamp_max(2)
        return self.dataset.to_model(answers[torch.arange(len(answers)), which]).unsqueeze(0)


def trained(film, chances):
    model = prepare(build("copy", film.spec, RNG), film, RNG)
    model.translate = Draws(film, chances)
    return Trained(model, film)


def test_answers_hit_and_their_chances(film):
    test = film.points("test")
    exact = answers_hit(trained(film, [1 / 3] * 3), test, rng=Rng([1]))
    assert exact["answers_hit"].value == pytest.approx(3, abs=0.02)
    assert exact["answers_hit"].floor == pytest.approx(3 * (1 - (2 / 3) ** 16))
    assert exact["answer_chances"].value < 0.005
    uneven = answers_hit(trained(film, [0.5, 0.5, 0.0]), test, rng=Rng([1]))
    assert uneven["answers_hit"].value == pytest.approx(2, abs=0.02)
    assert uneven["answer_chances"].value == pytest.approx(math.log(1.5), abs=0.01)
    model = prepare(build("mean_answer", film.spec, RNG), film, RNG)
    none = answers_hit(Trained(model, film), test, rng=Rng([1]))
    assert none["answers_hit"].value == 0
    assert none["answer_chances"].reason == "no output is near an answer"


def test_the_spread_of_exact_draws_is_the_floor_and_of_one_answer_none(film):
    test = film.points("test")
    exact = pair_spread(trained(film, [1 / 3] * 3), test, rng=Rng([1]), points=400)
    assert exact.value == pytest.approx(exact.floor, rel=0.1)
    assert pair_spread(trained(film, [1.0, 0.0, 0.0]), test, rng=Rng([1])).value == 0


class Judge(Extractor, Logits):
    """Judges by the brightest quadrant of an image, and sees it as it is."""

    protocol = "judge"

    def logits(self, x):
        return functional.avg_pool2d(x, x.shape[-1] // 2).flatten(1)

    def extract(self, x):
        return x.flatten(1)


def quadrants(labels, value=1.0):
    x = torch.zeros(len(labels), 1, 8, 8)
    for row, label in zip(x, labels.tolist(), strict=True):
        row[0, 4 * (label // 2) :, 4 * (label % 2) :][:4, :4] = value
    return x


def test_class_kept_counts_outputs_of_the_true_class_and_says_the_spread():
    labels = torch.arange(4).repeat(25)
    real = quadrants(labels) * torch.linspace(0.5, 1, 100).view(-1, 1, 1, 1)
    made = labels.clone()
    made[:30] = (made[:30] + 1) % 4
    scores = class_kept(real, real, quadrants(made), labels, Judge(), rng=RNG)
    assert scores["class_kept"].value == pytest.approx(0.7)
    assert scores["class_kept"].floor == 1
    # one picture a class is recognised always, and its spread is nothing
    constant = class_kept(real, real, quadrants(labels, 0.7), labels, Judge(), rng=RNG)
    assert constant["class_kept"].value == 1
    assert constant["class_kept_spread"].value == 0
    assert class_kept(real, real, real, labels, Judge(), rng=RNG)["class_kept_spread"].value == 1


def test_class_accuracies_are_never_asked_for_without_spread():
    """The spread is a column of the same metric, so that no suite can leave it out."""
    for name in ("class_kept", "target_class"):
        assert f"{name}_spread" in METRICS.get(name).columns
    assert METRICS.get("target_class").beside == ("content_kept",)


def test_classes_need_labels_and_a_judge_that_has_some():
    real = quadrants(torch.arange(4))
    assert (
        "needs the classes"
        in class_kept(real, real, real, None, Judge(), rng=RNG)["class_kept"].reason
    )
    blind = open_extractor()
    reason = target_class(real, real, real, torch.arange(4), blind, rng=RNG)["target_class"].reason
    assert reason == "identity has no class logits"


def open_extractor():
    return EXTRACTORS.get("identity")(None)


def test_content_is_kept_by_the_output_nearest_to_its_own_source():
    x = images(3, n=200)
    kept = content_kept(x, x, (x + 0.05 * images(4, n=200)), None, Judge(), rng=RNG)
    assert kept.value == 1
    chance = content_kept(x, x, x.flip(0), None, Judge(), rng=RNG)
    assert chance.value > 50.5 - 4 * 2.1
    same = content_kept(x, x, x[:1].expand(200, -1, -1, -1), None, Judge(), rng=RNG)
    assert same.value == pytest.approx(50.5, abs=0.01)
    assert "of different shapes" in content_kept(x[:, :, ::2], x, x, None, Judge(), rng=RNG).reason


def test_psnr_of_what_is_hidden_is_scikit_image_s_of_the_hole_alone():
    real, fake = images(5, side=8), images(6, side=8)
    hidden = torch.zeros(1, 8, 8, dtype=torch.bool)
    hidden[:, 2:6, 2:6] = True
    fake = torch.where(hidden, (real + 0.2 * (fake - 0.5)).clamp(0, 1), fake)
    holes = [x[:, :, 2:6, 2:6].double().numpy() for x in (real, fake)]
    pairs = zip(*holes, strict=True)
    expected = np.mean([peak_signal_noise_ratio(x, y, data_range=1.0) for x, y in pairs])
    truth = Truth(hidden=hidden)
    assert hidden_psnr(real, real, fake, truth, rng=RNG).value == pytest.approx(expected, abs=1e-6)
    # what sources show does not count, whichever way it is wrong
    other = torch.where(hidden, fake, 1 - fake)
    assert hidden_psnr(real, real, other, truth, rng=RNG).value == pytest.approx(
        expected, abs=1e-6
    )
    assert "not in [0, 1]" in hidden_psnr(real, real, fake + 1, truth, rng=RNG).reason
    for other in (None, Truth(), Truth(hidden=hidden[:, 1:])):
        with pytest.raises(DataError, match="hidden_psnr needs a data set that knows what is hid"):
            hidden_psnr(real, real, fake, other, rng=RNG)


def test_holes_have_it_and_other_pairs_say_why_not():
    for name, known in (("holes", True), ("edges", False)):
        data, rng = open_named(name), Rng([0])
        model = prepare(build("copy", data.spec, rng, {}), data, rng)
        evaluator = Evaluator(data, make_requests([Part(name="hidden_psnr")]), samples=50)
        fake = draw(model, data, evaluator.n, rng)[0]
        rows = {m.id: m for m in evaluator.score(fake, Trained(model, data), rng)}
        assert "fid" in rows
        row = rows["hidden_psnr"]
        if known:
            assert row.value == pytest.approx(
                hidden_psnr(fake, data.points("test")[:50], fake, data.truth, rng=rng).value
            )
        else:
            assert row.value is None
            assert "hidden" in row.reason


def test_what_is_hidden_decides_who_is_identified():
    """Copies of what a source shows identify nobody."""
    x = images(5, n=50, side=8)
    hidden = torch.zeros(1, 8, 8, dtype=torch.bool)
    hidden[:, 2:6, 2:6] = True
    made = torch.where(hidden, x.mean(0, keepdim=True), x)
    assert identified(x, x, made, None, rng=RNG)["identified"].value == 1
    scores = identified(x, x, made, Truth(hidden=hidden), rng=RNG)
    assert scores["identified"].value < 0.2
    error = (made - x)[:, hidden].abs().mean().item()
    assert scores["hidden_error"].value == pytest.approx(error, rel=1e-5)
    assert identified(x, x, x, Truth(hidden=hidden), rng=RNG)["identified"].value == 1
    several = x[:1].expand(50, -1, -1, -1)
    assert identified(x, several, several, None, rng=RNG)["identified"].value == pytest.approx(
        0.02
    )


def test_cycle_error_is_nothing_where_each_way_undoes_the_other():
    data = open_named("quarter_turn")
    rng = Rng([0])
    model = prepare(
        build("cyclegan", data.spec, rng, {"network": "mlp", "hidden": [4]}), data, rng
    )
    model.there = lambda source: torch.rot90(source, -1, (3, 4))
    model.here = lambda x: torch.rot90(x, 1, (3, 4))
    assert cycle_error(Trained(model, data), data.points("test"), rng=rng).value == 0
    model.here = lambda x: torch.zeros_like(x)
    expected = data.given.points("test").square().mean().sqrt().item()
    score = cycle_error(Trained(model, data), data.points("test"), rng=rng)
    assert score.value == pytest.approx(expected, rel=1e-5)
    copy = prepare(build("copy", data.spec, rng), data, rng)
    reason = cycle_error(Trained(copy, data), data.points("test"), rng=rng).reason
    assert reason == "copy has no cyclic"


def test_where_no_answer_is_right_nothing_is_compared_with_one():
    """Points of another class are no answers: PSNR is null, the target's class is not."""
    data = open_named("attribute", source=1, target=7)
    rng = Rng([0])
    model = prepare(build("random_target", data.spec, rng), data, rng)
    requests = make_requests([Part(name=n) for n in ("psnr", "class_kept", "target_class")])
    requests = make_requests([Part(name=r.metric.name) for r in requests], samples=40)
    evaluator = Evaluator(data, requests, samples=40, features=Part(name="identity"))
    evaluator.extractor = Judge()
    fake = draw(model, data, evaluator.n, rng)[0]
    rows = {row.id: row for row in evaluator.score(fake, Trained(model, data), rng, beside=False)}
    assert rows["psnr"].reason == "psnr needs right answers to sources, attribute knows none"
    assert rows["class_kept"].value is None
    assert rows["target_class"].value is not None
    assert 20 < rows["content_kept"].value < 80


def test_only_memory_has_a_gap_between_training_and_test_pairs():
    data, rng = open_named("super_resolution"), Rng([0])
    gaps = {}
    for name in ("nearest", "mean_answer", "retrieval"):
        model = prepare(build(name, data.spec, rng), data, rng)
        gaps[name] = pair_gap(Trained(model, data), data.points("test"), rng=rng)
    assert abs(gaps["mean_answer"].value) < 0.1
    assert abs(gaps["nearest"].value) < 0.1
    # it gives every training point back, so that there is nothing to divide by
    assert gaps["retrieval"].reason == "the error on training or test pairs is nothing"
    film = open_named("moving_digits")
    model = prepare(build("copy", film.spec, rng), film, rng)
    reason = pair_gap(Trained(model, film), film.points("test"), rng=rng).reason
    assert reason == "moving_digits shows no fixed training pairs"


def test_psnr_caps_what_is_nearer_than_one_level_of_one_value():
    """No image scores more than one with a single pixel off by one level of 255, not even an equal one."""
    real = torch.full((3, 1, 28, 28), 0.5, dtype=torch.float64)
    fake = real.clone()
    fake[:, 0, 3, 4] += 1 / 255
    peer = peak_signal_noise_ratio(real[0].numpy(), fake[0].numpy(), data_range=1.0)
    assert psnr(real, real, fake, None, rng=RNG).value == pytest.approx(peer, abs=1e-6)
    assert peer == pytest.approx(77.07, abs=0.01)
    fake[0] = real[0]
    assert psnr(real, real, fake, None, rng=RNG).value == pytest.approx(peer, abs=1e-6)


def test_consistency_refuses_a_map_to_sources_of_another_shape():
    real = images(0)
    with pytest.raises(DataError, match=r"sources of shape \(6, 1, 8, 8\), got \(6, 1, 4, 4\)"):
        consistency(
            functional.avg_pool2d(real, 2),
            real,
            real,
            Truth(degrade=lambda x: functional.avg_pool2d(x, 4)),
            rng=RNG,
        )
