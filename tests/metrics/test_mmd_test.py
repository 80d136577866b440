"""The permutation test: its level under one law, its power under two, and its bounds."""

import pytest
import torch

from genbench.core.errors import DataError, SpecError
from genbench.core.rng import Rng
from genbench.metrics._kernels import choose
from genbench.metrics.mmd import squared_mmd
from genbench.metrics.mmd_test import _exchanged, mmd_test
from genbench.points.pairwise import Cloud, together


def draws(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def p_value(real, fake, seed=0, **options):
    return mmd_test(real, fake, rng=Rng([seed]), **options)["mmd_p"].value


def test_what_is_exchanged_is_the_unbiased_mmd():
    real, fake = draws(40, 2), draws(30, 2, seed=1) + 0.5
    both = torch.cat([real, fake])
    chosen = together([choose("test", "rbf", Cloud(both))])[0][0]
    values = _exchanged(chosen.matrix(both).fill_diagonal_(0), 40, 3, Rng([0]))
    assert values[0].item() == pytest.approx(squared_mmd(real, fake, chosen), rel=1e-10)
    order = Rng([0]).permutation(70)[0]
    swapped = squared_mmd(both[order[:40]], both[order[40:]], chosen)
    assert values[1].item() == pytest.approx(swapped, rel=1e-8)


def test_p_is_uniform_under_one_law():
    found = torch.tensor(
        [
            p_value(draws(40, 2, seed=2 * k), draws(50, 2, seed=2 * k + 1), k, permutations=60)
            for k in range(150)
        ]
    )
    for level in (0.1, 0.5, 0.9):
        assert (found <= level).double().mean() == pytest.approx(level, abs=0.12)


@pytest.mark.parametrize("kind", ["rbf", "linear", "polynomial", "rational_quadratic"])
def test_different_laws_are_told_apart(kind):
    assert p_value(draws(80, 2), draws(80, 2, seed=1) + 1, kernel=kind) == pytest.approx(1 / 501)


def test_equal_sets_do_not_differ_and_a_linear_kernel_sees_means_alone():
    x = draws(60, 2)
    assert p_value(x, x) > 0.9
    wide = 3 * (draws(200, 2, seed=1) - draws(200, 2, seed=1).mean(0))
    assert p_value(draws(200, 2) - draws(200, 2).mean(0), wide, kernel="linear") > 0.9
    assert p_value(draws(200, 2), wide) < 0.01


def test_what_cannot_be_is_refused():
    with pytest.raises(SpecError, match="'permutations' needs a whole number of 1 or more, got 0"):
        mmd_test(draws(9, 2), draws(9, 2), rng=Rng([0]), permutations=0)
    with pytest.raises(DataError, match="mmd_test needs real points of which most differ"):
        mmd_test(torch.zeros(9, 2), torch.zeros(9, 2), rng=Rng([0]))
