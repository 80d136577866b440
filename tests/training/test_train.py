import re

import pytest
import torch
from small_suites import bits, built, same, toy

from genbench.core.dataset import DATASETS
from genbench.core.errors import ContractError, SpecError
from genbench.core.model import Player, build
from genbench.core.rng import Rng
from genbench.core.spec import Budget, Training
from genbench.nn.mlp import MLP
from genbench.nn.optim import clip_by_seed, linear_decay, sgd
from genbench.training.trainer import Trainer


def trainer(parts, budget=None, **options):
    model, dataset, rng = parts
    return Trainer(model, dataset, budget or Budget(steps=20), batch=8, rng=rng, **options)


def test_a_budget_in_steps_counts_rounds():
    done = trainer(built("wgan_gp", "ring", hidden=[8]), Budget(steps=3)).run()
    updates = [state.updates for state in done.players]
    steps = [state.player.steps for state in done.players]
    assert done.step == 3
    assert max(steps) > 1
    assert updates == [3 * count for count in steps]
    assert done.examples == 8 * sum(updates)


def test_a_budget_in_examples_counts_every_players_minibatches():
    done = trainer(built("gan", "ring", hidden=[8]), Budget(examples=100)).run()
    assert (done.step, done.examples) == (
        7,
        112,
    )  # rounds of two minibatches of 8, the last is whole


def test_a_budget_in_seconds_is_spent_and_hardly_exceeded():
    done = trainer(toy(), Budget(seconds=0.2)).run()
    assert 0.2 <= done.seconds < 0.5
    assert done.step > 5
    assert done.progress == 1.0


def test_a_model_without_players_is_not_trained():
    done = trainer(built("gaussian", "ring"), Budget(steps=5)).run()
    assert (done.step, done.examples, done.points) == (0, 0, [])


def test_the_curve_has_its_points_at_equal_shares_and_probes_the_model_at_rest():
    modes = []

    def probe(model):
        modes.append(model.training)
        return {"q": [0.5, None]}

    done = trainer(toy(), Budget(steps=20), curve=4, probe=probe).run()
    assert [point.step for point in done.points] == [5, 10, 15, 20]
    assert modes == [False] * 4
    assert all(len(point.losses["net"]) == 2 for point in done.points)
    assert all(point.metrics == {"q": [0.5, None]} for point in done.points)
    assert [p.seconds for p in done.points] == sorted(p.seconds for p in done.points)


def test_a_curve_of_more_points_than_rounds_has_one_a_round():
    done = trainer(toy(), Budget(steps=3), curve=10).run()
    assert [point.step for point in done.points] == [1, 2, 3]


def test_the_curve_does_not_change_what_is_learnt():
    plain, curved = toy(), toy()
    trainer(plain).run()
    trainer(curved, curve=5, probe=lambda model: {}).run()
    assert same(bits(plain[0]), bits(curved[0]))


def test_a_schedule_scales_the_learning_rate_by_progress():
    progresses = []
    parts = toy(schedule=lambda progress: progresses.append(progress) or linear_decay()(progress))
    done = trainer(parts, Budget(steps=4)).run()
    assert progresses == [0.0, 0.25, 0.5, 0.75]
    assert done.players[0].optimizer.param_groups[0]["lr"] == pytest.approx(1e-2 * 0.25)


def test_players_see_progress_and_a_fresh_minibatch_each_update():
    batches = []

    def loss(model, batch, rng):
        batches.append(batch)
        return model.net(batch.x).square().mean((1, 2))

    trainer(toy(loss=loss, steps=3), Budget(steps=2)).run()
    assert [batch.progress for batch in batches] == [0.0] * 3 + [0.5] * 3
    assert all(batch.x.shape == (2, 8, 2) for batch in batches)
    assert len({batch.x.sum().item() for batch in batches}) == 6


