"""The gradient of maximum likelihood by a discriminator's output, and on how few samples it rests."""

from __future__ import annotations

import math
from collections.abc import Callable

from torch import Tensor
from torch.nn.functional import softplus

from genbench.core.claim import NEW_SEEDS, Evidence, claim
from genbench.core.effect import Effect, Values, log_ratio, map_values
from genbench.core.figure import Figure, Series
from genbench.core.rng import Rng
from genbench.experiments.discriminators import train_discriminator

#: the generator's mean; data have mean 0, both deviation 1, so that it is the gradient of the divergence too
MEANS = (0.5, 1.0, 1.5, 2.0)
#: those that are judged
JUDGED = (0.5, 1.0, 2.0)
#: by game, what stands for the generator's loss at a sample, given the discriminator's logit
LOSSES: dict[str, Callable[[Tensor], Tensor]] = {
    "likelihood": lambda a: -a.exp(),
    "minimax": lambda a: -softplus(a),
    "non_saturating": lambda a: softplus(-a),
}
#: standard errors within which an estimate agrees, and the ratio of variances that is a large one
ERRORS, RATIO = 3.0, 10.0
#: the samples whose share of the gradient is asked, and how much larger than by another loss it must be, log
FEW, MORE = 0.01, math.log(1.1)
#: the losses that the likelihood's is compared with
OTHERS = ("minimax", "non_saturating")


def find_variance(mean: float) -> float:
    r"""Returns the variance of a sample's term at the optimum, in closed form.

    The second moment is E_q (p/q)^2 (x - m)^2, for p = N(0, 1) and q = N(m, 1), which is
    exp(m^2) (1 + 4 m^2); the mean is m.
    """
    return math.exp(mean**2) * (1 + 4 * mean**2) - mean**2


def summarise(terms: Tensor, mean: float) -> dict[str, Tensor]:
    """Returns what a sample's terms (S, n) give: the gradient, its error in standard errors, their variance.

    And the share that the largest `FEW` of them have in the sum of sizes.
    """
    gradient, variance = terms.mean(1), terms.var(1)
    sizes = terms.abs().sort(1, descending=True).values
    top = sizes[:, : max(1, round(FEW * terms.shape[1]))].sum(1) / sizes.sum(1)
    error = (gradient - mean).abs() / (variance / terms.shape[1]).sqrt()
    return {"gradient": gradient, "error": error, "variance": variance, "top": top}


def train_logits(mean: float, rounds: int, rng: Rng) -> Callable[[Tensor], Tensor]:
    """Returns the logits of discriminators that were trained between N(0, 1) and N(mean, 1)."""
    net = train_discriminator(
        lambda n, draws: (draws.normal(n, 1), mean + draws.normal(n, 1)), 1, rounds, rng
    )
    return lambda x: net(x.unsqueeze(-1)).squeeze(-1).detach()


def experiment(rng: Rng, *, draws: int = 200_000, rounds: int = 1000) -> dict[str, list[float]]:
    """Returns estimates of the gradient with respect to the generator's mean, at D* and at a trained D.

    A sample's term is f(x) times the gradient of log q(x), which is x - m.
    """
    columns: dict[str, Tensor] = {}
    for mean in MEANS:
        own = rng.fork(f"{mean:g}")
        x = mean + own.fork("samples").normal(draws)
        away = (x - mean).double()
        logit = -mean * x.double() + mean**2 / 2
        for name, loss in LOSSES.items():
            rows = summarise(loss(logit) * away, mean)
            columns |= {f"{name}_{key}_{mean:g}": row for key, row in rows.items()}
        trained = train_logits(mean, rounds, own.fork("trained"))(x).double()
        rows = summarise(LOSSES["likelihood"](trained) * away, mean)
        columns[f"trained_gradient_{mean:g}"] = rows["gradient"]
    return {name: row.tolist() for name, row in columns.items()}


def figure(evidence: Evidence) -> Figure:
    """Draws the deviation of a sample's term against the generator's distance from the data."""
    places = list(MEANS)
    series = [
        Series(
            name.replace("_", "-"),
            places,
            [map_values(math.sqrt, evidence.measured(f"{name}_variance_{m:g}")) for m in MEANS],
        )
        for name in LOSSES
    ]
    exact = [{0: math.sqrt(find_variance(m))} for m in MEANS]
    series.insert(1, Series("likelihood: closed form", places, exact, law=True))
    return Figure(
        "lines",
        "generator's distance from the data",
        "deviation of a sample's term",
        series,
        log="y",
        note="At the optimal discriminator; the gradient itself is the distance, so that what lies far above "
        "it needs many samples.",
    )


