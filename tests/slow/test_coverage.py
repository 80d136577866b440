"""How often intervals over seeds hold the true mean, by simulation."""

from __future__ import annotations

import numpy as np
import pytest

from genbench.statistics.intervals import mean_interval

LAWS = {
    "normal": (lambda rng, shape: rng.normal(size=shape), 0.0),
    "uniform": (lambda rng, shape: rng.uniform(size=shape), 0.5),
    "gamma(4)": (lambda rng, shape: rng.gamma(4.0, size=shape), 4.0),
    "exponential": (lambda rng, shape: rng.exponential(size=shape), 1.0),
    "log-normal(0.5)": (lambda rng, shape: np.exp(rng.normal(size=shape) / 2), np.exp(0.125)),
}
REPEATS = 4000


@pytest.mark.slow
@pytest.mark.parametrize("n", [5, 8, 16])
@pytest.mark.parametrize("law", LAWS)
def test_coverage_is_near_its_level(law, n, capsys):
    draw, mean = LAWS[law]
    rows = draw(np.random.default_rng(1), (REPEATS, n))
    covered = np.mean([(e := mean_interval(row)).low <= mean <= e.high for row in rows])
    with capsys.disabled():
        print(f"\n{law} n={n}: {covered:.1%}")
    assert 0.93 <= covered < 0.975