def test_a_projection_runs_after_every_update_without_a_graph():
    def clamp():
        assert not torch.is_grad_enabled()
        for weight in parts[0].net.parameters():
            weight.clamp_(-0.01, 0.01)

    parts = toy(project=clamp)
    trainer(parts, Budget(steps=3)).run()
    assert max(weight.abs().max() for weight in parts[0].net.parameters()) <= 0.01


@pytest.mark.parametrize("decay", [0.0, 0.6])
def test_a_running_average_follows_its_formula_and_stands_in_for_evaluation(decay):
    parts = toy(average=decay)
    work = trainer(parts, Budget(steps=6))
    expected = [weight.detach().clone() for weight in parts[0].net.parameters()]
    for update in range(1, 7):
        work.round()
        share = min(decay, (1 + update) / (10 + update))
        for average, weight in zip(expected, parts[0].net.parameters(), strict=True):
            average.mul_(share).add_(weight.detach(), alpha=1 - share)
    before = bits(parts[0])
    with work.averaged() as model:
        for average, weight in zip(expected, model.net.parameters(), strict=True):
            torch.testing.assert_close(weight.detach(), average)
        assert not model.training
    assert same(bits(parts[0]), before)


def test_weights_come_back_after_an_error_under_the_average():
    parts = toy(average=0.6)
    work = trainer(parts).run()
    before = bits(parts[0])
    with pytest.raises(ZeroDivisionError), work.averaged():
        _ = 1 / 0
    assert same(bits(parts[0]), before)


@pytest.mark.parametrize(("model", "options"), [("rbm", {}), ("dbm", {"hidden": (3, 2)})])
def test_there_is_no_early_stopping_by_a_loss_between_chains(model, options):
    """It chose weights by no likelihood, and every look moved the chains that training goes on from."""
    data, rng = DATASETS.get("bars_and_stripes")(), Rng([0, 1])
    machine = build(model, data.spec, rng, options)
    with pytest.raises(SpecError, match=r"training.stopping needs a loss that .* that of machine"):
        Trainer(machine, data, Budget(steps=4), batch=8, rng=rng, training=Training(stopping=2))


def test_clipping_is_by_seed():
    weights = [torch.nn.Parameter(torch.zeros(3, 4)), torch.nn.Parameter(torch.zeros(3, 2, 2))]
    grads = [torch.randn(w.shape, generator=torch.Generator().manual_seed(0)) for w in weights]
    for weight, grad, scale in zip(weights, grads, [1, 1], strict=True):
        weight.grad = grad * torch.tensor([100.0, 0.01, float("nan")]).view(
            3, *[1] * (grad.dim() - 1)
        )
        weight.grad *= scale
    before = [weight.grad.clone() for weight in weights]
    clip_by_seed(weights, 1.0)
    norms = sum(weight.grad.flatten(1).square().sum(1) for weight in weights).sqrt()
    assert norms[0].item() == pytest.approx(1.0, rel=1e-5)
    for weight, old in zip(weights, before, strict=True):
        assert weight.grad[1].equal(old[1])
        assert weight.grad[2].isnan().all()
        ratio = weight.grad[0] / old[0]
        torch.testing.assert_close(ratio, ratio.flatten()[0].expand_as(ratio))


def test_a_players_clip_bounds_its_update():
    parts = toy(clip=1e-3, optimizer=sgd(1.0))
    before = bits(parts[0])
    trainer(parts, Budget(steps=1)).run()
    moved = [(bits(parts[0])[key] - before[key]).flatten(1).square().sum(1) for key in before]
    assert sum(moved).sqrt().tolist() == pytest.approx([1e-3, 1e-3], rel=1e-3)


@pytest.mark.parametrize("shape", [(), (2, 8), (3,)])
def test_a_loss_of_another_shape_is_refused_before_it_moves_anything(shape):
    parts = toy(loss=lambda model, batch, rng: model.net(batch.x).sum() + torch.zeros(shape))
    before = bits(parts[0])
    message = (
        f"loss of player 'net' needs shape (2,), one value per seed, got {shape}; average over"
    )
    with pytest.raises(ContractError, match=re.escape(message)):
        trainer(parts).run()
    assert same(bits(parts[0]), before)


