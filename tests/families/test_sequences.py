import itertools

import pytest
import torch
from torch.nn import functional

from genbench.core.dataset import DataSpec
from genbench.core.rng import Rng
from genbench.families.sequences import (
    SequenceDiscriminator,
    SequenceGenerator,
    gumbel,
    tokens_only,
)


def one_hot(x, tokens):
    return functional.one_hot(x, tokens).double()


def test_a_writers_probabilities_sum_to_one_and_its_samples_follow_them():
    rng = Rng([0, 1], dtype=torch.float64)
    writer = SequenceGenerator(3, 3, 8, rng.fork("writer"))
    with torch.no_grad():
        for p in writer.parameters():
            p.mul_(3)
        words = torch.tensor(list(itertools.product(range(3), repeat=3))).expand(2, -1, -1)
        p = writer.log_prob(words).sum(-1).exp()
        torch.testing.assert_close(p.sum(-1), torch.ones(2).double())
        x = writer.sample(30_000, rng.fork("sample"))
    assert x.shape == (2, 30_000, 3)
    assert x.dtype == torch.int64
    which = (x * torch.tensor([9, 3, 1])).sum(-1)
    for k in (0, 1):
        share = torch.bincount(which[k], minlength=27) / 30_000
        error = (p[k] * (1 - p[k]) / 30_000).sqrt()
        assert ((share - p[k]).abs() < 5 * error + 1e-4).all()
    assert (p[0] - p[1]).abs().max() > 0.01


def test_writing_and_reading_give_one_likelihood():
    rng = Rng([0, 1], dtype=torch.float64)
    writer = SequenceGenerator(4, 6, 8, rng.fork("writer"))
    odds = []

    def draw(place, each):
        odds.append(each.log_softmax(-1))
        return one_hot((each + noise[:, :, place]).argmax(-1), 4)

    noise = gumbel(rng.fork("noise"), 5, 6, 4)
    x = writer.write(5, draw)
    torch.testing.assert_close(writer.log_odds(x), torch.stack(odds, dim=2))
    tokens = x.argmax(-1)
    picked = (torch.stack(odds, dim=2) * x).sum(-1)
    torch.testing.assert_close(writer.log_prob(tokens), picked)


@pytest.mark.parametrize("length", [1, 2, 5, 16])
def test_a_reader_sees_a_place_and_all_before_it(length):
    rng = Rng([0, 1], dtype=torch.float64)
    reader = SequenceDiscriminator(3, length, 8, rng.fork("reader"))
    x = one_hot(rng.integers(3, 4, length), 3).requires_grad_()
    out = reader(x)
    assert out.shape == (2, 4, length)
    for place in range(length):
        (slope,) = torch.autograd.grad(out[0, 0, place], x, retain_graph=True)
        seen = slope[0, 0].abs().sum(-1) > 0
        assert seen[: place + 1].all()
        assert not seen[place + 1 :].any()
        assert not slope[1].any()
        assert not slope[0, 1:].any()


def test_gumbel_draws_have_their_mean_and_variance():
    g = gumbel(Rng([0]), 200_000)
    assert g.isfinite().all()
    assert g.mean().item() == pytest.approx(0.5772, abs=0.01)
    assert g.var().item() == pytest.approx(torch.pi**2 / 6, abs=0.03)


def test_data_without_tokens_are_refused():
    assert tokens_only(DataSpec("words", (8,), kind="tokens", tokens=3)) is None
    assert tokens_only(DataSpec("plane", (2,))) == "needs tokens, plane is continuous"
