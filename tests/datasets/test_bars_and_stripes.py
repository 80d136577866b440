import itertools
import math

import pytest
import torch

from genbench.core.dataset import DATASETS
from genbench.core.errors import SpecError
from genbench.core.rng import Rng


@pytest.mark.parametrize("size", [2, 3, 4])
def test_the_patterns_are_all_the_bars_and_stripes(size):
    source = DATASETS.get("bars_and_stripes")(size=size)
    known = {tuple(p.flatten().tolist()) for p in source.patterns}
    rows = {row * size for row in itertools.product([0.0, 1.0], repeat=size)}
    alike = {
        tuple(v for v in column for _ in range(size))
        for column in itertools.product([0.0, 1.0], repeat=size)
    }
    assert known == rows | alike
    assert len(source.patterns) == len(known) == 2 ** (size + 1) - 2


def test_the_distribution_sums_to_one_and_has_its_entropy():
    source = DATASETS.get("bars_and_stripes")(size=3)
    words = torch.tensor(list(itertools.product([0.0, 1.0], repeat=9))).view(-1, 1, 3, 3).double()
    p = source.truth.log_prob(words).exp()
    assert p.sum().item() == pytest.approx(1.0, abs=1e-12)
    assert torch.special.entr(p).sum().item() == pytest.approx(source.truth.entropy, abs=1e-12)
    assert source.truth.entropy == pytest.approx(math.log(14))


def test_draws_are_equally_likely_patterns():
    source = DATASETS.get("bars_and_stripes")(size=2)
    x = source.draw(30_000, Rng([0, 1]))
    assert x.shape == (2, 30_000, 1, 2, 2)
    assert (source.truth.log_prob(x) == -torch.tensor(6.0).log()).all()
    _, counts = x.flatten(0, 1).flatten(1).unique(dim=0, return_counts=True)
    assert len(counts) == 6
    assert (counts / 60_000 - 1 / 6).abs().max() < 5 * (1 / 6 * 5 / 6 / 60_000) ** 0.5


def test_a_size_too_large_says_so():
    with pytest.raises(SpecError, match="size from 2 to 12, got 13"):
        DATASETS.get("bars_and_stripes")(size=13)
