"""Metrics of pairs against closed forms and scikit-image."""

import math

import numpy as np
import pytest
import torch
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from genbench.core.dataset import Truth, open_named
from genbench.core.errors import DataError
from genbench.core.metric import Trained
from genbench.core.model import build
from genbench.core.rng import Rng
from genbench.metrics.answers_hit import answers_hit
from genbench.metrics.consistency import consistency
from genbench.metrics.error_over_least import error_over_least
from genbench.metrics.near_answer import near_answer
from genbench.metrics.pair_spread import pair_spread
from genbench.metrics.psnr import psnr
from genbench.metrics.ssim import ssim
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


def test_an_equal_image_counts_as_rounded():
    real = images(0)
    most = 10 * math.log10(12 * 255**2)
    assert psnr(real, real, real, None, rng=RNG).value == pytest.approx(most)


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
