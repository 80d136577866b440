"""The claims that measure themselves, against closed forms and published tables."""

import math

import numpy as np
import pytest
import torch
from claim_records import Measured

from genbench.claims import optimal_discriminator as optimal
from genbench.claims import sampling_speed as speed
from genbench.claims import saturating_gradient as saturating
from genbench.core.claim import CLAIMS
from genbench.core.rng import Rng
from genbench.experiments import nash_oscillation as nash
from genbench.statistics.verdicts import judge

ONE = (np.ones(1), np.ones(1))


class Planted(Measured):
    """Evidence of an experiment just completed."""

    def __init__(self, columns):
        self.columns = columns

    def measured(self, column):
        return self.columns[column]


def verdict(name, seeds=6, **options):
    claim = CLAIMS.get(name)
    return judge(claim.function(Planted(claim.measure(Rng(range(seeds)), **options))))


def test_simultaneous_descent_on_xy_grows_as_its_closed_form():
    radii = nash.radii(nash.product, ONE, 1000, step=0.1)
    assert radii[100, 0] == pytest.approx(2.32586, rel=1e-5)
    assert radii[1000, 0] == pytest.approx(204.7396, rel=1e-6)
    other = nash.radii(nash.product, ONE, 1000, step=0.1, rule=nash.extragradient)
    assert other[[100, 1000], 0] == pytest.approx([0.859940, 0.00977339], rel=1e-5)
    orbit = nash.radii(nash.product, ONE, 1000, step=0.1, rule=nash.alternating)
    assert (orbit.min(), orbit.max()) == pytest.approx((1.34519, 1.41421), rel=1e-5)


@pytest.mark.parametrize(
    ("game", "together", "in_turn"),
    [
        ("minimax", 3.097, 1.421),
        ("non_saturating", 0.640, 0.284),
        ("wgan_gp", 1.80, 1.22),
        ("r1", 2.6e-6, 2.3e-7),
        ("r1_critical", 9.5e-22, 7.5e-17),
        ("consensus", 2.6e-10, 1.7e-11),
        ("non_saturating_r1", 2.2e-6, 1.5e-7),
    ],
)
def test_the_dirac_gan_ends_where_the_notebook_says(game, together, in_turn):
    """Mescheder et al., 2018: step 0.2, 500 steps from (1, 1)."""
    field = nash.GAMES[game]
    radii = nash.radii(field, ONE, 500, step=nash.STEP)[-1, 0]
    assert radii == pytest.approx(together, rel=0.03)
    turns = nash.radii(field, ONE, 500, step=nash.STEP, rule=nash.alternating)[-1, 0]
    assert turns == pytest.approx(in_turn, rel=0.03)


def test_clipping_orbits_and_instance_noise_converges():
    clipped = nash.radii(nash.wgan, ONE, 500, step=nash.STEP, clip=nash.CLIP)
    assert clipped[-1, 0] == pytest.approx(1.0, abs=0.01)
    assert nash.radii(nash.noisy, ONE, 500, step=nash.STEP)[-1, 0] < 0.02


def test_consensus_descends_the_squared_field():
    g, d, h = np.array([0.7]), np.array([-0.4]), 1e-6

    def energy(g, d):
        return sum(v**2 for v in nash.minimax(g, d)) / 2

    slope = (
        (energy(g + h, d) - energy(g - h, d)) / (2 * h),
        (energy(g, d + h) - energy(g, d - h)) / (2 * h),
    )
    moves = zip(nash.consensus(g, d), nash.minimax(g, d), slope, strict=True)
    assert all(a == pytest.approx(b - c, abs=1e-8) for a, b, c in moves)


def test_nash_oscillation_is_supported():
    assert verdict("nash_oscillation").outcome == "supported"


def test_a_trained_discriminator_is_the_optimal_one():
    result = verdict("optimal_discriminator", steps=300, batch=128)
    parts = {part.effect.name: part for part in result.parts}
    assert parts["shifted: largest error of D against D*"].outcome == "supported"
    assert parts["equal: largest error of D against D*"].outcome == "supported"
    assert parts["equal: value against -log 4, relative error"].outcome == "supported"


def test_values_at_the_optimum_are_known():
    grid = torch.linspace(-12, 13, 5001, dtype=torch.float64)
    width = float(grid[1] - grid[0])
    for game in optimal.GAMES.values():
        log_p, log_q = (optimal.log_density(mixture, grid) for mixture in game)
        p, q = log_p.exp(), log_q.exp()
        assert float(p.sum() * width) == pytest.approx(1, abs=1e-9)
        best = optimal.value(p, q, log_p - log_q, width)
        m = (p + q) / 2
        js = (p * (log_p - m.log()) + q * (log_q - m.log())).sum() * width / 2
        assert float(best) == pytest.approx(2 * float(js) - math.log(4), abs=1e-9)
        assert float(optimal.value(p, q, log_p - log_q + 0.3, width)) < float(best)


def test_draws_follow_their_density():
    mixture = optimal.GAMES["bimodal"][0]
    x = optimal.draw(mixture, 20_000, Rng([0, 1])).flatten().double()
    assert float(x.mean()) == pytest.approx(0, abs=0.03)
    assert float(x.var()) == pytest.approx(1.5**2 + 0.6**2, rel=0.02)


def test_weights_of_the_losses_are_those_of_the_cost_curves():
    at = {p: torch.tensor(math.log(p / (1 - p)), dtype=torch.float64) for p in (0.01, 0.99)}
    values = {n: [float(f(a)) for a in at.values()] for n, f in saturating.WEIGHTS.items()}
    assert values["minimax"] == pytest.approx([0.01, 0.99])
    assert values["non_saturating"] == pytest.approx([0.99, 0.01])
    assert values["maximum_likelihood"] == pytest.approx([0.0101, 99], rel=1e-3)


def test_the_minimax_gradient_alone_vanishes():
    assert verdict("saturating_gradient", steps=1000).outcome == "supported"


def test_samplers_take_a_step_a_dimension_or_one():
    columns = speed.experiment(Rng([0, 1]), sides=(2, 4, 6), batches=(1, 4), repeats=1)
    assert columns["steps_exponent_gan"] == [0.0, 0.0]
    assert columns["steps_exponent_nade"] == pytest.approx([1.0, 1.0])
    assert columns["steps_made_36"] == [36.0, 36.0]
    times = [v for k, row in columns.items() if k.startswith("ms_") for v in row]
    assert len(times) == 6 * 3 * 2 * 2
    assert min(times) > 0
    least = min(
        math.log(columns[f"ms_{name}_{d}_{n}"][1] / columns[f"ms_gan_{d}_{n}"][1])
        for name in (*speed.VISIBLE, speed.NAIVE)
        for d in (4, 16, 36)
        for n in (1, 4)
    )
    assert columns["least_ratio"][1] == pytest.approx(least)


def test_a_slope_is_an_exponent():
    assert speed.slope({16: 2 * 16**1.5, 64: 2 * 64**1.5, 256: 2 * 256**1.5}) == pytest.approx(1.5)
