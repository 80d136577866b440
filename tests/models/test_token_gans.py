"""The two GANs of token sequences: relaxed draws, policy gradients, and what they learn."""

import itertools

import pytest
import torch
from torch.nn import functional

from genbench.core.dataset import DATASETS, DataSpec
from genbench.core.errors import SpecError
from genbench.core.model import Batch, build
from genbench.core.rng import Rng
from genbench.core.spec import Budget
from genbench.metrics.n_gram_divergence import n_gram_divergence
from genbench.training.trainer import Trainer

WORDS = DataSpec("words", (4,), kind="tokens", tokens=3)
BOTH = ["gan_gumbel", "gan_reinforce"]


def make(name, seeds=(0, 1), spec=WORDS, dtype=torch.float64, **options):
    return build(name, spec, Rng(seeds, dtype=dtype), {"units": 8, **options})


def batch(n=16, spec=WORDS):
    return Batch(Rng([0, 1]).fork("x").integers(spec.tokens, n, *spec.event))


# --- relaxed draws


@pytest.mark.parametrize("hard", [True, False])
def test_what_the_discriminator_sees_is_hard_or_on_the_simplex(hard):
    model = make("gan_gumbel", straight_through=hard)
    y = model.relaxed(50, Rng([0, 1], dtype=torch.float64), 0.0)
    torch.testing.assert_close(y.sum(-1), torch.ones_like(y[..., 0]))
    whole = ((y.detach() - y.detach().round()).abs() < 1e-12).all()
    assert bool(whole) is hard


def test_straight_through_samples_are_the_models_own():
    model, rng = make("gan_gumbel"), Rng([0, 1], dtype=torch.float64)
    y = model.relaxed(50, rng.fork("a"), 0.0).argmax(-1)
    assert torch.equal(y, model.sample(50, rng.fork("a")))


def test_temperature_falls_geometrically_and_sharpens():
    model = make("gan_gumbel", straight_through=False, temperature=4.0, last_temperature=0.25)
    rng = Rng([0, 1], dtype=torch.float64)
    largest = [
        model.relaxed(200, rng.fork("a"), progress).max(-1).values[:, :, 0].mean()
        for progress in (0.0, 0.5, 1.0)
    ]
    assert largest[0] < largest[1] < largest[2]
    first = make("gan_gumbel", straight_through=False, temperature=1.0, last_temperature=1.0)
    torch.testing.assert_close(
        model.relaxed(20, rng.fork("b"), 0.5), first.relaxed(20, rng.fork("b"), 0.9)
    )


@pytest.mark.parametrize("hard", [True, False])
def test_the_relaxed_gradient_points_where_the_exact_one_does(hard):
    """Of a linear score of one token, against the exact gradient of its expectation."""
    spec = DataSpec("letter", (1,), kind="tokens", tokens=4)
    model = make("gan_gumbel", seeds=[0], spec=spec, straight_through=hard)
    score = torch.tensor([1.0, -0.5, 2.0, 0.0]).double()
    bias = model.generator.head.bias
    relaxed = model.relaxed(20_000, Rng([0], dtype=torch.float64), 0.0)
    (actual,) = torch.autograd.grad((relaxed * score).sum(-1).mean(), bias)
    p = model.generator.log_odds(torch.zeros(1, 1, 1, 4).double()).exp()[0, 0, 0]
    (exact,) = torch.autograd.grad((p * score).sum(), bias)
    assert functional.cosine_similarity(actual[0, 0], exact[0, 0], dim=0) > 0.95


# --- policy gradients


def test_returns_are_discounted_sums_of_what_comes():
    model = make("gan_reinforce", discount=0.5)
    actual = model.returns(torch.tensor([1.0, 0.0, 4.0, 8.0]))
    assert actual.tolist() == [3.0, 4.0, 8.0, 8.0]


