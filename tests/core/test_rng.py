"""Streams belong to a seed and a purpose, and to nothing else."""

import pytest
import torch

from genbench.core.errors import SpecError
from genbench.core.rng import Rng

DRAWS = {
    "normal": lambda rng: rng.normal(5, 2),
    "uniform": lambda rng: rng.uniform(5, low=-1, high=3),
    "integers": lambda rng: rng.integers(1000, 5),
    "permutation": lambda rng: rng.permutation(9),
    "bernoulli": lambda rng: rng.bernoulli(torch.full((len(rng), 20), 0.5)),
}


@pytest.fixture(params=DRAWS)
def draw(request):
    return DRAWS[request.param]


def test_same_seed_gives_the_same_bits(draw):
    assert torch.equal(draw(Rng([3, 5])), draw(Rng([3, 5])))


def test_a_seed_in_a_stack_draws_what_it_draws_alone(draw):
    stack = draw(Rng([7, 2, 11]).fork("data"))
    for k, seed in enumerate([7, 2, 11]):
        assert torch.equal(stack[k], draw(Rng([seed]).fork("data"))[0])


def test_only_is_the_seed_alone_from_the_start_of_the_path(draw):
    stack = Rng([7, 2, 11]).fork("data")
    first = draw(stack)
    alone = stack.only(1)
    assert alone.seeds == (2,)
    assert torch.equal(draw(alone)[0], first[1])


def test_seeds_and_purposes_and_successive_draws_differ():
    rng = Rng([0, 1])
    draws = [rng.normal(8), rng.normal(8), rng.fork("a").normal(8), rng.fork("b").normal(8)]
    rows = torch.cat(draws)
    gaps = torch.cdist(rows, rows) + torch.eye(len(rows))
    assert gaps.min() > 0.1


def test_forks_commute_with_draws():
    before, after = Rng([0, 1]), Rng([0, 1])
    early = before.fork("train").normal(4)
    after.normal(100)
    assert torch.equal(after.fork("train").normal(4), early)
    assert torch.equal(before.normal(4), Rng([0, 1]).normal(4))


def test_a_path_is_its_parts_in_order():
    rng = Rng([4])
    assert torch.equal(rng.fork("a", 1).normal(3), rng.fork("a").fork(1).normal(3))
    assert not torch.equal(rng.fork("a", "b").normal(3), rng.fork("b", "a").normal(3))


def test_state_and_restore_continue_the_stream(draw):
    rng = Rng([0, 9]).fork("data")
    draw(rng)
    state = rng.state()
    expected = [draw(rng), draw(rng)]
    other = Rng([0, 9]).fork("data")
    other.restore(state)
    assert torch.equal(draw(other), expected[0])
    assert torch.equal(draw(other), expected[1])


def test_the_global_generator_is_neither_read_nor_moved(draw):
    torch.manual_seed(1)
    expected, before = draw(Rng([0])), torch.get_rng_state()
    torch.manual_seed(2)
    assert torch.equal(draw(Rng([0])), expected)
    torch.manual_seed(1)
    draw(Rng([0]))
    assert torch.equal(torch.get_rng_state(), before)


def test_normal_draws_are_standard_normal():
    x = Rng([0, 1], dtype=torch.float64).normal(200_000)
    assert x.dtype == torch.float64
    assert x.mean(-1).abs().max() < 5 / 200_000**0.5
    assert (x.var(-1) - 1).abs().max() < 5 * (2 / 200_000) ** 0.5
    inside = (x.abs() < 1).double().mean(-1)
    assert (inside - 0.6826895).abs().max() < 5 * (0.68 * 0.32 / 200_000) ** 0.5


def test_uniform_draws_fill_their_interval():
    x = Rng([0, 1]).uniform(100_000, low=-1, high=3)
    assert x.min() >= -1
    assert x.max() < 3
    shares = torch.stack([torch.histc(row, 8, -1, 3) for row in x]) / 100_000
    assert (shares - 1 / 8).abs().max() < 5 * (1 / 8 * 7 / 8 / 100_000) ** 0.5


def test_integers_are_equally_likely_and_below_high():
    x = Rng([0, 1]).integers(7, 70_000)
    assert x.dtype == torch.int64
    for row in x:
        counts = torch.bincount(row, minlength=7)
        assert len(counts) == 7
        assert (counts / 70_000 - 1 / 7).abs().max() < 5 * (1 / 7 * 6 / 7 / 70_000) ** 0.5


def test_permutations_hold_every_index_once_and_mix():
    orders = torch.cat([Rng(range(50)).fork(i).permutation(4) for i in range(20)])
    assert torch.equal(orders.sort(-1).values, torch.arange(4).expand(1000, 4))
    assert len(orders.unique(dim=0)) == 24


def test_bernoulli_draws_have_their_probabilities_and_type():
    p = torch.tensor([0.0, 0.2, 0.7, 1.0], dtype=torch.float64).expand(2, 50_000, 4)
    x = Rng([0, 1]).bernoulli(p)
    assert x.dtype == torch.float64
    assert set(x.unique().tolist()) == {0.0, 1.0}
    assert (x.mean(1) - p[:, 0]).abs().max() < 5 * (0.25 / 50_000) ** 0.5
    assert torch.equal(x[..., 0], torch.zeros(2, 50_000, dtype=torch.float64))
    assert torch.equal(x[..., 3], torch.ones(2, 50_000, dtype=torch.float64))


def test_no_seed_is_an_error_that_says_what_to_do():
    with pytest.raises(SpecError, match="at least one seed, got none"):
        Rng([])


def test_another_device_starts_the_same_path_again():
    rng = Rng([3, 4]).fork("metric")
    first = rng.normal(5)
    assert torch.equal(rng.to("cpu").normal(5), first)
    assert rng.to("meta").device.type == "meta"
