"""The claims of families against each other: closed forms, planted verdicts, seeds."""

import math
import random
from typing import Any

import numpy as np
import pytest
import torch

from genbench.claims import no_memorisation as memory
from genbench.claims import tuning_budget as budgets
from genbench.claims import variational_bias as bias
from genbench.core.claim import CLAIMS
from genbench.core.dataset import DataSpec, open_named
from genbench.core.effect import Effect, difference
from genbench.core.model import build
from genbench.core.rng import Rng
from genbench.experiments import mixing
from genbench.experiments import multimodal_output as answers
from genbench.experiments import no_partition_function as gradients
from genbench.experiments import tuning_budget as search
from genbench.nn.boltzmann import BernoulliBoltzmann
from genbench.statistics.contests import estimate
from genbench.statistics.verdicts import judge


class Planted:
    """Evidence as planted: by column, or a run's by (model, column); its own noise of 1 %, by seed."""

    def __init__(self, columns=(), scores=(), seeds=8):
        self.columns, self.runs, self.seeds = dict(columns), dict(scores), seeds

    def values(self, mean, name):
        if mean is None:
            return {}
        order = random.Random(name).sample(range(self.seeds), self.seeds)
        return {s: mean * (1 + (k - (self.seeds - 1) / 2) / 250) for s, k in enumerate(order)}

    def measured(self, column):
        return self.values(self.columns.get(column), column)

    def scores(self, run, column):
        who = "no judge" if run.options.get("adversary") == 0 else run.model
        return self.values(self.runs.get((who, column)), f"{who} {column}")

    def finished(self, run):
        return list(range(self.seeds))


def outcome(name, columns=(), scores=(), seeds=8):
    return judge(CLAIMS.get(name).function(Planted(columns, scores, seeds))).outcome


def depends_on_its_seed_alone(name, **options):
    both, one = (
        CLAIMS.get(name).measure(Rng(seeds).fork("claim", name), **options)
        for seeds in ([0, 1], [1])
    )
    for column, values in one.items():
        assert both[column][1] == pytest.approx(values[1], rel=2e-3, abs=1e-5), column


@pytest.fixture(scope="module")
def machine():
    model = BernoulliBoltzmann(gradients.SIDE**2, gradients.HIDDEN, Rng([0, 1]), scale=1.0)
    return model, gradients.words().flatten(2).expand(2, -1, -1)


def test_chains_at_the_machines_own_distribution_have_no_bias(machine):
    model, states = machine
    with torch.no_grad():
        masses = torch.softmax(-model.free_energy(states).double(), -1)
    own = torch.stack(
        [gradients.exact_bias(model, states, row, 3)[k] for k, row in enumerate(masses)]
    )
    other = gradients.exact_bias(model, states, masses[0].flip(0), 3)
    assert own.max() < 1e-10
    assert other.min() > 1e-3


def test_the_bias_of_contrastive_divergence_is_that_of_its_transition_matrix():
    dataset = open_named("bars_and_stripes", size=gradients.SIDE)
    masses = dataset.truth.log_prob(gradients.words()[0]).exp()
    assert float(masses.sum()) == pytest.approx(1)
    rows = gradients.machine_rows(dataset, masses, 200, 200, Rng([0, 1]))
    for k in gradients.STEPS:
        assert rows[f"cd_{k}_bias"].tolist() == pytest.approx(
            rows[f"cd_{k}_bias_exact"].tolist(), abs=0.03
        )
    assert float(rows["cd_1_bias_exact"].min()) > 0.02
    assert float(rows["ais_1000_error"].max()) < 0.1


@pytest.mark.parametrize(
    ("chain", "game", "verdict"),
    [(0.1, 0.0005, "supported"), (-0.01, 0.05, "refuted"), (0.1, 0.05, "mixed")],
)
def test_no_partition_function(chain, game, verdict):
    others = dict.fromkeys(("discriminator_bias", "generator_bias", "vae_bias"), game)
    assert outcome("no_partition_function", {"cd_1_bias": chain, **others}) == verdict


