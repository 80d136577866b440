"""Kullback-Leibler divergences between a model and the known distribution of its data."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from genbench.core.allowed import Count, Several
from genbench.core.errors import DataError, SpecError
from genbench.core.metric import Column, Score, metric
from genbench.core.model import Density
from genbench.core.rng import Rng
from genbench.core.trained import Trained
from genbench.metrics._neighbours import nearest, slack
from genbench.points.pairwise import Cloud

#: a divergence is infinite where one of two distributions excludes points of the other
INFINITE = "infinite or undefined on"
NO_NUMBER = "a density is not a number"
REPEATS = "samples repeat others, so their law has no density"
COLUMNS = {
    "kl_to_truth": Column(
        "lower",
        "nats",
        0.0,
        "KL(truth || model) by the model's density",
        worst_if=(INFINITE,),
    ),
    "reverse_kl_to_truth": Column(
        "lower",
        "nats",
        0.0,
        "KL(model || truth) by its density",
        worst_if=(INFINITE,),
    ),
    "js_by_density": Column(
        "lower",
        "nats",
        0.0,
        "Jensen-Shannon by its density; at most ln 2",
        worst_if=(NO_NUMBER,),
    ),
    "reverse_kl_neighbours": Column(
        "lower",
        "nats",
        0.0,
        "KL(model || truth) by nearest neighbours of samples, for any model",
        worst_if=(INFINITE, REPEATS),
    ),
}
#: the largest share of samples that may repeat others
REPEATED = 0.01
#: points to a call of log_prob
BATCH = 512


@metric(
    "kl_to_truth", view="model", columns=COLUMNS, needs=("log_prob",), paper="Perez-Cruz, 2008"
)
def kl_to_truth(
    trained: Trained, test: Tensor, *, rng: Rng, points: Several = 5000, neighbours: Count = 1
) -> dict[str, Score]:
    r"""Returns KL(p || q), KL(q || p) and their symmetric kin for the truth p and the model q.

    .. math:: KL(p \,\|\, q) = E_p[\log p - \log q], \qquad KL(q \,\|\, p) = E_q[\log q - \log p]

    Where the model has a density, each is a mean over held-out points or samples with its standard
    error. For any model of continuous points the entropy of q may be estimated by the distances
    r_k of n samples to their k-th neighbour (Kozachenko and Leonenko),

    .. math:: \hat h(q) = \psi(n) - \psi(k) + \log V_D + \frac{D}{n} \sum_i \log r_k(y_i)

    References:
        | Estimation of Information Theoretic Measures for Continuous Random Variables (Perez-Cruz, 2008)
        | Estimating Mutual Information (Kraskov et al., 2004), for the entropy with k neighbours

    Arguments:
        trained: A model of one seed and a data set whose distribution is known.
        test: Held-out points in data space, shape (N, *event).
        rng: Draws samples, dequantisation noise and the model's own.
        points: How many held-out points and how many samples count at most.
        neighbours: The rank k; more is steadier but blurs what is narrow, which biases it upwards.

    Returns:
        Scores in nats, lower is better; a model's lower bound gives an upper bound on the first and a
        lower one on the second. Null where there is no density, or where the divergence is infinite.
    """
    if neighbours >= points:
        raise SpecError(
            f"kl_to_truth needs fewer neighbours than points, got neighbours={neighbours} and "
            f"points={points}; the usual are 1 and 5000"
        )
    truth = trained.dataset.truth
    if truth is None or truth.log_prob is None:
        raise DataError(
            f"kl_to_truth needs a known distribution, got {trained.dataset.name}; leave it out"
        )
    with torch.no_grad():
        samples = trained.model.sample(points, rng.fork("samples"))
        fake = trained.dataset.to_data(samples)[0]
        at_fake = _exact(trained, fake)
        scores = {"reverse_kl_neighbours": _by_neighbours(trained, fake, at_fake, neighbours)}
        if not isinstance(trained.model, Density):
            reason = f"{trained.model.name} has no density"
            absent = {name: Score(None, reason=reason) for name in COLUMNS if name not in scores}
            return {**absent, **scores}
        real = test[:points].to(rng.device)
        y = trained.dataset.to_model(real.unsqueeze(0), rng.fork("dequantise"))
        model_at_real, model_at_fake = (
            _modelled(trained, x, rng.fork("density", name))
            for name, x in (("real", y), ("fake", samples))
        )
        forward = _exact(trained, real) - model_at_real
        backward = model_at_fake - at_fake
    return {**_by_density(trained.model, forward, backward), **scores}


def _by_density(model: Density, forward: Tensor, backward: Tensor) -> dict[str, Score]:
    """Scores from log p - log q at true points and log q - log p at samples."""
    bound, both = model.bound == "lower", {}
    for name, values in (("kl_to_truth", forward), ("reverse_kl_to_truth", backward)):
        both[name] = _mean(values, "bound" if bound else "estimate")
    if bound:
        reason = "a lower bound on the density bounds it neither way"
        return {**both, "js_by_density": Score(None, kind="bound", reason=reason)}
    # log p - log (p + q)/2 is ln 2 - log(1 + q/p)
    halves = [math.log(2) - torch.nn.functional.softplus(-x) for x in (forward, backward)]
    means = [_mean(x, "estimate") for x in halves]
    values = [m.value for m in means if m.value is not None]
    if len(values) < 2:
        return {
            **both,
            "js_by_density": Score(None, kind="estimate", reason=NO_NUMBER),
        }
    error = math.hypot(*(m.stderr or 0.0 for m in means)) / 2
    return {**both, "js_by_density": Score(sum(values) / 2, error, kind="estimate")}


def _mean(values: Tensor, kind: str) -> Score:
    broken = int((~torch.isfinite(values)).sum())
    if broken:
        reason = f"{INFINITE} {broken} of {len(values)} points"
        return Score(None, kind=kind, reason=reason)  # type: ignore[arg-type]
    error = values.std().item() / math.sqrt(len(values))
    return Score(values.mean().item(), error, kind)  # type: ignore[arg-type]


def _by_neighbours(trained: Trained, fake: Tensor, at_fake: Tensor, rank: int) -> Score:
    """KL(q || p) from the entropy that neighbours tell."""
    spec = trained.dataset.spec
    if spec.kind != "continuous" or spec.levels is not None:
        return Score(None, kind="estimate", reason="a discrete law has no differential entropy")
    x = fake.flatten(1).double()
    if not torch.isfinite(x).all():
        return Score(None, kind="estimate", reason="samples are not finite")
    n, size = x.shape
    x = x - x.mean(dim=0)
    squares = nearest(x, x, rank=rank, own=torch.arange(n, device=x.device))[0]
    # float32 makes a few points of any distribution equal; many are repeated by the model
    apart = squares > slack(Cloud(x), torch.zeros_like(squares))
    repeated = n - int(apart.sum())
    if repeated > REPEATED * n:
        reason = f"{repeated} of {n} {REPEATS}"
        return Score(None, kind="estimate", reason=reason)
    squares, at_fake = squares[apart], at_fake[apart]
    log_ball = size / 2 * math.log(math.pi) - math.lgamma(size / 2 + 1)
    counts = torch.tensor([n, rank], dtype=torch.float64).digamma()
    entropy = (counts[0] - counts[1]).item() + log_ball + size / 2 * squares.log()
    return _mean(-entropy - at_fake, "estimate")


def _exact(trained: Trained, x: Tensor) -> Tensor:
    """The truth's log density at points in data space, float64, shape (N,)."""
    truth = trained.dataset.truth
    assert truth is not None
    assert truth.log_prob is not None
    return truth.log_prob(x.double() if x.is_floating_point() else x).double()


def _modelled(trained: Trained, y: Tensor, rng: Rng) -> Tensor:
    """The model's log density in data space at points (1, N, *event) in model space, shape (N,)."""
    model = trained.model
    assert isinstance(model, Density)
    if y.is_floating_point():
        y = y.to(rng.dtype)
    parts = [model.log_prob(part, rng)[0].double() for part in y.split(BATCH, dim=1)]
    return torch.cat(parts) + trained.dataset.log_volume
