"""What models that make points from sources must keep."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from genbench.contracts.abilities import trained
from genbench.contracts.models import MODEL_SPACE, RNG_ALONE, SEEDS_APART, expect_in_range
from genbench.contracts.rules import Case, expect, expect_close, expect_equal, expect_tensor, rule
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
from genbench.core.model import MODELS, ConditionalDensity, Cyclic, Translator, only_seed
from genbench.core.rng import Rng

EACH_ALONE = (
    "make every point from its own source alone, in evaluation: no mean over the minibatch"
)
#: rounding of sums over rows in another order, in float64
ROUNDING = 1e-9
ROUNDS = 20

on_translators = with_ability(Translator)


def on_trained(name: str) -> Sequence[Case]:
    """Returns the data sets of translators that learn; reference rows may ignore their sources."""
    return [] if MODELS.get(name).taxonomy == "reference" else on_translators(name)


def make_translator(name: str, data: str) -> tuple[Translator, Rng, Tensor]:
    """Returns a model of two seeds after some rounds in float64, its rng, and sources."""
    model, rng = trained(name, data, count_rounds(data, ROUNDS), torch.float64)
    source = draw_batch(data, rng).source
    assert source is not None
    return model, rng, source


def translate(model: Translator, source: Tensor, rng: Rng) -> Tensor:
    """Returns what a model makes of sources, with the same noise every time."""
    with torch.no_grad():
        return model.translate(source, rng.fork("translate"))


@rule("model", with_networks(on_translators))
def translations_have_their_shape_and_range(name: str, data: str) -> None:
    """`translate` returns one finite point per source, (S, B, *event), in the data's range, of rng alone."""
    model, rng, source = make_translator(name, data)
    spec, before = open_small(data).spec, torch.get_rng_state()
    x = translate(model, source, rng)
    expect_tensor(x, "translate", (2, BATCH, *spec.event), fix=MODEL_SPACE)
    expect_in_range(x, spec, "translations")
    expect_equal(x, translate(model, source, rng), "translate, called twice", fix=RNG_ALONE)
    after = torch.get_rng_state()
    expect_equal(after, before, "the state of torch's global generator", fix=RNG_ALONE)


@rule("model", with_networks(on_translators))
def a_translation_is_of_its_own_source(name: str, data: str) -> None:
    """Other sources in the minibatch leave a translation as it is; where no noise enters, permuting
    sources permutes translations.
    """
    model, rng, source = make_translator(name, data)
    whole = translate(model, source, rng)
    half, others = BATCH // 2, draw_batch(data, rng.fork("others")).source
    assert others is not None
    mixed = torch.cat([source[:, :half], others[:, half:]], 1)
    what = "translations beside other sources"
    same = translate(model, mixed, rng)[:, :half]
    expect_close(whole[:, :half], same, what, ROUNDING, fix=EACH_ALONE)
    with torch.no_grad():
        again = model.translate(source, rng.fork("other noise"))
    if torch.equal(whole, again):
        order = Rng([3]).permutation(BATCH)[0]
        permuted = translate(model, source[:, order], rng)
        what = "translations of permuted sources"
        expect_close(whole[:, order], permuted, what, ROUNDING, fix=EACH_ALONE)


@rule("model", with_networks(on_trained))
def translations_depend_on_the_source(name: str, data: str) -> None:
    """With the same noise another source gives another point, and a gradient reaches the source.

    Of words, which may be the same, their probabilities differ, where they are known.
    """
    model, rng, source = make_translator(name, data)
    if isinstance(model, ConditionalDensity):
        x = draw_batch(data, rng).x
        with torch.no_grad():
            one, two = (model.log_prob_given(x, s, rng) for s in (source, source.flip(1)))
        apart = (one != two).unsqueeze(-1)
    else:
        apart = translate(model, source, rng) != translate(model, source.flip(1), rng)
    moved = apart.flatten(2).any(-1).double().mean(1)
    fix = "let the network see the source"
    expect(
        (moved > 0.5).all(),
        f"translate needs other points of other sources, got the same for {1 - moved.min():.0%}; {fix}",
    )
    if not (source.is_floating_point() and open_small(data).spec.kind == "continuous"):
        return  # words have no gradient
    leaf = source.clone().requires_grad_()
    with torch.enable_grad():
        model.translate(leaf, rng.fork("translate")).square().sum().backward()
    reached = leaf.grad is not None and bool((leaf.grad != 0).flatten(1).any(1).all())
    expect(
        reached, "translate needs to pass gradients on to the source, got none; do not detach it"
    )


@rule("model", with_networks(on_translators))
def a_slice_translates_what_the_stack_translates(name: str, data: str) -> None:
    """A seed's weights, copied into a model of one seed, translate as the stack does."""
    stack, rng, _ = train(name, data, [4, 2], 2, torch.float64)
    fresh, single = make(name, data, [2], torch.float64)
    source = draw_batch(data, rng).source
    assert source is not None
    alone = only_seed(stack.eval(), fresh, 1).eval()
    one, two = translate(stack, source, rng)[1:], translate(alone, source[1:], single)  # type: ignore
    what = "translations of a seed in a stack and of its slice"
    expect_close(one, two, what, fix=SEEDS_APART)


@rule("model", with_ability(Cyclic))
def the_way_back_has_its_shape_and_range(name: str, data: str) -> None:
    """`back` returns one finite source per point, (S, B, *source.event), in the range of sources."""
    model, rng = trained(name, data, ROUNDS)
    spec = open_small(data).spec.source
    assert spec is not None
    with torch.no_grad():
        source = model.back(draw_batch(data, rng).x, rng.fork("back"))
    expect_tensor(source, "back", (2, BATCH, *spec.event), fix="return points of what is given")
    expect_in_range(source, spec, "what back returns")