def test_gradients_depend_on_their_seed_alone():
    depends_on_its_seed_alone("no_partition_function", rounds=3, draws=3)


def test_a_machine_of_two_units_mixes_as_its_closed_form():
    """Two hidden states: the distance from the worst start is lambda^t times the larger share."""
    model = BernoulliBoltzmann(1, 1, Rng([0, 1]))
    with torch.no_grad():
        model.weight.copy_(torch.tensor([20.0, 3.0]).view(2, 1, 1))
        model.visible_bias.copy_(torch.tensor([-10.0, 0.2]).view(2, 1, 1))
        model.hidden_bias.copy_(torch.tensor([-10.0, -0.5]).view(2, 1, 1))
    matrix, stationary = mixing.transition(model)
    assert (stationary.unsqueeze(1) @ matrix).squeeze(1) == pytest.approx(stationary, abs=1e-12)

    def rise(w, b):
        return 1 / (1 + math.exp(-b - w)) - 1 / (1 + math.exp(-b))

    for k, (w, b, c) in enumerate(((20.0, -10.0, -10.0), (3.0, 0.2, -0.5))):
        rate = rise(w, b) * rise(w, c)
        expected = math.ceil(math.log(mixing.MIXED / float(stationary[k].max())) / math.log(rate))
        assert float(mixing.mixing_time(matrix, stationary)[k]) == expected
    assert float(mixing.mixing_time(matrix, stationary)[0]) > 3000


def test_a_chains_powers_are_its_steps():
    model = BernoulliBoltzmann(4, 3, Rng([3]), scale=2.0)
    matrix, stationary = mixing.transition(model)
    power, steps = matrix, 1
    while float((power - stationary).abs().sum(-1).max()) / 2 > mixing.MIXED:
        power, steps = power @ matrix, steps + 1
    assert mixing.mixing_time(matrix, stationary).tolist() == [steps]


@pytest.mark.parametrize(
    ("slow", "gan", "passes", "verdict"),
    [(80, 20, 1, "supported"), (80, 60, 1, "mixed"), (1.5, 60, 2, "refuted")],
)
def test_one_pass_vs_chain(slow, gan, passes, verdict):
    cost, steps = "effective_sample_ms", "effective_sample_steps"
    scores = {("gan", cost): 0.01, ("gan", steps): passes, ("gan", "fid"): gan}
    for name in ("rbm", "gsn"):
        scores |= {(name, cost): 0.01 * slow, (name, steps): slow, (name, "fid"): 30.0}
    columns = {"mixing_early": 3.0, "mixing_late": slow, "kl_late": 0.01}
    assert outcome("one_pass_vs_chain", columns, scores) == verdict


def test_mixing_depends_on_its_seed_alone():
    depends_on_its_seed_alone("one_pass_vs_chain", rounds=120)


def test_the_average_of_two_answers_is_known():
    c, y = answers.draw(200_000, Rng([0]))[0].double().split(1, dim=-1)
    error = (y - answers.mean(c)).square().mean()
    assert float(error) == pytest.approx(answers.least_error(), rel=0.01)
    assert float(((y - answers.mean(c)) * c).mean()) == pytest.approx(0, abs=0.01)
    assert float((y.abs() - answers.answer(c)).std()) == pytest.approx(answers.STD, rel=0.02)
    assert 2 * float(answers.answer(torch.linspace(-1, 1, 201)).min()) >= 20 * answers.STD


def test_squared_error_averages_and_an_adversary_does_not():
    rows = CLAIMS.get("multimodal_output").measure(Rng([0, 1]), rounds=200)
    assert max(rows["squared_near"].values()) < 0.1
    assert (
        max(rows["squared_from_mean"].values()) < 0.2 < min(rows["adversarial_from_mean"].values())
    )


