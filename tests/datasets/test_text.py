import itertools
import math

import pytest
import torch

from genbench.core.dataset import DATASETS
from genbench.core.errors import SpecError
from genbench.core.rng import Rng
from genbench.datasets.template_text import GRAMMAR, SYMBOL


def make(name, **options):
    return DATASETS.get(name)(**options)


def every_sequence(tokens, length):
    return torch.tensor(list(itertools.product(range(tokens), repeat=length)))


@pytest.mark.parametrize("order", [1, 2])
def test_the_markov_distribution_over_all_sequences(order):
    """Sums to one, has its entropy, and every place of it has the n-gram distribution that it names."""
    data = make("markov_text", tokens=3, length=6, order=order)
    x = every_sequence(3, 6)
    p = data.truth.log_prob(x).exp()
    assert p.sum().item() == pytest.approx(1.0, abs=1e-12)
    assert torch.special.entr(p).sum().item() == pytest.approx(data.truth.entropy, abs=1e-10)
    for n in (1, 2, 3, 4):
        distribution = data.truth.n_grams(n)
        assert distribution.shape == (3,) * n
        for place in range(6 - n + 1):
            axes = tuple(axis for axis in range(6) if not place <= axis < place + n)
            torch.testing.assert_close(
                p.view((3,) * 6).sum(axes), distribution, rtol=1e-9, atol=1e-12
            )


def test_markov_draws_follow_their_distribution():
    data = make("markov_text", tokens=3, length=4, order=2)
    x = data.draw(40_000, Rng([0, 1]))
    assert x.shape == (2, 40_000, 4)
    assert x.dtype == torch.int64
    words = every_sequence(3, 4)
    p = data.truth.log_prob(words).exp()
    which = (x.flatten(0, 1) * 3 ** torch.arange(3, -1, -1)).sum(-1)
    share = torch.bincount(which, minlength=81) / len(which)
    assert ((share - p).abs() < 5 * (p * (1 - p) / len(which)).sqrt() + 1e-4).all()


@pytest.mark.parametrize("name", ["markov_text", "template_text"])
def test_text_is_a_reproducible_stream_with_the_stated_entropy(name):
    data, again = make(name), make(name)
    x = data.points("test")
    assert x.shape == (20_000, *data.spec.event)
    assert x.dtype == torch.int64
    assert data.spec.kind == "tokens"
    assert data.spec.tokens == len(data.alphabet) == len(set(data.alphabet))
    assert x.min() == 0
    assert x.max() == data.spec.tokens - 1
    assert torch.equal(x, again.points("test"))
    assert not torch.equal(x, data.points("validation"))
    cost = -data.truth.log_prob(x)
    error = cost.std().item() / math.sqrt(len(cost))
    assert cost.mean().item() == pytest.approx(data.truth.entropy, abs=4 * error)
    assert torch.equal(data.draw(5, Rng([3, 4]))[1], data.draw(5, Rng([4]))[0])


def test_the_default_source_leaves_something_to_learn():
    data = make("markov_text")
    a, b = data.truth.n_grams(2), data.truth.n_grams(1)
    rate = torch.special.entr(a).sum() - torch.special.entr(b).sum()
    exact = (data.truth.entropy - torch.special.entr(a).sum().item()) / 14
    assert exact < rate.item() - 0.3 < math.log(8) - 0.3  # the second letter back matters


def test_template_sentences_are_those_of_the_grammar():
    """An independent derivation, symbol by symbol, of one sentence's probability."""
    data = make("template_text")
    assert data.probabilities.sum().item() == pytest.approx(1.0, abs=1e-12)
    assert len(data.sentences) == 3264
    for choices in GRAMMAR.values():
        assert sum(choices.values()) == pytest.approx(1.0)
    spelt = "two old dogs bite a hen.".ljust(data.spec.size)
    x = torch.tensor([[data.alphabet.index(character) for character in spelt]])
    derived = 0.4 * 0.1 * 0.5 * 0.3 * 0.7 * 0.2 * 0.3 * 0.2
    assert data.truth.log_prob(x).exp().item() == pytest.approx(derived)
    assert data.truth.log_prob(x.flip(1)).item() == -math.inf
    one = "the dogs sees a hen.".ljust(data.spec.size)  # no agreement
    x = torch.tensor([[data.alphabet.index(character) for character in one]])
    assert data.truth.log_prob(x).item() == -math.inf


def test_template_draws_are_sentences_with_their_n_gram_distribution():
    data = make("template_text")
    x = data.draw(20_000, Rng([0]))[0]
    assert data.truth.log_prob(x).isfinite().all()
    assert not SYMBOL.search(data.alphabet)
    for n in (1, 3):
        distribution = data.truth.n_grams(n)
        assert distribution.sum().item() == pytest.approx(1.0, abs=1e-12)
        grams = x.unfold(1, n, 1)
        which = (grams * data.spec.tokens ** torch.arange(n - 1, -1, -1)).sum(-1).flatten()
        share = torch.bincount(which, minlength=distribution.numel()) / len(which)
        assert (share - distribution.flatten()).abs().max() < 0.005
        assert not share[distribution.flatten() == 0].any()


@pytest.mark.parametrize(
    "options", [{"tokens": 27}, {"order": 0}, {"order": 5}, {"length": 2}, {"length": 10**9}]
)
def test_a_source_that_cannot_be_says_so(options):
    with pytest.raises(SpecError, match="markov_text needs 2 to 26 tokens"):
        make("markov_text", **options)
