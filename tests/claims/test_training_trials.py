"""Claims that train networks themselves: parts against closed forms, tiny runs, planted evidence."""

import math
from statistics import fmean

import numpy as np
import pytest
import torch
from claim_records import Planted, outcome

from genbench.claims import any_generator as claim
from genbench.claims import d_g_balance as balance
from genbench.claims import training_stability as stability
from genbench.claims._ranks import choose_by_half
from genbench.core.dataset import DATASETS
from genbench.core.effect import Effect
from genbench.core.model import build
from genbench.core.rng import Rng
from genbench.experiments import any_generator as anything
from genbench.experiments.networks import GENERATORS
from genbench.statistics.verdicts import judge


def test_totals_of_maps_are_mean_numbers_of_preimages():
    def folded(x):  # two preimages of z > -1, none below
        return torch.stack([x[..., 0].abs() - 1, x[..., 1]], -1)

    def linear(x):
        return x @ torch.tensor([[2.0, 1.0], [0.0, 0.5]])

    total, folds = anything.log_volume(linear, 121, Rng([0]))
    assert (float(total), float(folds)) == (pytest.approx(0, abs=2e-3), 0)
    expected = 2 * 0.5 * (1 + math.erf(1 / math.sqrt(2)))
    total, folds = anything.log_volume(folded, 241, Rng([0]))
    assert float(total) == pytest.approx(math.log(expected), abs=0.02)
    assert float(folds) == pytest.approx(0.5, abs=0.01)


def test_totals_of_bits_tell_a_copy_from_a_density():
    assert float(anything.log_total(lambda x: 60 * (2 * x - 1), Rng([0]))) == pytest.approx(
        math.log(512)
    )
    assert float(anything.log_total(torch.zeros_like, Rng([0]))) == pytest.approx(0, abs=1e-6)


def test_any_generator_trains_all_pairs_and_keeps_true_densities():
    columns = anything.experiment(Rng([0, 1]), rounds=1, batch=4, fits=20, points=81)
    assert len(columns) == 2 + 16 + 15
    assert max(columns["folds_coupling"]) == 0
    assert max(map(abs, columns["visible_masked"])) < 1e-4
    assert max(map(abs, columns["flow_coupling"])) < claim.TOTAL
    assert min(min(columns[f"visible_{name}"]) for name in GENERATORS) > claim.TOTAL


@pytest.mark.parametrize(
    ("pair", "total", "expected"),
    [(0.01, 0.5, "supported"), (0.5, 0.0, "refuted"), (0.01, 0.0, "mixed")],
)
def test_any_generator(pair, total, expected):
    values = {"independent": 0.1, "gaussian": 0.05, "flow_coupling": 1e-3, "visible_masked": 1e-6}
    densities = {f"{kind}_{name}": total for kind in ("flow", "visible") for name in GENERATORS}
    densities |= {f"folds_{name}": total for name in GENERATORS}
    assert outcome("any_generator", lambda c: (values | densities).get(c, pair)) == expected


def test_a_pair_that_diverges_has_not_learnt():
    shares = claim.share(
        {"a": {0: 1.0, 1: 1.0}, "b": {0: 1.0}}, lambda v, _: v < 2, {0: 0.0, 1: 0.0}
    )
    assert shares == {0: 1.0, 1: 0.5}


def test_stability_trains_every_family():
    columns = stability.experiment(Rng([0, 1]), rounds=2, batch=8, marks=1)
    assert len(columns) == 5 * (1 + 6 * 3)
    assert all(0 < v < 5 for key, row in columns.items() if "last" in key for v in row)
    again = stability.experiment(Rng([1]), rounds=2, batch=8, marks=1, families=("vae",))
    assert again["vae_1_0.5_last"] == pytest.approx([columns["vae_1_0.5_last"][1]], rel=1e-3)


def planted_runs(share_of):
    """The columns of families that fail in a share of their 32 seeds."""

    def value_of(column):
        if column.endswith("constant"):
            return dict.fromkeys(range(32), 1.0)
        family, _, _, kind = column.split("_")
        bad = round(32 * share_of[family])
        if kind == "finite":
            return {s: float(s >= bad) for s in range(32)}
        return {s: 0.1 for s in range(32)}

    return value_of