@pytest.mark.parametrize(
    ("averages", "near", "error", "verdict"),
    [(0.01, 0.95, 2.0, "supported"), (0.5, 0.3, 1.0, "refuted"), (0.01, 0.3, 2.0, "mixed")],
)
def test_multimodal_output(averages, near, error, verdict):
    columns = {
        "squared_near": averages,
        "squared_from_mean": averages,
        "adversarial_near": near,
        "adversarial_error": error,
        "squared_error": 1.0,
        "least_error": 1.0,
        "adversarial_both": 0.7,
    }
    gain = {"supported": 1.0, "refuted": -1.0, "mixed": 1.0}[verdict]
    scores = {
        ("regression", "near_answer"): averages,
        ("regression", "mean_over_least"): averages,
        ("pix2pix", "near_answer"): near,
        ("no judge", "psnr"): 20.0 + gain,
        ("srgan", "psnr"): 20.0,
        ("no judge", "fid"): 20.0 + 5 * gain,
        ("srgan", "fid"): 20.0,
        ("no judge", "sharpness"): 0.7 - 0.2 * gain,
        ("srgan", "sharpness"): 0.7,
    }
    assert outcome("multimodal_output", columns, scores) == verdict


@pytest.mark.parametrize(("better", "verdict"), [(0.8, "supported"), (1.2, "refuted")])
def test_perceptual_loss(better, verdict):
    """Each way has this share of the distance of the one before."""
    evidence = PlantedContents(better)
    assert judge(CLAIMS.get("perceptual_loss").function(evidence)).outcome == verdict


class PlantedContents(Planted):
    def __init__(self, better):
        super().__init__()
        self.better = better

    def scores(self, run, column):
        steps = {"mse": 0, "perceptual": 1, "adaptive": 2}[run.options.get("content", "mse")]
        steps = 2 if run.options.get("judge") == "pair" else steps
        return self.values(20 * self.better**steps, f"{run} {column}")


def test_answers_depend_on_their_seed_alone():
    depends_on_its_seed_alone("multimodal_output", rounds=3)


@pytest.mark.parametrize(
    ("copies", "gan", "other", "reads", "verdict"),
    [
        (-20.0, 2.0, 1.0, 0.0, "supported"),
        (-20.0, 2.0, 9.0, 0.0, "supported"),
        (-20.0, -9.0, 1.0, 0.0, "mixed"),
        (-1.0, 2.0, 1.0, 0.0, "mixed"),
        (-1.0, -9.0, 1.0, 0.5, "refuted"),
    ],
)
def test_no_memorisation(copies, gan, other, reads, verdict):
    scores = {("resample", "c_t"): copies, ("kde", "c_t"): -5.0}
    scores |= {(name, "c_t"): gan for name in memory.GANS}
    scores |= {(name, "c_t"): other for name in memory.LIKELIHOODS}
    columns = {
        f"{name}_apart": reads if name in memory.GANS else (0.001 if reads else 0.4)
        for name in memory.TRACED
    }
    assert outcome("no_memorisation", columns, scores) == verdict


def test_generators_see_no_images_and_likelihoods_do():
    rows = CLAIMS.get("no_memorisation").measure(Rng([0, 1]), batch=16)
    for name in memory.TRACED:
        values = rows[f"{name}_apart"].values()
        assert (max(values) == 0) == (name in memory.GANS)
    x = Rng([5]).uniform(16, 1, 8, 8)
    assert torch.equal(*(memory.gradient("vae", x, Rng([5])) for _ in range(2)))


def test_what_gradients_see_depends_on_the_seed_alone():
    depends_on_its_seed_alone("no_memorisation", batch=8)