def list_variances(evidence: Evidence) -> list[Effect]:
    """How the variance of a sample's term grows by each loss, none of it judged."""

    def grow(name: str) -> Values:
        ends = (evidence.measured(f"{name}_variance_{m:g}") for m in (MEANS[-1], MEANS[0]))
        return map_values(lambda v: v / math.log(10), log_ratio(*ends))

    unit, text = "powers of ten", "variance of a sample's term at a distance of 2 over that at 0.5"
    likelihood, *others = (
        Effect(
            f"{name}: {text}",
            grow(name),
            math.log10(RATIO),
            unit=unit,
            judged=False,
        )
        for name in ("likelihood", *OTHERS)
    )
    exact = math.log10(find_variance(2.0) / find_variance(0.5))
    off = map_values(lambda v: abs(v - exact), grow("likelihood"))
    check = Effect(
        "the same: error against its closed form", off, 1.0, "below", unit, judged=False
    )
    return [likelihood, check, *others]


def list_gradients(evidence: Evidence) -> list[Effect]:
    """The share of few samples by itself, and the gradient at a trained discriminator, none of it judged."""
    parts = []
    for m in JUDGED:
        share = evidence.measured(f"likelihood_top_{m:g}")
        about = f"distance {m:g}: share of the gradient by one sample in a hundred"
        parts.append(Effect(about, share, 0.5, unit="share", judged=False))
        gradient = evidence.measured(f"trained_gradient_{m:g}")
        wrong = map_values(lambda v, m=m: abs(v / m - 1), gradient)
        about = f"distance {m:g}: relative error of the gradient at a trained D"
        parts.append(Effect(about, wrong, 0.1, "below", judged=False))
    return parts


@claim(
    "likelihood_game",
    statement="With f = -exp(a) of the optimal discriminator's logit a the generator descends the "
    "Kullback-Leibler divergence from the data, so that the game is maximum likelihood; its gradient rests "
    "on few samples.",
    source="Goodfellow, 2016 (NIPS tutorial, 1701.00160), exercise 7.3 and figure 16; Goodfellow, 2014 "
    "(1412.6515)",
    why="Data are N(0, 1) and the generator N(m, 1): the divergence is m^2 / 2, its gradient m, and the "
    "discriminator's logit and the variance of a sample's term are known at every m. How few samples a "
    "gradient rests on is the share of it that one in a hundred gives, beside that of the other losses.",
    experiment=experiment,
    first_seed=NEW_SEEDS,
    version=2,
    quick={"draws": 25_000, "rounds": 125},
    scaled=("draws", "rounds"),
    null_exemptions={
        "its experiment": "differences to the gradient of the likelihood, and ratios of variances",
    },
    literature=(
        "Of the three losses that of maximum likelihood has the gradient of the highest variance, since few "
        "samples, the most real of them, give almost all of it (tutorial, section 3.2.5).",
    ),
    threats=(
        "Few is fewer than by the other losses, by a tenth: near the optimum a hundredth of the samples "
        "gives a tenth of the gradient by any loss, at a distance of 2 more than half by this one alone.",
        "A generator of one number whose density is known: of a network the gradient of log q is not, and it "
        "takes the path through the samples, whose variance is another.",
        "At a distance of 2 the mean of so heavy a tail is itself estimated with an error that its standard "
        "error understates.",
    ),
    figure=figure,
)
def effects(evidence: Evidence) -> list[Effect]:
    """Errors of the gradient in standard errors, and on how few samples it rests; the rest beside."""
    of = evidence.measured
    errors = [
        Effect(
            f"distance {m:g}: error of the gradient at D*",
            of(f"likelihood_error_{m:g}"),
            ERRORS,
            "below",
            "standard errors",
        )
        for m in JUDGED
    ]
    shares = [
        Effect(
            f"distance {m:g}: share of the gradient by one sample in a hundred, likelihood's over that of "
            f"the {other.replace('_', '-')} loss",
            log_ratio(of(f"likelihood_top_{m:g}"), of(f"{other}_top_{m:g}")),
            MORE,
        )
        for m in JUDGED
        for other in OTHERS
    ]
    return [*errors, *shares, *list_variances(evidence), *list_gradients(evidence)]
