"""Claims that train networks themselves: parts against closed forms, tiny runs, planted evidence."""

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from claim_records import Planted, outcome
from torch import nn

from genbench.claims import any_generator as anything
from genbench.claims import d_g_balance as balance
from genbench.claims import training_stability as stability
from genbench.core.dataset import DATASETS
from genbench.core.errors import ContractError
from genbench.core.model import Batch, Player, build
from genbench.core.rng import Rng
from genbench.experiments.networks import DISCRIMINATORS, GENERATORS
from genbench.experiments.training import (
    Discrepancy,
    Training,
    gaussian_like,
    optimised,
    play,
)
from genbench.nn.optim import sgd


def trained(name, data, seeds, rounds=4, change=None, **options):
    rng = Rng(seeds, dtype=torch.float64)
    dataset = DATASETS.get(data)()
    training = Training(build(name, dataset.spec, rng, options), dataset, 16, rng, change)
    training.run(rounds)
    return training.samples(20, rng.fork("sample"))


@pytest.mark.parametrize(
    ("name", "data", "options"),
    [
        ("gan", "ring", {"hidden": (8,)}),
        ("made", "digits", {"hidden": (8,), "components": 2}),
        ("rbm", "digits", {"hidden": 8, "chains": 8, "gibbs_steps": 2}),
    ],
)
def test_a_seed_trains_alike_alone_and_in_a_stack(name, data, options):
    both, alone = (trained(name, data, seeds, **options) for seeds in ([3, 5], [5]))
    torch.testing.assert_close(both[1:], alone, rtol=1e-9, atol=1e-9)
    assert not torch.equal(both[0], both[1])


def test_samples_are_of_the_averages_and_training_goes_on_from_the_weights():
    rng, dataset = Rng([0]), DATASETS.get("ring")()
    model = build("gan", dataset.spec, rng, {"hidden": (8,)})

    def slow(player):
        return replace(player, average=1.0)

    training = Training(model, dataset, 16, rng, slow)
    mover = training.game.movers[1]
    before = [w.detach().clone() for w in mover.weights]
    training.run(2)
    after = [w.detach().clone() for w in mover.weights]
    training.samples(3, rng.fork("sample"))
    assert all(torch.equal(a, w) for a, w in zip(after, mover.weights, strict=True))
    assert not torch.equal(before[0], after[0])
    # n updates keep (1 + n) / (10 + n) of the average, where that is less than the decay
    assert [each.updates for each in training.game.movers] == [2, 2]
    assert 0 < torch.dist(mover.average[0], after[0]) < torch.dist(before[0], after[0])


def test_players_take_turns_on_minibatches_of_their_own():
    module, calls = nn.ParameterList([nn.Parameter(torch.zeros(2, 1))]), []

    def player(name, **about):
        def loss(batch, rng):
            calls.append((name, batch.progress))
            return (module[0] * batch.x.mean(1)).sum(1)

        return Player(name, module, loss, sgd(1.0), **about)

    def batch(progress):
        return Batch(torch.tensor([1.0, 3.0]).view(2, 1, 1), None, progress)

    players = [player("a", steps=2, clip=1.0), player("b", schedule=lambda progress: 1 - progress)]
    play(players, batch, 2, Rng([0, 1]))
    assert calls == [(name, progress) for progress in (0.0, 0.5) for name in "aab"]
    # four clipped steps of 1, and b's of the gradient and half of it
    assert module[0].flatten().tolist() == pytest.approx([-4 - 1.5, -4 - 4.5], rel=1e-4)


def test_play_leaves_the_average_of_the_weights():
    module = nn.ParameterList([nn.Parameter(torch.zeros(1, 1))])
    own = Player("one", module, lambda batch, rng: -module[0].sum(-1), sgd(1.0))
    play([replace(own, average=0.9)], lambda _: Batch(torch.zeros(1, 1, 1)), 2, Rng([0]))
    # weights 1 and 2, kept in shares of 2 / 11 and 3 / 12
    assert module[0].item() == pytest.approx((9 / 11) * 3 / 12 + 2 * 9 / 12)