def test_the_mixtures_density_is_that_of_its_draws():
    axis = torch.linspace(-4, 4, 401, dtype=torch.float64)
    grid = torch.cartesian_prod(axis, axis)
    density = bias.log_density(grid).exp()
    assert float(density.sum() * 0.02**2) == pytest.approx(1, abs=1e-9)
    x = bias.draw(50_000, Rng([0, 1]))
    assert float(x.square().mean()) == pytest.approx(1, abs=0.01)
    second = float((density * grid[:, 0].square()).sum() * 0.02**2)
    assert second == pytest.approx(1, abs=1e-9)
    assert max(bias.divergence(x, Rng([0, 1]))) < 0.003
    # a Gaussian of the same moments is known to miss by more
    assert min(bias.divergence(Rng([0, 1]).normal(20_000, 2), Rng([0, 1]))) > 0.1


def test_the_gap_is_that_of_a_likelihood_by_quadrature():
    model: Any = build(
        "vae", DataSpec("eight", (2,)), Rng([0, 1]), {"hidden": (8, 8), "log_std": -0.5}
    )
    net = model.autoencoder
    with torch.no_grad():
        rows = bias.measure_bounds(model, Rng([0, 1]))
        x = bias.draw(bias.PLACES, Rng([0, 1]).fork("points"))[:, :200]
        axis = torch.linspace(-5, 5, 101)
        z = torch.cartesian_prod(axis, axis).expand(2, -1, -1)
        prior = -0.5 * z.square().sum(-1) - math.log(2 * math.pi) + 2 * math.log(0.1)
        columns = [
            net.log_likelihood(x[:, k : k + 1].expand(-1, z.shape[1], -1), z) for k in range(200)
        ]
        exact = torch.stack([(row + prior).logsumexp(-1) for row in columns], dim=1)
        many = net.bound(x, bias.DRAWS, Rng([3, 4]))
        one = torch.stack([net.bound(x, 1, Rng([3, 4]).fork(k)) for k in range(50)]).mean(0)
    assert many.mean(1).tolist() == pytest.approx(exact.mean(1).tolist(), abs=0.02)
    gap = (exact - one).mean(1).tolist()
    assert rows["gap"] == pytest.approx(gap, rel=0.15)
    assert min(gap) > 0.05


@pytest.mark.parametrize(
    ("gap", "last", "verdict"),
    [(0.1, 0.02, "supported"), (0.001, 0.3, "refuted"), (0.1, 0.3, "mixed")],
)
def test_variational_bias(gap, last, verdict):
    columns = {"floor": 0.002}
    for k, (n, _) in enumerate(bias.SIZES):
        columns |= {f"gan_js_{n}": 0.1 * (last / 0.1) ** (k / 2), f"vae_js_{n}": 0.1}
        columns |= {f"vae_gap_{n}": gap, f"vae_kl_{n}": 0.2}
    scores = {
        ("vae", "bound_gap"): gap,
        ("vae", "js_to_truth"): 0.1,
        ("r1_gan", "js_to_truth"): 0.1,
    }
    assert outcome("variational_bias", columns, scores) == verdict


def test_divergences_depend_on_their_seed_alone(monkeypatch):
    monkeypatch.setattr(bias, "SIZES", ((50, 8), (100, 8)))
    monkeypatch.setattr(bias, "POINTS", 2000)
    depends_on_its_seed_alone("variational_bias", rounds=3)


def tuned(after_one, after_eight):
    """Planted squared discrepancies of families after one trial and after eight, on both data sets."""
    return {
        f"{data}_{family}_{k}": value
        for data in ("ring", "digits")
        for k, row in ((1, after_one), (8, after_eight))
        for family, value in zip(("adversarial", "variational", "flow"), row, strict=True)
    }


