"""Films whose futures are known."""

import pytest
import torch

from genbench.core.dataset import open_named
from genbench.core.errors import SpecError
from genbench.core.rng import Rng


@pytest.fixture(scope="module")
def film():
    return open_named("moving_digits")


def test_each_third_frame_is_one_answer(film):
    """Answers are worked out from the two frames given alone, and equally often right."""
    x, source = film.points("test"), film.given.points("test")
    answers, chances = film.truth.answers(source)
    right = (answers == x.unsqueeze(1)).flatten(2).all(-1).double()
    assert (right.sum(1) == 1).all()
    assert (right.mean(0) - 1 / 3).abs().max() < 0.02
    assert torch.allclose(chances, torch.full_like(chances, 1 / 3))


def test_answers_lie_apart_and_their_average_near_none(film):
    """The tolerance of `near_answer`, .15, must lie below what the average has, about a third."""
    answers, _ = film.truth.answers(film.given.points("test")[:500])
    flat = answers.flatten(2)
    gaps = torch.cdist(flat, flat).square() + torch.eye(3) * 1e9
    average = (flat - flat.mean(1, keepdim=True)).square().sum(-1).amin(1)
    assert (average / gaps.flatten(1).amin(1)).min() > 0.3


def test_doing_nothing_costs_what_it_should(film):
    x, source = film.points("test"), film.given.points("test")
    answers, _ = film.truth.answers(source)
    least = (answers - answers.mean(1, keepdim=True)).square().mean()
    copied = (source[:, 1:] - x).square().mean()
    assert 2.3 < copied / least < 2.6


@pytest.mark.parametrize("futures", [1, 2, 3])
def test_futures_and_size_are_options(futures):
    film = open_named("moving_digits", size=20, futures=futures)
    x, source = film.draw_pairs(200, Rng([0, 1]))
    assert x.shape == (2, 200, 1, 20, 20)
    assert source.shape == (2, 200, 2, 20, 20)
    answers, chances = film.truth.answers(source[1])
    assert answers.shape == (200, futures, 1, 20, 20)
    assert (answers == x[1].unsqueeze(1)).flatten(2).all(-1).any(1).all()
    assert chances.sum(1).allclose(torch.ones(200))


@pytest.mark.parametrize(
    "options", [{"size": 12}, {"size": 10**9}, {"futures": 0}, {"futures": 4}]
)
def test_impossible_films_are_refused(options):
    with pytest.raises(
        SpecError, match="moving_digits needs size from 16 to 128 and futures from 1 to 3"
    ):
        open_named("moving_digits", **options)
