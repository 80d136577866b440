"""Planted sources whose divergences are known in closed form."""

import math

import numpy
import pytest
import torch
from scipy.spatial.distance import jensenshannon

from genbench.core.dataset import DATASETS
from genbench.core.errors import DataError
from genbench.core.rng import Rng
from genbench.core.truth import Truth
from genbench.metrics.n_gram_divergence import jensen_shannon, n_gram_divergence
from genbench.points.tokens import n_gram_law

RNG = Rng([0])


def coin(p):
    """The truth of independent tossing with a coin that shows 1 with probability p."""
    one = torch.tensor([1 - p, p], dtype=torch.float64)

    def law(n):
        found = one
        for _ in range(n - 1):
            found = (found.unsqueeze(-1) * one).contiguous()
        return found

    return Truth(n_grams=law)


def of(fake, truth):
    return {name: score.value for name, score in n_gram_divergence(fake, truth, rng=RNG).items()}


def test_a_constant_sequence_against_a_fair_coin():
    """JS of a point mass and 2^-n: (ln(2/(1+p)) + p ln(2p/(1+p)) + (1-p) ln 2) / 2 with p = 2^-n."""
    found = of(torch.zeros(10, 6), coin(0.5))
    for n in (1, 2, 3, 4):
        p = 0.5**n
        exact = math.log(2 / (1 + p)) + p * math.log(2 * p / (1 + p)) + (1 - p) * math.log(2)
        assert found[f"n_gram_js_{n}"] == pytest.approx(exact / 2, rel=1e-12)


def test_a_cycle_has_the_unigrams_of_a_coin_and_not_its_bigrams():
    fake = torch.tensor([[0, 1, 0, 1, 0, 1, 0], [1, 0, 1, 0, 1, 0, 1]]).repeat(3, 1)
    found = of(fake, coin(0.5))
    assert found["n_gram_js_1"] == pytest.approx(0.0, abs=1e-15)
    # {01, 10} equally likely against a quarter each: p ln(2p/(p+q)) + ..., p = 1/2, q = 1/4
    exact = 0.5 * math.log(4 / 3) + 0.25 * math.log(2 / 3) + 0.25 * math.log(2)
    assert found["n_gram_js_2"] == pytest.approx(exact, rel=1e-12)


def test_it_agrees_with_scipy_and_never_leaves_its_range():
    p, q = (torch.tensor(numpy.random.default_rng(i).dirichlet([0.3] * 60)) for i in (0, 1))
    assert jensen_shannon(p, q) == pytest.approx(jensenshannon(p.numpy(), q.numpy()) ** 2)
    apart = torch.tensor([0.5, 0.5, 0.0]), torch.tensor([0.0, 0.0, 1.0])
    assert jensen_shannon(*apart) == pytest.approx(math.log(2), rel=1e-15)
    assert jensen_shannon(p, p) == 0.0


def test_exact_samples_are_above_zero_by_the_bias_of_counting():
    source = DATASETS.get("markov_text")(tokens=4, length=5, order=1)
    found = [of(x, source.truth) for x in source.draw(2000, Rng(range(40)))]
    cells = {1: 4, 4: 4**4}
    for n, size in cells.items():
        mean = numpy.mean([f[f"n_gram_js_{n}"] for f in found])
        # places of one sequence overlap, so that they count for less than as many sequences would
        assert (size - 1) / (8 * 2000 * (6 - n)) * 0.5 < mean < (size - 1) / (8 * 2000)


@pytest.mark.parametrize("name", ["markov_text", "template_text"])
def test_what_knows_short_n_grams_alone_is_worse_on_long_ones(name):
    source = DATASETS.get(name)()
    uniform = RNG.fork("uniform").integers(source.spec.tokens, 5000, *source.spec.event)[0]
    weights = source.truth.n_grams(1).expand(5000, -1)
    picked = torch.multinomial(
        weights, source.spec.size, replacement=True, generator=torch.Generator().manual_seed(0)
    )
    noise, unigram, real = (of(x, source.truth) for x in (uniform, picked, source.points("test")))
    for n in (1, 2, 3, 4):
        key = f"n_gram_js_{n}"
        assert real[key] < unigram[key] < noise[key]
    assert unigram["n_gram_js_1"] < 1e-3 < 50e-3 < unigram["n_gram_js_3"]


def test_a_law_is_counted_by_hand_and_with_weights():
    x = torch.tensor([[0, 1, 1], [1, 1, 1]])
    assert n_gram_law(x, 2, 2).tolist() == [[0, 0.25], [0, 0.75]]
    weighted = n_gram_law(x, 1, 2, torch.tensor([0.75, 0.25]))
    assert weighted.tolist() == [0.25, 0.75]


def test_orders_that_cannot_be_counted_give_a_reason():
    scores = n_gram_divergence(torch.zeros(5, 2), coin(0.5), rng=RNG)
    assert scores["n_gram_js_2"].value is not None
    assert scores["n_gram_js_3"].reason == "sequences of 2 tokens have no 3-grams"
    wide = Truth(n_grams=lambda n: torch.full((100,) * n, 100.0**-n))
    scores = n_gram_divergence(torch.zeros(5, 6), wide, rng=RNG)
    assert "100 tokens have more than" in scores["n_gram_js_4"].reason


@pytest.mark.parametrize(
    "fake", [torch.full((5, 3), 0.5), -torch.ones(5, 3), 2 * torch.ones(5, 3)]
)
def test_what_is_no_token_is_refused(fake):
    with pytest.raises(DataError, match="n_gram_divergence needs whole numbers from 0 to 1, got"):
        n_gram_divergence(fake, coin(0.5), rng=RNG)
    with pytest.raises(DataError, match="needs a truth with n_grams, got none"):
        n_gram_divergence(fake, Truth(), rng=RNG)
