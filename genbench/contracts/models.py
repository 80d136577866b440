"""What every model must keep, on small data sets of every kind that it takes."""

from __future__ import annotations

import inspect
import re

import torch
from safetensors.torch import load, save
from torch import Tensor

from genbench.contracts.rules import (
    expect,
    expect_close,
    expect_equal,
    expect_tensor,
    rule,
)
from genbench.contracts.small import (
    DATA,
    PAIRS,
    count_rounds,
    draw_batch,
    draw_samples,
    first_when_trained,
    make,
    make_trainer,
    on_all,
    on_first,
    open_small,
    taken,
    train,
    with_networks,
)
from genbench.core.dataset import DataSpec
from genbench.core.model import MODELS, Density, Translator, only_seed
from genbench.core.options import defaults
from genbench.training.trainer import Trainer

MODEL_SPACE = "return points in model space, shape (S, n, *event)"
RNG_ALONE = "draw from the rng that is given and from nothing else"
#: how long a seed is trained in a stack and alone: all phases of a schedule pass in any number of rounds
ROUNDS = 60
#: what 200 rounds in float64 may make of rounding: convolutions sum a stack in another order than a seed
#: alone, and adversarial training amplifies that (resgan: 1.8e-9 on one processor, below 1e-9 on others)
ROUNDING = 1e-8
SEEDS_APART = (
    "compute each seed from its own row alone: no mean, norm or draw across the first axis"
)


@rule("model", first=True)
def it_can_be_built(name: str) -> None:
    """It is a Model that takes one of the small data sets or of a plugin's, and can be built for it."""
    expect(
        taken(name),
        f"refuses() needs to let through one of {', '.join([*DATA, *PAIRS])}, or a data set of a plugin, "
        "got reasons against all; return None where the model can do the data set, or bring one that it "
        "can do, in the same file or by --plugin",
    )
    model, _ = make(name, taken(name)[0], [0, 1])
    expect(model.seeds == 2, "__init__ needs to call super().__init__(spec, rng) first")


@rule("model")
def it_says_what_it_is(name: str) -> None:
    """It has a taxonomy, a paper and a year; its docstring has References and Differences."""
    cls = MODELS.get(name)
    doc = inspect.getdoc(cls) or ""
    expect(cls.name == name, f"name needs to be {name!r}, got {cls.name!r}; leave it to @model")
    if cls.taxonomy == "reference":
        return
    for part in ("References:", "Differences:"):
        expect(part in doc, f"the docstring needs {part}, got none; say what the model follows")
    expect(
        re.fullmatch(r"[a-z][a-z ]*|", cls.family),
        f"family needs lower-case words such as diffusion, or none, got {cls.family!r}",
    )
    expect(cls.paper, 'paper needs a value, e.g. "Mao et al., 2017" or "unpublished"')
    expect(1900 <= cls.year < 2100, f"year needs the paper's year, from 1900 on, got {cls.year!r}")


@rule("model")
def its_options_are_keywords_with_defaults(name: str) -> None:
    """Every option is a keyword-only argument with a default, explained in the docstring."""
    cls = MODELS.get(name)
    own = [
        p for p in list(inspect.signature(cls).parameters.values())[2:] if p.kind != p.VAR_KEYWORD
    ]
    for option in own:
        expect(
            option.kind is option.KEYWORD_ONLY and option.default is not option.empty,
            f"the option {option.name} needs to be a keyword with a default; put it after *",
        )
    for option_name in defaults(cls):
        expect(
            f"{option_name}:" in (cls.__doc__ or ""),
            f"the docstring needs a line '{option_name}: …' under Arguments, got none",
        )


@rule("model")
def refusals_give_a_reason(name: str) -> None:
    """`refuses` returns None, or a sentence that names the data set."""
    specs = [open_small(data).spec for data in (*DATA, *PAIRS)]
    specs.append(DataSpec("words", (8,), kind="tokens", tokens=5))
    for spec in specs:
        reason = MODELS.get(name).refuses(spec)
        expect(
            reason is None or (isinstance(reason, str) and spec.name in reason),
            f"refuses({spec.name}) needs None or a sentence with {spec.name!r}, got {reason!r}",
        )


# --- samples


@rule("model", on_all)
def samples_have_their_shape_and_range(name: str, data: str) -> None:
    """`sample` returns finite points (S, n, *event) in the data's range, other ones for each seed."""
    model, rng, _ = train(name, data, [0, 1], 2)
    spec = open_small(data).spec
    x = draw_samples(model, rng)
    dtype = torch.int64 if spec.kind == "tokens" else torch.float32
    expect_tensor(x, "sample(64)", (2, 64, *spec.event), dtype, fix=MODEL_SPACE)
    expect(not x.requires_grad, "samples need no gradient under no_grad; leave enable_grad out")
    expect_in_range(x, spec, "samples")
    expect_equal(x, draw_samples(model, rng), "sample, called twice with one rng", fix=RNG_ALONE)
    expect(
        isinstance(model, Translator) or not torch.equal(x[0], x[1]),  # one answer may serve all
        f"samples of two seeds need to differ, got the same; {RNG_ALONE}",
    )