def test_failures_are_of_four_kinds():
    def value_of(column):
        if column.endswith("constant"):
            return dict.fromkeys(range(6), 5.0)
        _, rate, decay, kind = column.split("_")
        if (rate, decay) != ("4", "0.9"):
            return dict.fromkeys(range(6), 1.0)
        return {
            "last": {0: 1.0, 1: 2.0, 2: 3.5, 3: 1.0, 4: 6.5},
            "least": {0: 1.0, 1: 0.5, 2: 3.5, 3: 1.0, 4: 6.5},
            "finite": {0: 1.0, 1: 1.0, 2: 1.0, 3: 1.0, 4: 1.0, 5: 0.0},
        }[kind]

    kinds = stability.failures(Planted(value_of), "gan")
    failed = {kind: [seed for seed, share in row.items() if share] for kind, row in kinds.items()}
    assert failed == {
        "any": [1, 4, 5],
        "diverged": [5],
        "collapsed": [4, 5],
        "off": [4, 5],
        "lost": [1, 5],
    }
    assert kinds["any"][4] == pytest.approx(1 / 6)


@pytest.mark.parametrize(
    ("shares", "expected"),
    [((0, 0, 0.3, 0.8, 0.8), "supported"), ((0.8, 0.8, 0.4, 0, 0), "refuted")],
)
def test_training_stability(shares, expected):
    shares = dict(zip(stability.FAMILIES, shares, strict=True))
    assert outcome("training_stability", planted_runs(shares)) == expected


def test_paces_change_the_players():
    columns = balance.experiment(Rng([0, 1]), updates=6, batch=8, data=("ring",))
    assert len(columns) == 2 * len(balance.PACES)
    alone = balance.experiment(Rng([1]), updates=6, batch=8, data=("ring",))
    assert alone["ring_k_5"] == pytest.approx([columns["ring_k_5"][1]], rel=1e-2)
    player = build("gan", DATASETS.get("ring")().spec, Rng([0])).players()[0]
    assert balance.Pace(discriminator=5).change(player).steps == 5
    assert balance.Pace(generator=5).change(player).steps == 1


def test_extremes_gain_nothing_from_choice():
    rng = np.random.default_rng(0)

    def judge_rows(shift, bar):
        logs = rng.normal(size=(4, 16)) + np.array([shift, 0, 0, 0])[:, None]
        rows = {
            k: dict(enumerate(np.exp(row).tolist())) for k, row in zip("abcd", logs, strict=True)
        }
        gap = balance.compare_extremes(rows)
        effect = Effect("worst over best", gap.values, bar, contest=gap)
        return gap, judge([effect]).outcome

    alike = [judge_rows(0.0, 0.0) for _ in range(60)]
    assert np.mean([fmean(gap.values.values()) for gap, _ in alike]) > 0.4, (
        "of the largest of twelve"
    )
    assert sum(outcome != "inconclusive" for _, outcome in alike) <= 3
    small = [judge_rows(0.35, 0.223)[1] for _ in range(60)]
    assert small.count("refuted") == 0
    large = [judge_rows(2.0, 0.223) for _ in range(30)]
    assert sum(outcome == "supported" for _, outcome in large) >= 25
    assert {gap.ours[0] for gap, _ in large} == {"a"}


def test_half_of_the_seeds_choose_and_the_others_measure():
    rows = {"a": {0: 1.0, 1: 9.0, 2: 1.0, 3: 9.0}, "b": {0: 2.0, 1: 1.0, 2: 2.0, 3: 1.0, 5: 1.0}}
    assert choose_by_half(rows) == ("a", [1, 3])
    assert choose_by_half({"c": {1: 1.0, 2: 5.0}, "d": {1: 5.0, 2: 1.0}}) == ("d", [1])
    assert choose_by_half({"a": {0: 1.0, 2: 1.0}}) == ("", []), "nobody is left to measure"
    assert choose_by_half({}) == ("", [])


@pytest.mark.parametrize(
    ("worst", "ahead", "expected"), [(3.0, 3.0, "supported"), (1.0, 0.8, "refuted")]
)
def test_d_g_balance(worst, ahead, expected):
    def value_of(column):
        if "ahead" in column:
            return ahead
        return worst if "k_10" in column or "rate_4" in column else 1.0

    assert outcome("d_g_balance", value_of, seeds=16) == expected


def test_a_seed_that_ends_nowhere_has_failed():
    def value_of(column):
        return {0: 1.0, 1: 9.0} if "k_5" in column else dict.fromkeys(range(3), 1.0)

    failed = balance.failed(Planted(value_of), "ring", "k_5")
    assert failed.values == {0: 0.0, 1: 1.0, 2: 1.0}
    assert not failed.judged