def test_what_is_no_adam_is_refused():
    dataset, rng = DATASETS.get("ring")(), Rng([0])
    model = build("gan", dataset.spec, rng, {"hidden": (8,)})
    plain = [replace(player, optimizer=sgd(0.1)) for player in model.players()]
    with pytest.raises(ContractError, match="needs Adam"):
        optimised(plain[0], rate=2.0).optimizer(model.parameters())
    player = optimised(model.players()[0], rate=4.0, beta1=0.9)
    made: Any = player.optimizer(player.module.parameters())
    assert (made.param_groups[0]["lr"], made.betas) == (4e-3, (0.9, 0.999))


def test_the_discrepancy_is_zero_of_its_own_points_and_small_of_its_law():
    dataset = DATASETS.get("digits")()
    real = dataset.points("test")
    distance = Discrepancy(real)
    assert float(distance(real.unsqueeze(0))) == pytest.approx(0, abs=1e-6)
    like, flipped = gaussian_like(dataset, 300, Rng([0])), 1 - real.unsqueeze(0)
    assert 0 < 3 * float(distance(like)) < float(distance(flipped))


def test_totals_of_maps_are_mean_numbers_of_preimages():
    def folded(x):  # two preimages of z > -1, none below
        return torch.stack([x[..., 0].abs() - 1, x[..., 1]], -1)

    def linear(x):
        return x @ torch.tensor([[2.0, 1.0], [0.0, 0.5]])

    total, folds = anything.log_volume(linear, 121, Rng([0]))
    assert (float(total), float(folds)) == (pytest.approx(0, abs=2e-3), 0)
    known = 2 * 0.5 * (1 + math.erf(1 / math.sqrt(2)))
    total, folds = anything.log_volume(folded, 241, Rng([0]))
    assert float(total) == pytest.approx(math.log(known), abs=0.02)
    assert float(folds) == pytest.approx(0.5, abs=0.01)


def test_totals_of_bits_tell_a_copy_from_a_law():
    assert float(anything.log_total(lambda x: 60 * (2 * x - 1), Rng([0]))) == pytest.approx(
        math.log(512)
    )
    assert float(anything.log_total(torch.zeros_like, Rng([0]))) == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("name", GENERATORS)
def test_networks_take_any_size(name):
    spec, rng = DATASETS.get("digits")().spec, Rng([0, 1])
    made = GENERATORS[name](5, spec, rng)(rng.normal(3, 5))
    assert made.flatten(2).shape == (2, 3, 64)
    assert DISCRIMINATORS[name](spec, rng)(rng.normal(3, 1, 8, 8)).shape == (2, 3, 1)


def test_any_generator_trains_all_pairs_and_keeps_true_densities():
    columns = anything.experiment(Rng([0, 1]), rounds=1, batch=4, fits=20, points=81)
    assert len(columns) == 2 + 16 + 15
    assert max(columns["folds_coupling"]) == 0
    assert max(map(abs, columns["visible_masked"])) < 1e-4
    assert max(map(abs, columns["flow_coupling"])) < anything.TOTAL
    assert min(min(columns[f"visible_{name}"]) for name in GENERATORS) > anything.TOTAL


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
    shares = anything.share(
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


def test_crossed_extremes_gain_nothing_from_choice():
    rng = np.random.default_rng(0)
    null, told = [], []
    for _ in range(200):
        rows = {k: {s: math.exp(rng.normal()) for s in range(8)} for k in "abcd"}
        null += balance.crossed(rows).values()
        told += [
            max(math.log(r[0]) for r in rows.values()) - min(math.log(r[0]) for r in rows.values())
        ]
    assert np.mean(null) == pytest.approx(0, abs=0.15)
    assert np.mean(told) > 1.5
    rows = {"a": dict.fromkeys(range(8), 1.0), "b": dict.fromkeys(range(8), math.e)}
    assert balance.crossed(rows) == pytest.approx(dict.fromkeys(range(8), 1.0))


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
