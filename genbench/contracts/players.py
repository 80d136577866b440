"""What the players of a model that is trained must keep."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor
from torch.nn import functional

from genbench.contracts.rules import Case, expect, expect_tensor, left_alone, rule
from genbench.contracts.small import (
    PAIRS,
    draw_batch,
    draw_samples,
    first_when_trained,
    make,
    taken,
    train,
    when_trained,
    with_networks,
)
from genbench.core.model import MODELS, ConditionalDensity, Density, Model
from genbench.core.rng import Rng
from genbench.training.players import PlayerState
from genbench.training.trainer import Trainer

#: the data sets on which small networks learn something in 300 steps, the first that a model takes
EASY = (
    "digits",
    "binary_digits",
    "bars_and_stripes",
    "markov_text",
    "ring",
    "grid",
    "ar_wave",
    *PAIRS,
)


@rule("model", with_networks(when_trained))
def losses_are_one_number_per_seed(name: str, data: str) -> None:
    """Every player's loss returns one finite number per seed, shape (S,)."""
    model, rng = make(name, data, [0, 1])
    for player in model.players():
        what, batch = f"the loss of player {player.name!r}", draw_batch(data, rng)
        with left_alone(what, batch.x, batch.labels, batch.source):
            loss = player.loss(batch, rng.fork("train"))
        expect_tensor(loss, what, (2,), fix="average over the minibatch only")


@rule("model", with_networks(first_when_trained))
def a_player_moves_its_own_weights_and_all_of_them(name: str, data: str) -> None:
    """A player's update moves every weight of its module, in each seed, and no other player's."""
    model, _, trainer = train(name, data, [0, 1], 3)
    names = {id(p): key for key, p in model.named_parameters()}
    for player, weights in _moves(trainer):
        before = {key: p.detach().clone() for key, p in model.named_parameters()}
        next(player)
        own = {names[id(w)] for w in weights}
        for key, p in model.named_parameters():
            changed = (p.detach() != before[key]).flatten(1).any(1)
            if key not in own:
                expect(not changed.any(), f"{key} needs to stay, but another player moved it")
            elif not key.endswith(
                "bias"
            ):  # a bias may cancel, as the last of a WGAN's critic does
                expect(changed.all(), f"{key} needs to move in every seed; the loss ignores it")
        for w in weights:
            expect(w.grad is not None, f"{names[id(w)]} needs a gradient; the loss ignores it")
            expect_tensor(w.grad, f"the gradient of {names[id(w)]}", w.shape, fix="bound the loss")


def _moves(trainer: Trainer) -> Iterator[tuple[Iterator[None], list[Tensor]]]:
    """Each player's next update, made when it is asked for, and the weights that are its own."""

    def update(state: PlayerState) -> Iterator[None]:
        trainer.differentiate(state, trainer.minibatches(0.5))
        yield state.move(0.5)

    for state in trainer.players:
        yield update(state), list(state.weights)


@rule("model", with_networks(first_when_trained))
def every_weight_belongs_to_a_player(name: str, data: str) -> None:
    """Every parameter is in the module of a player, and has one name."""
    model, _ = make(name, data, [0])
    moved = {id(p) for player in model.players() for p in player.module.parameters()}
    idle = [key for key, p in model.named_parameters() if p.requires_grad and id(p) not in moved]
    expect(not idle, f"no player moves {', '.join(idle)}; give it to one, or make it a buffer")
    places = [value.data_ptr() for value in model.state_dict().values() if value.numel()]
    expect(len(set(places)) == len(places), "a tensor of two names cannot be stored; keep one")


def easiest(name: str) -> list[Case]:
    """Returns the data set on which a trained model is asked to improve."""
    easy = [data for data in EASY if data in taken(name)]
    return [(data,) for data in (easy or taken(name))[:1]] if when_trained(name) else []


@rule("model", easiest)
def training_improves_the_model(name: str, data: str) -> None:
    """300 rounds raise the likelihood in every seed, or else bring samples nearer to the data."""
    gaps, costs = [], []
    for steps in (0, 300):
        model, rng, _ = train(name, data, [0, 1], steps)
        batches = [draw_batch(data, rng.fork("real", i)) for i in range(16)]
        real = torch.cat([batch.x for batch in batches], dim=1)
        gaps.append(energy_distance(real, draw_samples(model, rng, 512)))
        sources = [batch.source for batch in batches if batch.source is not None]
        costs += _costs(model, real, torch.cat(sources, dim=1) if sources else None, rng)
    # an adversary's generator may know its likelihood, but does not climb it
    least = 0.3 if MODELS.get(name).taxonomy.startswith("implicit") else 1
    if costs:
        expect(
            (costs[1] < costs[0] - least).all(),
            f"300 rounds need to lower the NLL by {least} nats in every seed, got "
            f"{_numbers(costs[0])} → {_numbers(costs[1])}; look at the losses and the step size",
        )
    else:
        expect(
            (gaps[1] < 0.85 * gaps[0]).all(),
            f"300 rounds need to lower the energy distance by 15 % in every seed, got "
            f"{_numbers(gaps[0])} → {_numbers(gaps[1])}; look at the losses and the step size",
        )


def _costs(model: Model, x: Tensor, source: Tensor | None, rng: Rng) -> list[Tensor]:
    """A model's NLL per seed, of points or of points given their sources; none where it has neither."""
    with torch.no_grad():
        if isinstance(model, Density):
            return [-model.eval().log_prob(x, rng.fork("density")).mean(-1)]
        if isinstance(model, ConditionalDensity) and source is not None:
            return [-model.eval().log_prob_given(x, source, rng.fork("density")).mean(-1)]
    return []


def energy_distance(real: Tensor, fake: Tensor) -> Tensor:
    """Returns 2 E|x - y| - E|x - x'| - E|y - y'| per seed, shape (S,); tokens as indicators."""
    if not real.is_floating_point():
        real, fake = (functional.one_hot(x).float() for x in (real, fake))

    def mean(a: Tensor, b: Tensor) -> Tensor:
        return torch.cdist(a.flatten(2), b.flatten(2)).mean((1, 2))

    return 2 * mean(real, fake) - mean(real, real) - mean(fake, fake)


def _numbers(x: Tensor) -> str:
    return ", ".join(f"{value:.3g}" for value in x.tolist())
