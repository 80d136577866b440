"""How loose a variational bound is."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor

from genbench.core.allowed import Count, Several
from genbench.core.errors import DataError
from genbench.core.metric import Column, Score, metric
from genbench.core.model import Density, Model
from genbench.core.rng import Rng
from genbench.core.trained import Trained

BROKEN = "the bound is not finite on some points"
COLUMN = Column(
    "lower",
    "nats",
    0.0,
    "what the bound gains from one draw of the code to many",
    worst_if=(BROKEN,),
)


@metric(
    "bound_gap",
    view="model",
    columns={"bound_gap": COLUMN},
    needs=("density",),
    paper="Burda et al., 2016",
)
def bound_gap(
    trained: Trained,
    test: Tensor,
    *,
    rng: Rng,
    draws: Several = 512,
    points: Several = 256,
    repeats: Count = 8,
) -> Score:
    r"""Returns by how many nats a point the importance-weighted bound with many draws beats the ELBO.

    .. math:: L_K - L_1, \qquad L_K = E \log \frac1K \sum_k \frac{p(x, z_k)}{q(z_k|x)} \le \log p(x)

    L_K rises to log p(x) with K, so the gap bounds log p(x) - ELBO = KL(q(z|x) || p(z|x)) from below.

    References:
        | Importance Weighted Autoencoders (Burda et al., 2016), theorem 1

    Arguments:
        trained: A model whose `log_prob` is a lower bound by as many draws as its attribute
            `importance` says, of one seed, and its data set.
        test: Held-out points in data space, shape (N, *event).
        rng: Draws codes and dequantisation noise.
        draws: The number K.
        points: How many points count at most, the first ones.
        repeats: How many times the bound of one draw is averaged.

    Returns:
        A Score in nats, lower is tighter, with its standard error over points; null for models whose
        log_prob is no lower bound, or takes no number of draws.
    """
    model, dataset = trained.model, trained.dataset
    if test.shape[1:] != dataset.spec.event or len(test) < 2:
        raise DataError(
            f"bound_gap needs at least 2 test points of shape {dataset.spec.event}, got "
            f"{tuple(test.shape)}; give held-out points in data space"
        )
    if not isinstance(model, Density) or model.bound != "lower":
        return Score(None, kind="bound", reason=f"log_prob of {model.name} is no lower bound")
    if not isinstance(getattr(model, "importance", None), int):
        return Score(None, kind="bound", reason=f"{model.name} has no number of draws to raise")
    x = test[:points].to(rng.device)
    x = x.to(rng.dtype) if x.is_floating_point() else x
    y = dataset.to_model(x.unsqueeze(0), rng.fork("dequantise"))
    many = _bound(model, y, draws, rng.fork("many"))
    one = sum(_bound(model, y, 1, rng.fork("one", k)) for k in range(repeats)) / repeats
    gain = many - one
    if not torch.isfinite(gain).all():
        return Score(None, kind="bound", reason=BROKEN)
    return Score(gain.mean().item(), gain.std().item() / math.sqrt(len(gain)), "bound")


@torch.no_grad()
def _bound(model: Model, y: Tensor, draws: int, rng: Rng) -> Tensor:
    """The bound with so many draws, float64, shape (N,)."""
    assert isinstance(model, Density)
    with _drawing(model, draws):
        return model.log_prob(y, rng)[0].double()


@contextmanager
def _drawing(model: Model, draws: int) -> Iterator[None]:
    """Has the model draw so many codes a point, and restores its own number afterwards."""
    own = model.importance
    model.importance = draws  # type: ignore[assignment]
    try:
        yield
    finally:
        model.importance = own