def test_the_policy_gradient_is_unbiased():
    """Against the exact gradient of the expected sum of rewards, over all 27 words."""
    spec = DataSpec("words", (3,), kind="tokens", tokens=3)
    model = make("gan_reinforce", seeds=[0], spec=spec, discount=1.0)
    words = torch.tensor(list(itertools.product(range(3), repeat=3))).unsqueeze(0)
    with torch.no_grad():
        model.discriminator.head.weight.mul_(20)
        reward = (2 * model.place_logits(words).sigmoid() - 1).sum(-1)
    weights = list(model.generator.parameters())
    value = (model.generator.log_prob(words).sum(-1).exp() * reward).sum()
    exact = torch.autograd.grad(value / 3, weights)
    loss = model.generator_loss(
        Batch(words[:, :1].expand(-1, 60_000, -1)), Rng([0], dtype=torch.float64)
    )
    actual = torch.autograd.grad(-loss.sum(), weights)
    a, b = (torch.cat([g.flatten() for g in of]) for of in (exact, actual))
    assert functional.cosine_similarity(a, b, dim=0) > 0.97
    assert b.norm() / a.norm() == pytest.approx(1.0, abs=0.15)


def test_the_baseline_follows_the_returns_of_its_seed():
    model = make("gan_reinforce", baseline_decay=0.5)
    assert not model.baseline.any()
    model.generator_loss(batch(), Rng([0, 1], dtype=torch.float64))
    first = model.baseline.clone()
    assert first.shape == (2, 1, 4)
    assert (first != 0).all()
    assert not torch.equal(first[0], first[1])
    assert "baseline" in model.state_dict()


# --- both


@pytest.mark.parametrize("name", BOTH)
def test_players_losses_reach_their_own_networks_alone(name):
    model = make(name)
    rng = Rng([0, 1], dtype=torch.float64)
    model.discriminator_loss(batch(), rng).sum().backward()
    assert all(p.grad is None for p in model.generator.parameters())
    assert all(p.grad is not None for p in model.discriminator.parameters())


def test_both_have_the_same_networks():
    first, second = (make(name).state_dict() for name in BOTH)
    assert {k: v.shape for k, v in first.items()} == {
        k: v.shape for k, v in second.items() if k != "baseline"
    }
    for key, value in first.items():
        assert torch.equal(value, second[key])


@pytest.mark.parametrize("name", BOTH)
def test_probabilities_of_all_words_sum_to_one(name):
    model = make(name)
    words = torch.tensor(list(itertools.product(range(3), repeat=4))).expand(2, -1, -1)
    p = model.log_prob(words, Rng([0, 1])).exp()
    torch.testing.assert_close(p.sum(-1), torch.ones(2).double())


@pytest.mark.parametrize("name", BOTH)
def test_n_grams_come_nearer_than_those_of_independent_letters(name):
    """What 150 rounds learn of bigrams, no choice of letters alone could have."""
    data, rng = DATASETS.get("markov_text")(tokens=4, length=6, order=1), Rng([0, 1, 2])
    model = build(name, data.spec, rng, {"units": 24, "discriminator_units": 16})
    Trainer(model, data, Budget(steps=150), batch=64, rng=rng).run()
    one = data.truth.n_grams(1)
    alone = torch.multinomial(
        one.expand(4000, -1), 6, replacement=True, generator=torch.Generator().manual_seed(0)
    )
    fakes = [alone, *model.sample(4000, rng.fork("sample"))]
    null, *actual = (n_gram_divergence(x, data.truth, rng=rng)["n_gram_js_2"].value for x in fakes)
    assert sum(actual) / len(actual) < 0.5 * null
    assert max(actual) < 0.8 * null


def test_options_that_cannot_be_say_so():
    with pytest.raises(SpecError, match=r"'temperature' needs a number above 0, got 0\.0"):
        make("gan_gumbel", temperature=0.0)
    with pytest.raises(SpecError, match="'discount' needs a number from 0 to 1, got 1"):
        make("gan_reinforce", discount=1.5)