def test_an_optimiser_that_is_not_elementwise_is_refused():
    with pytest.raises(ContractError, match="needs an elementwise optimiser, got SGD; seeds of a"):
        trainer(toy(optimizer=lambda weights: torch.optim.SGD(weights, lr=0.1)))


def test_weights_without_a_seed_axis_are_refused():
    parts = toy()
    parts[0].net.extra = torch.nn.Parameter(torch.zeros(5))
    with pytest.raises(ContractError, match=r"2 seeds as leading axis, got \(5,\) for extra"):
        trainer(parts)


@pytest.mark.parametrize("options", [{}, {"clip": 0.5, "average": 0.9}], ids=["plain", "clip"])
@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_a_seed_that_diverges_is_marked_and_leaves_the_others_their_bits(options, bad):
    def run(poison):
        at = []

        def loss(model, batch, rng):
            at.append(0)
            x = batch.x
            losses = (model.net(rng.normal(8, 2)) - x).square().mean((1, 2))
            broken = poison and len(at) > 5
            return losses * torch.tensor([1.0, bad if broken else 1.0, 1.0])

        parts = toy((0, 1, 2), loss=loss, **options)
        work = trainer(parts, Budget(steps=12), curve=3).run()
        with work.averaged() as model:
            return work, bits(model)

    clean, poisoned = run(False), run(True)
    assert clean[0].diverged.tolist() == [-1, -1, -1]
    assert poisoned[0].diverged.tolist() == [-1, 5, -1]
    assert poisoned[0].step == 12
    for key, value in clean[1].items():
        assert value[[0, 2]].equal(poisoned[1][key][[0, 2]])
        assert not poisoned[1][key][1].isfinite().all()


def test_training_stops_at_the_next_mark_once_every_seed_has_diverged():
    parts = toy(loss=lambda model, batch, rng: model.net(batch.x).sum((1, 2)) * float("nan"))
    done = trainer(parts, Budget(steps=100), curve=10).run()
    assert done.diverged.tolist() == [0, 0]
    assert done.step == 10


def test_players_move_in_order_and_only_their_own_weights():
    calls = []
    parts = toy()
    model, _, rng = parts
    other = MLP(2, 2, (4,), rng.fork("other"))
    own = model.players()[0]

    def second(batch, rng):
        calls.append("second")
        return own.loss(batch, rng) + other(batch.x).sum((1, 2))

    def first(batch, rng):
        calls.append("first")
        return own.loss(batch, rng)

    model.players = lambda: (
        Player("first", model.net, first, sgd(0.0)),
        Player("second", other, second, sgd(0.1), steps=2),
    )
    before = bits(model)
    trainer(parts, Budget(steps=2)).run()
    assert calls == ["first", "second", "second"] * 2
    assert same(bits(model), before)


@pytest.mark.parametrize(
    ("numbers", "message"),
    [
        ({"clip": 0.0}, "clip of player 'one' needs a norm above 0, got 0.0"),
        ({"clip": -1.0}, "clip of player 'one' needs a norm above 0, got -1.0"),
        ({"average": 1.0}, "average of player 'one' needs a decay .* below 1, got 1.0"),
        ({"average": 2.5}, "average of player 'one' needs a decay .* below 1, got 2.5"),
    ],
    ids=str,
)
def test_players_whose_numbers_mean_nothing_are_refused(numbers, message):
    """A negative norm climbed the loss, a decay of 2.5 evaluated weights that were never trained."""
    with pytest.raises(SpecError, match=message):
        Player("one", MLP(2, 1, (), Rng([0])), lambda batch, rng: batch.x, sgd(0.1), **numbers)
