"""Negative log-likelihood of held-out points."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Literal

import torch
from torch import Tensor

from genbench.core.allowed import Several
from genbench.core.errors import DataError
from genbench.core.metric import Column, Score, metric
from genbench.core.model import Density
from genbench.core.rng import Rng
from genbench.core.trained import Trained

#: a point that the model excludes, or at which its density overflows
NOT_FINITE = "log_prob is not finite on"
COLUMNS = {
    "nll": Column(
        "lower",
        "nats",
        None,
        "mean negative log-likelihood in data space",
        headline=70,
        worst_if=(NOT_FINITE,),
    ),
    "bits_per_dim": Column(
        "lower",
        "bits",
        None,
        "the same per coordinate, for quantised images",
        headline=80,
        guarded=False,
        worst_if=(NOT_FINITE,),
    ),
    "nats_per_token": Column(
        "lower",
        "nats",
        None,
        "the same per token, for sequences of tokens",
        headline=90,
        worst_if=(NOT_FINITE,),
    ),
}
KINDS: dict[str, Literal["exact", "bound", "estimate"]] = {
    "exact": "exact",
    "lower": "bound",
    "estimate": "estimate",
}


@metric("nll", view="model", columns=COLUMNS, needs=("density",))
def nll(trained: Trained, test: Tensor, *, rng: Rng, points: Several = 10_000) -> dict[str, Score]:
    r"""Returns the mean negative log-likelihood of held-out points, in data space.

    .. math:: -\frac1N \sum_i \log p(\mathrm{to\_model}(x_i)) - c, \quad c = \mathrm{log\_volume}

    Maps to model space, their Jacobians and dequantisation are the data set's. Where grey levels are
    dequantised, one draw of noise a point is used: the value then is at least the discrete one
    (Theis et al., 2016, section 3.1), and the protocol says so.

    References:
        | A note on the evaluation of generative models (Theis et al., 2016)

    Arguments:
        trained: A model that is a Density, of one seed, and its data set.
        test: Held-out points in data space, shape (N, *event).
        rng: Draws dequantisation noise and the model's own.
        points: How many points count at most, the first ones.

    Returns:
        Nats a point, bits a coordinate and nats a token, lower is better, with standard errors over points;
        an upper bound where the model's log_prob is a lower one. The floor is the data's entropy.
    """
    model, dataset = trained.model, trained.dataset
    if not isinstance(model, Density):
        raise DataError(f"nll needs a model that is a Density, got {model.name}; leave it out")
    if test.shape[1:] != dataset.spec.event or len(test) < 2:
        raise DataError(
            f"nll needs at least 2 test points of shape {dataset.spec.event}, got {tuple(test.shape)}; "
            f"give held-out points in data space"
        )
    values = -trained.log_prob(test[:points], rng)
    kind = KINDS[model.bound]
    noise = dataset.spec.dequantisation
    protocol = {"dequantisation": noise} if noise else {}
    broken = int((~torch.isfinite(values)).sum())
    if broken:
        reason = f"{NOT_FINITE} {broken} of {len(values)} points"
        nats = Score(None, kind=kind, reason=reason, protocol=protocol)
    else:
        shared = model.common_error(rng.fork("model"))
        error = math.hypot(
            values.std().item() / math.sqrt(len(values)), 0.0 if shared is None else shared.item()
        )
        floor = dataset.truth.entropy if dataset.truth is not None else None
        nats = Score(values.mean().item(), error, kind, protocol=protocol, floor=floor)
    spec = dataset.spec
    bits, token = _scaled(nats, spec.size * math.log(2)), _scaled(nats, spec.size)
    if spec.levels is None:
        reason = f"{spec.name} has no grey levels, so bits a coordinate have no fixed unit"
        bits = Score(None, kind=kind, reason=reason)
    if spec.kind != "tokens":
        token = Score(None, kind=kind, reason=f"{spec.name} holds no tokens")
    return {"nll": nats, "bits_per_dim": bits, "nats_per_token": token}


def _scaled(nats: Score, unit: float) -> Score:
    if nats.value is None or nats.stderr is None:
        return nats
    floor = None if nats.floor is None else nats.floor / unit
    return replace(nats, value=nats.value / unit, stderr=nats.stderr / unit, floor=floor)
