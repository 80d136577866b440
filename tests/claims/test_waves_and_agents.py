"""What the claims on waves, planning, imitation and editing rest on, against closed forms."""

import math

import pytest
import torch

from genbench.claims import planning
from genbench.core.dataset import DATASETS
from genbench.core.rng import Rng
from genbench.experiments import imitation, interactive_editing, waveforms


def test_the_law_itself_has_no_excess_and_the_floor_of_spectra():
    data = DATASETS.get("ar_wave")(length=64)
    exact = data.draw(1000, Rng([1000, 1001]))
    off = waveforms.spectral_distance(waveforms.periodogram(exact, 16), data.spectrum())
    assert (off < 0.25).all()  # decibels: 10 / ln 10 / sqrt(1000) = 0.14
    white = waveforms.draw_white(exact, Rng([1000, 1001]))
    assert torch.equal(white.flatten(1).sort().values, exact.flatten(1).sort().values)
    flat = waveforms.spectral_distance(waveforms.periodogram(white, 16), data.spectrum())
    assert (flat > 4).all()


def test_excess_is_the_divergence_to_a_model_that_knows_nothing():
    """Uniform levels cost ln 16 a sample, wherever the process is."""

    class Uniform:
        def log_prob(self, x, rng):
            return x.new_zeros(x.shape[:2])  # a density of one on [0, 1)

    data = DATASETS.get("ar_wave")(length=64)
    waves = data.draw(300, Rng([1000]))
    excess, of_law = waveforms.measure_excess(Uniform(), data, waves, Rng([1000]))
    assert (excess + of_law).item() == pytest.approx(math.log(16), abs=1e-5)
    assert of_law.item() == pytest.approx(data.truth.entropy / 64, abs=0.02)


def test_bands_keep_the_power():
    spectrum = torch.arange(129.0).expand(2, -1)
    bands = waveforms.average_bands(spectrum)
    assert bands.shape == (2, 32)
    assert bands[0, 0].item() == pytest.approx((1 + 2 + 3 + 4) / 4)


def test_the_expected_reward_is_the_mean_of_draws():
    c, a = torch.tensor([[[-0.6]], [[0.3]]]), torch.full((2, 1, 1), 0.7)
    many = [x.expand(2, 200_000, 1).double() for x in (c, a)]
    y = planning.land(*many, Rng([1000, 1001], dtype=torch.float64))
    mean = planning.reward(*many, y).mean((1, 2))
    exact = planning.expected_reward(c.double(), a.double()).flatten()
    assert mean.tolist() == pytest.approx(exact.tolist(), abs=0.004)


def test_regrets_have_their_closed_forms():
    known = {name: row.mean().item() for name, row in planning.known_regrets().items()}
    # computed apart, from the formulas in the claim's text
    assert known["mean"] == pytest.approx(0.61827, abs=1e-4)
    assert known["gaussian"] == pytest.approx(0.01232, abs=1e-4)
    c, a = planning.grid()
    exact = planning.regret_of(planning.expected_reward(c, a))
    assert exact.abs().max().item() == 0
    drawn = planning.regret_of(planning.imagine(None, 4, Rng([1000])))
    assert drawn.mean().item() < 0.03


def test_a_perfect_regression_regrets_what_the_average_does():
    class Mean:
        def __call__(self, asked, rng):
            return asked[..., 1:] * planning.goal(asked[..., :1])

    found = planning.regret_of(planning.imagine(Mean(), 0, Rng([1000])))
    # steps are on a grid, so that rounding of single precision moves none but ties
    assert found.mean().item() == pytest.approx(
        planning.known_regrets()["mean"].mean().item(), abs=1e-3
    )


def test_the_gain_solves_riccati_and_its_cost_is_least():
    mass = imitation.Mass.create()
    gain = mass.best_gain()
    best = mass.expected_cost(gain)
    rng = Rng([1000])
    states, pushes = mass.roll_out(imitation.linear(gain), 20_000, rng)
    assert mass.costs(states, pushes).item() == pytest.approx(best, rel=0.02)
    # over twenty steps all but the gain for an endless time may be a little better, none much
    for factor in (0.5, 0.8, 1.25, 2.0):
        assert mass.expected_cost(factor * gain) > 0.99 * best
    assert mass.expected_cost(0.5 * gain) > 1.05 * best
    closed = torch.linalg.eigvals(mass.a - mass.b @ gain).abs()
    assert closed.max().item() < 1


def test_a_line_through_the_experts_pushes_is_the_gain():
    mass = imitation.Mass.create()
    states, pushes = mass.roll_out(imitation.linear(mass.best_gain()), 1, Rng([1000, 1001]))
    found = imitation.fit_line(torch.cat([states, pushes], -1).flatten(1, 2))
    assert found.shape == (2, 2, 4)
    assert (found - mass.best_gain()).abs().max().item() < 1e-3


def test_a_scribble_is_of_the_wanted_picture_where_they_differ_most():
    data = DATASETS.get("digits")()
    old, wanted, painted = interactive_editing.scribble(data, 30, Rng([1000, 1001]))
    assert (painted.flatten(2).sum(-1) == interactive_editing.PIXELS).all()
    gap = (old - wanted).abs()
    inside = torch.where(painted, gap, torch.inf).flatten(2).amin(-1)
    outside = torch.where(painted, -torch.inf, gap).flatten(2).amax(-1)
    assert (inside >= outside).all()


def test_painting_over_meets_the_scribble_and_changes_nothing_else():
    data = DATASETS.get("digits")()
    old, wanted, painted = interactive_editing.scribble(data, 100, Rng([1000]))
    over = torch.where(painted, wanted, old)
    rows = interactive_editing.measure(data, over, painted, old, wanted, Rng([1000]))
    assert rows["rmse"] == [0.0]
    assert rows["change"] == [0.0]
    untouched = interactive_editing.measure(data, old, painted, old, wanted, Rng([1000]))
    assert rows["fid"][0] > 1.5 * untouched["fid"][0]
