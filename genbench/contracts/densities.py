"""Whether a model's densities are true: their sums, and whether samples follow them."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import torch
from scipy.stats import chi2
from torch import Tensor

from genbench.contracts.integrals import LogProb, counts, integral, masses
from genbench.contracts.rules import Case, Cases, expect, rule
from genbench.contracts.small import make, taken, train
from genbench.core.model import MODELS, Density, Model
from genbench.core.rng import Rng

#: samples in a test of fit
SAMPLES = 5000
#: the level at which a test rejects
LEVEL = 0.01
#: steps of training: enough that models differ from where they started
STEPS = 100


def exact_on(data: str, *places: str, small: bool = True) -> Cases:
    """Returns what chooses the places where a model that takes a data set claims to be exact.

    Arguments:
        data: The data set.
        places: The cases, where it does.
        small: Whether small versions are asked, which may be exact by their size alone; else the class.
    """

    def cases(name: str) -> list[Case]:
        cls = MODELS.get(name)
        if not issubclass(cls, Density) or data not in taken(name):
            return []
        bound = small_bound(cls, data) if small else cls.bound
        return [(place,) for place in places] if bound == "exact" else []

    return cases


@functools.cache
def small_bound(cls: type[Model], data: str) -> str:
    """Returns what `log_prob` of a small version gives: exact, lower or estimate."""
    return getattr(make(cls.name, data, [0])[0], "bound", "")


def evaluated(name: str, data: str, steps: int = STEPS) -> tuple[Model, Rng]:
    """Returns a trained model of one seed, with the weights that are evaluated, and its rng."""
    model, rng, trainer = train(name, data, [0], steps)
    with trainer.averaged():
        weights = {key: value.clone() for key, value in model.state_dict().items()}
    model.load_state_dict(weights)
    return model.eval(), rng


def log_density(model: Model, rng: Rng) -> Callable[[Tensor], Tensor]:
    """Returns what maps points (N, *event) to log densities (N,), in chunks."""

    def log_prob(points: Tensor) -> Tensor:
        assert isinstance(model, Density)
        with torch.no_grad():
            parts = [model.log_prob(p[None], rng.fork("density"))[0] for p in points.split(20_000)]
        return torch.cat(parts).double()

    return log_prob


def rejection(observed: Tensor, expected: Tensor) -> float:
    """Returns the probability of counts as far off as those observed, by chi-squared.

    Cells of few expected counts are pooled.
    """
    observed, expected = observed.double(), expected.double()
    rare = expected < 5
    observed = torch.cat([observed[~rare], (SAMPLES - observed[~rare].sum()).view(1)])
    expected = torch.cat([expected[~rare], (SAMPLES - expected[~rare].sum()).view(1)])
    if expected[-1] < 1:  # too little to be tested by itself
        observed, expected = (
            torch.cat([x[:-2], x[-2:].sum().view(1)]) for x in (observed, expected)
        )
    statistic = ((observed - expected).square() / expected).sum().item()
    return float(chi2.sf(statistic, len(expected) - 1))


def words() -> Tensor:
    """Returns all words of 3×3 bits, shape (512, 1, 3, 3)."""
    return ((torch.arange(512).unsqueeze(1) >> torch.arange(9)) & 1).float().view(512, 1, 3, 3)


def word_counts(x: Tensor) -> Tensor:
    """Returns how often each word is among samples (N, 1, 3, 3)."""
    return (x.flatten(1).long() << torch.arange(9)).sum(1).bincount(minlength=512)


@rule("model", exact_on("bars_and_stripes", "bars_and_stripes", small=False))
def exact_probabilities_sum_to_one(name: str, data: str) -> None:
    """Exact probabilities of all words of 3×3 bits sum to one, to nine digits in float64."""
    model: Any
    model, rng, _ = train(name, data, [0, 1], 100, torch.float64)
    x = words().double().unsqueeze(0).expand(2, -1, -1, -1, -1)
    with torch.no_grad():
        total = model.eval().log_prob(x, rng.fork("density")).exp().sum(-1)
    expect(
        torch.allclose(total, torch.ones_like(total), rtol=1e-9, atol=1e-9),
        f"probabilities need to sum to 1, got {total.tolist()}; normalise, or say bound = 'lower'",
    )


@rule("model", exact_on("ring", "ring", "grid", small=False))
def exact_densities_integrate_to_one(name: str, data: str) -> None:
    """Exact densities in the plane integrate to one, within 0.01."""
    model: Any
    model, rng, _ = train(name, data, [0], 400)

    def log_prob(points: Tensor) -> Tensor:
        with torch.no_grad():
            parts = [
                model.eval().log_prob(part.unsqueeze(0), rng.fork("density"))[0]
                for part in points.split(50_000)
            ]
        return torch.cat(parts)

    total = integral(log_prob)
    expect(
        abs(total - 1) <= 0.01,
        f"the density needs to integrate to 1, got {total:.4f}; mind the Jacobian and constants",
    )


@rule("model", exact_on("bars_and_stripes", "bars_and_stripes"))
def samples_follow_exact_probabilities(name: str, data: str) -> None:
    """5,000 samples are as frequent as their exact probabilities say, which sum to one."""
    model, rng = evaluated(name, data)
    p = log_density(model, rng)(words()).exp()
    expect(abs(p.sum().item() - 1) <= 1e-4, f"probabilities need to sum to 1, got {p.sum():.6f}")
    with torch.no_grad():
        fake = model.sample(SAMPLES, rng.fork("sample"))[0]
    expect_fit(rejection(word_counts(fake), SAMPLES * p))


@rule("model", exact_on("ring", "ring"))
def samples_follow_exact_densities(name: str, data: str) -> None:
    """5,000 samples in the plane are as frequent as the density's masses of squares say."""
    follow_in_the_plane(name, data, STEPS, n=8)


def follow_in_the_plane(name: str, data: str, steps: int, n: int) -> None:
    """Raises Broken unless samples fit the masses of squares, by cells split into n×n."""
    model, rng = evaluated(name, data, steps)
    with torch.no_grad():
        fake = model.sample(SAMPLES, rng.fork("sample"))[0]
    expect_points_follow(log_density(model, rng), fake, n)


def expect_points_follow(
    log_prob: LogProb, points: Tensor, n: int, of: tuple[str, str] = ("sample", "log_prob")
) -> None:
    """Raises Broken unless points (N, 2) fit the masses of squares, by cells split into n×n.

    Arguments:
        log_prob: Maps points to log densities.
        points: As many as `SAMPLES`.
        n: As `masses` takes it.
        of: The methods that draw points and that give densities, for the error.
    """
    mass = masses(log_prob, n=n)
    expect(
        mass.sum() < 1.01,
        f"the density of {of[1]} needs a mass of at most 1, got {mass.sum():.4f}; normalise it",
    )
    expect_fit(rejection(counts(points), SAMPLES * mass), *of)


def expect_fit(chance: float, draws: str = "sample", density: str = "log_prob") -> None:
    """Raises Broken where a test of fit rejects what one method draws by the density of another."""
    expect(
        chance > LEVEL,
        f"what {draws} draws needs to follow {density}, got counts of probability {chance:.2g}; "
        f"{draws} and {density} must be of one distribution",
    )
