"""Training of experiments: the same bits as cells, players that are changed or alone, distances."""

from dataclasses import replace
from typing import Any

import pytest
import torch
from small_suites import bits, same
from torch import nn

from genbench.core.dataset import DATASETS
from genbench.core.errors import ContractError
from genbench.core.model import MODELS, Batch, Player, build
from genbench.core.options import defaults
from genbench.core.rng import Rng
from genbench.core.spec import Budget, CellSpec
from genbench.experiments.networks import DISCRIMINATORS, GENERATORS
from genbench.experiments.training import (
    Discrepancy,
    draw_gaussian,
    draw_samples,
    retune,
    train,
    train_players,
)
from genbench.nn.optim import sgd
from genbench.running.build import prepare_model
from genbench.training.trainer import Trainer

DATA = ("ring", "bars_and_stripes", "digits")
TAKEN = [
    (name, data)
    for name, model in MODELS.all().items()
    for data in DATA
    if model.refuses(DATASETS.get(data)().spec) is None
]
#: what makes networks small, for models that have it
SMALL: dict[str, Any] = {"layers": 2, "latent": 4, "units": 8, "width": 4, "channels": 4}


@pytest.mark.parametrize(("name", "data"), TAKEN)
def test_experiments_train_every_model_to_the_bits_of_its_cells(name, data):
    options = {key: SMALL[key] for key in SMALL.keys() & defaults(MODELS.get(name)).keys()}
    dataset, rounds, seeds = DATASETS.get(data)(), 2, [3, 4]
    about = {"model_version": 1, "dataset_version": 1, "batch": 8, "seed": 3}
    spec = CellSpec(
        model=name, options=options, dataset=data, budget=Budget(steps=rounds), **about
    )
    cell = prepare_model(spec, dataset, Rng(seeds))
    Trainer(cell, dataset, spec.budget, batch=spec.batch, rng=Rng(seeds)).run()
    rng = Rng(seeds)
    model = build(name, dataset.spec, rng, options)
    trainer = train(model, dataset, rounds, rng, batch=spec.batch)
    assert same(bits(cell), bits(model))
    assert trainer.step == (rounds if trainer.players else 0)


def trained(name, data, seeds, rounds=4, change=None, **options):
    rng = Rng(seeds, dtype=torch.float64)
    dataset = DATASETS.get(data)()
    model = build(name, dataset.spec, rng, options)
    trainer = train(model, dataset, rounds, rng, batch=16, change=change)
    return draw_samples(trainer, dataset, 20, rng.fork("sample"))


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
        return replace(player, average=0.999)

    before = [w.detach().clone() for w in model.players()[1].module.parameters()]
    trainer = train(model, dataset, 2, rng, batch=16, change=slow)
    state = trainer.players[1]
    after = [w.detach().clone() for w in state.weights]
    draw_samples(trainer, dataset, 3, rng.fork("sample"))
    assert all(torch.equal(a, w) for a, w in zip(after, state.weights, strict=True))
    assert not torch.equal(before[0], after[0])
    # n updates keep (1 + n) / (10 + n) of the average, where that is less than the decay
    assert [one.updates for one in trainer.players] == [2, 2]
    assert 0 < torch.dist(state.average[0], after[0]) < torch.dist(before[0], after[0])


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
    train_players(players, batch, 2, Rng([0, 1]))
    assert calls == [(name, progress) for progress in (0.0, 0.5) for name in "aab"]
    # four clipped steps of 1, and b's of the gradient and half of it
    assert module[0].flatten().tolist() == pytest.approx([-4 - 1.5, -4 - 4.5], rel=1e-4)


def test_training_players_leaves_the_average_of_the_weights():
    module = nn.ParameterList([nn.Parameter(torch.zeros(1, 1))])
    own = Player("one", module, lambda batch, rng: -module[0].sum(-1), sgd(1.0))
    players = [replace(own, average=0.9)]
    train_players(players, lambda _: Batch(torch.zeros(1, 1, 1)), 2, Rng([0]))
    # weights 1 and 2, kept in shares of 2 / 11 and 3 / 12
    assert module[0].item() == pytest.approx((9 / 11) * 3 / 12 + 2 * 9 / 12)


def test_an_optimiser_other_than_adam_is_refused():
    dataset, rng = DATASETS.get("ring")(), Rng([0])
    model = build("gan", dataset.spec, rng, {"hidden": (8,)})
    plain = [replace(player, optimizer=sgd(0.1)) for player in model.players()]
    with pytest.raises(ContractError, match="needs Adam"):
        retune(plain[0], rate=2.0).optimizer(model.parameters())
    player = retune(model.players()[0], rate=4.0, beta1=0.9)
    optimizer: Any = player.optimizer(player.module.parameters())
    assert (optimizer.param_groups[0]["lr"], optimizer.betas) == (4e-3, (0.9, 0.999))


def test_the_discrepancy_is_zero_of_its_own_points_and_small_of_its_distribution():
    dataset = DATASETS.get("digits")()
    real = dataset.points("test")
    distance = Discrepancy(real)
    assert float(distance(real.unsqueeze(0))) == pytest.approx(0, abs=1e-6)
    like, flipped = draw_gaussian(dataset, 300, Rng([0])), 1 - real.unsqueeze(0)
    assert 0 < 3 * float(distance(like)) < float(distance(flipped))


@pytest.mark.parametrize("name", GENERATORS)
def test_networks_take_any_size(name):
    spec, rng = DATASETS.get("digits")().spec, Rng([0, 1])
    images = GENERATORS[name](5, spec, rng)(rng.normal(3, 5))
    assert images.flatten(2).shape == (2, 3, 64)
    assert DISCRIMINATORS[name](spec, rng)(rng.normal(3, 1, 8, 8)).shape == (2, 3, 1)
