"""What a model's abilities must keep, each where it is declared."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from genbench.contracts.models import MODEL_SPACE, RNG_ALONE, expect_in_range
from genbench.contracts.rules import (
    Case,
    Cases,
    expect,
    expect_close,
    expect_equal,
    expect_tensor,
    left_alone,
    rule,
)
from genbench.contracts.small import (
    BATCH,
    draw_batch,
    on_densities,
    open_small,
    taken,
    train,
    with_ability,
)
from genbench.core.model import (
    MODELS,
    Autoregressive,
    Classifier,
    Conditional,
    Encoder,
    Inpainter,
    MarkovChain,
    Reconstructor,
)
from genbench.core.rng import Rng


def trained(
    name: str, data: str, steps: int = 2, dtype: torch.dtype = torch.float32
) -> tuple[Any, Rng]:
    """Returns a model of two seeds in evaluation mode, of whatever ability, and its rng."""
    model, rng, _ = train(name, data, [0, 1], steps, dtype)
    return model.eval(), rng


def ask(model: Any, method: str, *inputs: Tensor, rng: Rng | None = None) -> Tensor:
    """Returns what a model's method makes of its inputs, which it must leave as they are.

    Arguments:
        model: A model in evaluation mode.
        method: The method's name.
        inputs: What it is given, before its rng.
        rng: Forked by the method's name, so that the noise is the same every time; None where it takes none.
    """
    noise = () if rng is None else (rng.fork(method),)
    with torch.no_grad(), left_alone(method, *inputs):
        return getattr(model, method)(*inputs, *noise)


@rule("model", on_densities)
def log_prob_is_one_number_per_point(name: str, data: str) -> None:
    """`log_prob` returns finite numbers (S, B), at most 0 where points are discrete."""
    model, rng = trained(name, data)
    x = draw_batch(data, rng).x
    log_prob = ask(model, "log_prob", x, rng=rng)
    expect_tensor(log_prob, "log_prob", (2, BATCH), fix="return nats per point, shape (S, B)")
    if open_small(data).spec.kind in ("binary", "tokens"):
        expect((log_prob <= 0).all(), f"log probabilities need to be <= 0, got {log_prob.max()}")


@rule("model", with_ability(Inpainter))
def inpainting_keeps_what_is_known(name: str, data: str) -> None:
    """`inpaint` returns points of the same shape, in which known entries are unchanged."""
    model, rng = trained(name, data)
    x = draw_batch(data, rng).x
    mask = rng.fork("known").uniform(*x.shape[1:]) < 0.5
    whole = ask(model, "inpaint", x, mask, rng=rng)
    expect(whole.shape == x.shape, f"inpaint needs {tuple(x.shape)}, got {tuple(whole.shape)}")
    expect_equal(whole[mask], x[mask], "known entries", fix="copy them from x")


def on_last(ability: type, *, labelled: bool = True) -> Cases:
    """Returns what chooses the last data set that models of an ability take, with labels if need be."""

    def cases(name: str) -> list[Case]:
        if not issubclass(MODELS.get(name), ability):
            return []
        every = taken(name)
        data = [d for d in every if open_small(d).spec.classes is not None]
        return [(last,) for last in (data if data or labelled else every)[-1:]]

    return cases


@rule("model", on_last(Classifier))
def classify_returns_logits(name: str, data: str) -> None:
    """`classify` returns finite logits, shape (S, B, classes)."""
    model, rng = trained(name, data)
    classes = open_small(data).spec.classes or 0
    logits = ask(model, "classify", draw_batch(data, rng).x)
    expect_tensor(logits, "classify", (2, BATCH, classes), fix="return one logit per class")


@rule("model", on_last(Conditional))
def sample_class_returns_a_point_per_label(name: str, data: str) -> None:
    """`sample_class` returns one point per label, shape (S, n, *event), in the data's range."""
    model, rng = trained(name, data)
    labels, spec = draw_batch(data, rng).labels, open_small(data).spec
    assert labels is not None
    x = ask(model, "sample_class", labels, rng=rng)
    expect_tensor(x, "sample_class", (2, BATCH, *spec.event), fix=MODEL_SPACE)
    expect_in_range(x, spec, "sample_class")


@rule("model", on_last(Reconstructor, labelled=False))
def reconstruct_returns_points(name: str, data: str) -> None:
    """`reconstruct` returns points of the shape of its argument, in the data's range."""
    model, rng = trained(name, data)
    spec = open_small(data).spec
    x = ask(model, "reconstruct", draw_batch(data, rng).x, rng=rng)
    expect_tensor(x, "reconstruct", (2, BATCH, *spec.event), fix=MODEL_SPACE)
    expect_in_range(x, spec, "reconstructions")


@rule("model", on_last(Encoder, labelled=False))
def encode_returns_codes(name: str, data: str) -> None:
    """`encode` returns codes (S, B, L), whose first `categories` entries sum to one."""
    model, rng = trained(name, data)
    codes = ask(model, "encode", draw_batch(data, rng).x, rng=rng)
    expect(codes.dim() == 3, f"encode needs codes (S, B, L), got {tuple(codes.shape)}")
    expect_tensor(codes, "encode", (2, BATCH, codes.shape[2]), fix="return one code per point")
    if model.categories:
        total = codes[..., : model.categories].sum(-1)
        fix = f"the first {model.categories} entries are probabilities"
        expect_close(total, torch.ones_like(total), "the categories' sum", 1e-5, fix=fix)


@rule("model", with_ability(Autoregressive))
def cached_sampling_draws_what_whole_passes_draw(name: str, data: str) -> None:
    """`sample` and `sample_naive` draw the same points, in as many steps as a point has entries."""
    model, rng = trained(name, data, 20, torch.float64)
    spec = open_small(data).spec
    with torch.no_grad():
        cached = model.sample(16, rng.fork("sample"))
        naive = model.sample_naive(16, rng.fork("sample"))
    steps = model.sequential_steps()
    expect(steps == spec.size, f"sequential_steps() needs to be {spec.size}, got {steps}")
    what, fix = "sample and sample_naive, with one rng", "draw in the same order in both"
    if spec.kind == "continuous":
        expect_close(cached, naive, what, fix=fix)
    else:
        expect_equal(cached, naive, what, fix=fix)


@rule("model", with_ability(MarkovChain))
def a_chain_steps_from_points_to_points(name: str, data: str) -> None:
    """`chain_start` and `chain_step` return finite points (S, n, *event), repeatable by their rng."""
    model, rng = trained(name, data)
    shape = (2, 8, *open_small(data).spec.event)
    with torch.no_grad():
        x = model.chain_start(8, rng.fork("start"))
    steps = [ask(model, "chain_step", x, rng=rng) for _ in range(2)]
    expect_tensor(x, "chain_start", shape, fix=MODEL_SPACE)
    expect_tensor(steps[0], "chain_step", shape, fix=MODEL_SPACE)
    one, two = steps
    expect_equal(one, two, "chain_step, called twice with one rng", fix=RNG_ALONE)