@pytest.mark.parametrize(
    ("after_one", "after_eight", "wanted"),
    [
        ((0.5, 0.1, 0.2), (0.02, 0.03, 0.03), "supported"),  # closer, and another wins
        ((0.5, 0.1, 0.2), (0.5, 0.1, 0.2), "refuted"),
        ((0.5, 0.1, 0.2), (0.11, 0.1, 0.12), "mixed"),  # closer, but the same wins
    ],
)
def test_tuning_budgets_by_planted_searches(after_one, after_eight, wanted):
    assert outcome("tuning_budget", tuned(after_one, after_eight), seeds=32) == wanted


def test_who_wins_after_one_trial_is_measured_against_the_best_other_after_eight():
    """Where the winner is the same the others' distance has a spread, and is not 0 in every seed."""
    draws = np.random.default_rng(3)
    first = {"a": 0.1, "b": 0.2, "c": 0.3}
    last = {"a": 0.1, "b": 0.1, "c": 0.12}
    noisy = (
        {
            name: dict(enumerate(v * np.exp(0.02 * draws.normal(size=32))))
            for name, v in row.items()
        }
        for row in (first, last)
    )
    gap = budgets.overtake(*noisy)
    assert (gap.ours, gap.theirs) == ("b", "a")
    assert sorted(gap.values) == list(range(1, 32, 2))
    part = Effect("gap", gap.values, budgets.LEAST, contest=gap)
    interval = estimate(part)
    assert interval.low < 0 < interval.high < budgets.LEAST
    assert judge([part]).outcome == "refuted"
    clamped = {name: dict.fromkeys(range(32), budgets.FINEST) for name in first}
    alike = budgets.overtake({n: dict.fromkeys(range(32), v) for n, v in first.items()}, clamped)
    part = Effect("gap", alike.values, budgets.LEAST, contest=alike)
    assert judge([part]).outcome == "inconclusive", "as good as can be told, all of them"
    few = {name: {0: 1.0} for name in "ab"}
    nobody = budgets.overtake(few, few)
    assert not nobody.values


@pytest.mark.parametrize("spread", [0.5, 1.0, 1.5])
def test_families_that_are_alike_do_not_draw_nearer_by_the_luck_of_trials(spread):
    draws, wrong = np.random.default_rng(0), 0
    for _ in range(60):
        trials = np.exp(spread * draws.normal(size=(5, 32, 8)))
        first, last = (dict(enumerate(_rows(x))) for x in (trials[:, :, 0], trials.min(2)))
        falls = difference(budgets.vary_between(first), budgets.vary_between(last))
        wrong += judge([Effect("", falls, budgets.LEAST**2)]).outcome == "supported"
    assert wrong <= 3


def test_the_variance_between_families_is_that_of_their_means():
    means, draws = np.array([-1.0, 0.0, 0.5, 2.0]), np.random.default_rng(1)
    logs = means[:, None] + draws.normal(size=(4, 400))
    values = list(budgets.vary_between(dict(enumerate(_rows(np.exp(logs))))).values())
    error = np.std(values, ddof=1) / 20
    assert np.mean(values) == pytest.approx(means.var(ddof=1), abs=3 * error)
    assert error < 0.1 * means.var(ddof=1)


def _rows(values):
    return [dict(enumerate(map(float, row))) for row in values]


def test_the_best_of_trials_is_chosen_by_validation_and_scored_on_test():
    trials = [
        search.SearchTrial(0.3, 0.9),
        search.SearchTrial(0.2, 0.8),
        search.SearchTrial(0.25, 0.1),
    ]
    assert [search.best_after(trials, k) for k in (1, 2, 3)] == [0.9, 0.8, 0.8]


def test_a_search_of_a_seed_depends_on_it_alone_and_extends():
    options = {"rounds": 3, "batch": 8, "data": ("ring",)}
    depends_on_its_seed_alone("tuning_budget", trials=1, **options)
    columns = CLAIMS.get("tuning_budget").measure(
        Rng([1]).fork("claim", "tuning_budget"), trials=2, **options
    )
    assert set(columns) == {f"ring_{family}_{k}" for family in budgets.FAMILIES for k in (1, 2)}