def expect_in_range(x: Tensor, spec: DataSpec, what: str) -> None:
    """Raises Broken unless points are in the range, and of the kind, that a DataSpec says."""
    low, high = x.min().item(), x.max().item()
    if spec.range is not None:
        expect(
            spec.range[0] <= low and high <= spec.range[1],
            f"{what} need values in {spec.range}, got {low:.4g} to {high:.4g}; "
            "squash them, e.g. by nn.output.into_range",
        )
    if spec.kind == "binary":
        expect(((x == 0) | (x == 1)).all(), f"{what} need to be 0 or 1, got others; draw bits")
    if spec.kind == "tokens":
        expect(
            low >= 0 and high < (spec.tokens or 0),
            f"{what} need tokens from 0 to {(spec.tokens or 0) - 1}, got {low} to {high}",
        )


@rule("model", on_all)
def the_same_seed_gives_the_same_bits(name: str, data: str) -> None:
    """Built, prepared and trained twice with one seed, it has the same weights and samples."""
    first, rng, _ = train(name, data, [3], 3)
    second, again, _ = train(name, data, [3], 3)
    for key, value in first.state_dict().items():
        expect_equal(value, second.state_dict()[key], f"{key} of two runs", fix=RNG_ALONE)
    expect_equal(
        draw_samples(first, rng), draw_samples(second, again), "samples of two runs", fix=RNG_ALONE
    )


@rule("model", on_first)
def the_global_generator_is_left_alone(name: str, data: str) -> None:
    """It neither reads nor moves torch's global generator."""
    samples = []
    for seed in (1, 2):
        torch.manual_seed(seed)
        before = torch.get_rng_state()
        model, rng, _ = train(name, data, [0], 3)
        samples.append(draw_samples(model, rng))
        if isinstance(model, Density):
            model.log_prob(draw_batch(data, rng).x, rng.fork("density"))
        expect_equal(
            torch.get_rng_state(), before, "the state of torch's global generator", fix=RNG_ALONE
        )
    one, two = samples
    expect_equal(one, two, "samples under two states of the global generator", fix=RNG_ALONE)


# --- seeds are apart


@rule("model", with_networks(on_first))
def a_seed_in_a_stack_is_the_seed_alone(name: str, data: str) -> None:
    """Trained beside other seeds, a seed has the weights and samples that it has alone."""
    stack, rng, _ = train(name, data, [4, 0, 2], count_rounds(data, ROUNDS), torch.float64)
    alone, single, _ = train(name, data, [2], count_rounds(data, ROUNDS), torch.float64)
    for (key, a), b in zip(stack.state_dict().items(), alone.state_dict().values(), strict=True):
        row = a if a.shape == b.shape else a[2:]
        expect_close(row, b, f"{key} of a seed in a stack and alone", ROUNDING, fix=SEEDS_APART)
    one, two = draw_samples(stack, rng)[2:], draw_samples(alone, single)
    expect_close(one, two, "samples of a seed in a stack and alone", ROUNDING, fix=SEEDS_APART)


@rule("model", on_all)
def a_slice_samples_what_the_stack_samples(name: str, data: str) -> None:
    """A seed's weights, copied into a model of one seed, give the samples that the stack gives."""
    stack, rng, _ = train(name, data, [4, 2], 2, torch.float64)
    fresh, single = make(name, data, [2], torch.float64)
    alone = only_seed(stack, fresh, 1)
    one, two = draw_samples(stack, rng)[1:], draw_samples(alone, single)
    fix = "keep all that samples depend on in parameters and buffers"
    expect_close(one, two, "samples of a seed in a stack and of its slice", fix=fix)


@rule("model", first_when_trained)
def a_broken_seed_leaves_the_others_alone(name: str, data: str) -> None:
    """A seed whose weights are NaN is marked as diverged, and the others train on as without it."""
    (clean, before), (hurt, after) = (_trained_with(name, data, broken) for broken in (None, 1))
    for key, value in clean.items():
        if value.shape[:1] == (3,):
            what = f"{key} of the seeds beside a broken one"
            expect_equal(value[[0, 2]], hurt[key][[0, 2]], what, fix=SEEDS_APART)
    marks = before.diverged.tolist(), after.diverged.tolist()
    expect(
        marks == ([-1, -1, -1], [-1, 0, -1]),
        f"NaN weights need to make the seed's own loss NaN in round 0, got {marks}; {SEEDS_APART}",
    )
    for player, loss in before.losses.items():
        what = f"the loss of {player!r} beside a broken seed"
        expect_equal(loss[[0, 2]], after.losses[player][[0, 2]], what, fix=SEEDS_APART)


def _trained_with(name: str, data: str, broken: int | None) -> tuple[dict[str, Tensor], Trainer]:
    model, rng = make(name, data, [0, 1, 2])
    if broken is not None:
        with torch.no_grad():
            for p in model.parameters():
                p[broken] = torch.nan
    trainer = make_trainer(model, data, rng, 5).run()
    return model.state_dict(), trainer


@rule("model", on_all)
def a_saved_state_samples_the_same(name: str, data: str) -> None:
    """A state that is written and read back into a fresh model gives the same samples."""
    model, rng, _ = train(name, data, [0, 1], 2)
    fresh, _ = make(name, data, [0, 1])
    fresh.load_state_dict(load(save(dict(model.state_dict()))))
    fix = "keep all that samples depend on in parameters and buffers"
    expect_equal(
        draw_samples(model, rng), draw_samples(fresh, rng), "samples of a restored model", fix=fix
    )
