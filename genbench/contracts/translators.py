"""What models that make points from sources must keep, on the way there and on the way back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations, islice
from typing import Any

import torch
from torch import Tensor

from genbench.contracts.abilities import ask, trained
from genbench.contracts.models import MODEL_SPACE, RNG_ALONE, SEEDS_APART, expect_in_range
from genbench.contracts.rules import (
    Case,
    expect,
    expect_close,
    expect_equal,
    expect_tensor,
    left_alone,
    rule,
)
from genbench.contracts.small import (
    BATCH,
    count_rounds,
    draw_batch,
    make,
    open_small,
    train,
    with_ability,
    with_networks,
)
from genbench.core.dataset import DataSpec
from genbench.core.model import MODELS, ConditionalDensity, Cyclic, Translator, only_seed
from genbench.core.rng import Rng

EACH_ALONE = "make every row from its own row alone, in evaluation: no mean over the minibatch"
NATS = "return nats per point, shape (S, B)"
#: rounding of sums over rows in another order, in float64
ROUNDING = 1e-9
ROUNDS = 20
#: rows of the part of a minibatch that is given alone, an odd number
PART = 5
#: minibatches in which rows are exchanged, and in how many of them a row stays; no two rows in the same ones
MIXED, STAYS = 7, 3


@dataclass(frozen=True)
class Way:
    """A method that maps rows to rows: a translation, the way back, or the density of points given sources.

    Arguments:
        model: Whose it is.
        method: Its name.
        inputs: What it is given before its rng, each of shape (S, B, …).
        others: Inputs of other rows.
        spec: Of what it returns; None where that is one number per row.
    """

    model: Any
    method: str
    inputs: tuple[Tensor, ...]
    others: tuple[Tensor, ...]
    spec: DataSpec | None

    def output(self, rng: Rng, inputs: Sequence[Tensor] | None = None) -> Tensor:
        """Returns what it makes of its inputs, or of some in their place, with the same noise every time."""
        return ask(self.model, self.method, *(inputs or self.inputs), rng=rng)

    def rows(self, index: Any) -> list[Tensor]:
        """Returns some rows of the inputs."""
        return [x[:, index] for x in self.inputs]

    def beside_others(self, stays: Tensor) -> list[Tensor]:
        """Returns the inputs with other rows in place of all but those that stay, bool (B,)."""
        return [
            torch.where(stays.view(1, -1, *(1,) * (x.dim() - 2)), x, y)
            for x, y in zip(self.inputs, self.others, strict=True)
        ]


def find_ways(model: Any, data: str, rng: Rng) -> list[Way]:
    """Returns the ways that a model has, each with rows of a small data set."""
    spec = open_small(data).spec
    batch, other = draw_batch(data, rng), draw_batch(data, rng.fork("others"))
    assert batch.source is not None
    assert other.source is not None
    ways = [Way(model, "translate", (batch.source,), (other.source,), spec)]
    if isinstance(model, Cyclic):
        ways.append(Way(model, "back", (batch.x,), (other.x,), spec.source))
    if isinstance(model, ConditionalDensity):
        both = (batch.x, batch.source), (other.x, other.source)
        ways.append(Way(model, "log_prob_given", *both, None))
    return ways


def make_ways(name: str, data: str) -> tuple[list[Way], Rng]:
    """Returns the ways of a model of two seeds after some rounds in float64, and its rng."""
    model, rng = trained(name, data, count_rounds(data, ROUNDS), torch.float64)
    return find_ways(model, data, rng), rng


def on_translators(name: str) -> Sequence[Case]:
    """Returns the data sets with sources that a translator takes."""
    cases = with_ability(Translator)(name)
    return [(data,) for (data,) in cases if open_small(data).spec.source is not None]


def on_trained(name: str) -> Sequence[Case]:
    """Returns the data sets of translators that learn; reference rows may ignore their sources."""
    return [] if MODELS.get(name).taxonomy == "reference" else on_translators(name)


@rule("model", with_networks(on_translators))
def translations_have_their_shape_and_range(name: str, data: str) -> None:
    """`translate` returns one finite point per source, (S, B, *event), in the data's range, of rng alone.

    So does `back` with sources; `log_prob_given` returns (S, B), at most 0 where points are words.
    """
    ways, rng = make_ways(name, data)
    for way in ways:
        before, x = torch.get_rng_state(), way.output(rng)
        event = () if way.spec is None else way.spec.event
        expect_tensor(x, way.method, (2, BATCH, *event), fix=MODEL_SPACE if event else NATS)
        if way.spec is not None:
            expect_in_range(x, way.spec, f"what {way.method} returns")
        elif not way.inputs[0].is_floating_point():
            fix = "return logarithms of probabilities"
            expect((x <= 0).all(), f"{way.method} needs values <= 0, got {x.max():.4g}; {fix}")
        expect_equal(x, way.output(rng), f"{way.method}, called twice", fix=RNG_ALONE)
        after, what = torch.get_rng_state(), "the state of torch's global generator"
        expect_equal(after, before, f"{what} after {way.method}", fix=RNG_ALONE)


@rule("model", with_networks(on_translators))
def a_translation_is_of_its_own_source(name: str, data: str) -> None:
    """Other sources in the minibatch leave a translation as it is; where no noise enters, sources in another
    order, or a part of them alone, have the same translations.

    So have points their ways back, and pairs their densities.
    """
    ways, rng = make_ways(name, data)
    for way in ways:
        expect_own_rows(way, rng)


def expect_own_rows(way: Way, rng: Rng) -> None:
    """Raises Broken if what a way makes of a row depends on other rows.

    Of any two rows there is a minibatch in which the first stays and the second is another.
    """
    whole, method = way.output(rng), way.method
    stays = torch.zeros(MIXED, BATCH, dtype=torch.bool)
    for row, chosen in enumerate(islice(combinations(range(MIXED), STAYS), BATCH)):
        stays[list(chosen), row] = True
    for rows in stays:
        same = way.output(rng, way.beside_others(rows))
        what = f"what {method} makes of rows beside others"
        expect_close(whole[:, rows], same[:, rows], what, ROUNDING, fix=EACH_ALONE)
    if not torch.equal(whole, way.output(rng.fork("other noise"))):
        return
    order = Rng([3]).permutation(BATCH)[0]
    for what, rows in (("in another order", order), (f"of which {PART} are given", order[:PART])):
        fewer = way.output(rng, way.rows(rows))
        what = f"what {method} makes of rows {what}"
        expect_close(whole[:, rows], fewer, what, ROUNDING, fix=EACH_ALONE)


@rule("model", with_networks(on_trained))
def translations_depend_on_the_source(name: str, data: str) -> None:
    """With the same noise another source gives another point, and a gradient reaches the source; so it is
    with the way back.

    Of words, which may be the same, their probabilities differ, where they are known.
    """
    ways, rng = make_ways(name, data)
    by_name = {way.method: way for way in ways}
    density = by_name.pop("log_prob_given", None)
    for way in by_name.values():
        (x,), words = way.inputs, way.spec is not None and way.spec.kind != "continuous"
        if words and density is not None:
            points, source = density.inputs
            apart = density.output(rng) != density.output(rng, [points, source.flip(1)])
        else:
            apart = way.output(rng) != way.output(rng, [x.flip(1)])
        moved = apart.flatten(2).any(-1) if apart.dim() > 2 else apart
        share = moved.double().mean(1).min()
        expect(
            share > 0.5,
            f"{way.method} needs other outputs of other inputs, got the same for {1 - share:.0%}; "
            "let the network see its input",
        )
        if x.is_floating_point() and not words:  # words have no gradient
            _expect_gradient(way, rng)


def _expect_gradient(way: Way, rng: Rng) -> None:
    leaf = way.inputs[0].clone().requires_grad_()
    x = leaf.clone()  # which, unlike a leaf, a method could write into
    with torch.enable_grad(), left_alone(way.method, x):
        y = getattr(way.model, way.method)(x, rng.fork(way.method))
        if y.requires_grad:
            y.square().sum().backward()
    reached = leaf.grad is not None and bool((leaf.grad != 0).flatten(1).any(1).all())
    expect(
        reached,
        f"{way.method} needs to pass gradients on to its input, got none; do not detach it",
    )


@rule("model", with_networks(on_translators))
def a_slice_translates_what_the_stack_translates(name: str, data: str) -> None:
    """A seed's weights, copied into a model of one seed, translate, and lead back, as the stack does."""
    stack, rng, _ = train(name, data, [4, 2], 2, torch.float64)
    fresh, single = make(name, data, [2], torch.float64)
    alone = only_seed(stack.eval(), fresh, 1).eval()
    for way in find_ways(stack, data, rng):
        one = way.output(rng)[1:]
        two = replace(way, model=alone).output(single, [x[1:] for x in way.inputs])
        what = f"what {way.method} makes in a seed of a stack and in its slice"
        expect_close(one, two, what, fix=SEEDS_APART)
