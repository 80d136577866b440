"""Whether an adversary imitates an expert from fewer trajectories than cloning does."""

from __future__ import annotations

import math

from genbench.core.claim import NEW_SEEDS, Evidence, claim
from genbench.core.effect import Effect, log_ratio, map_values
from genbench.core.figure import Figure, Series
from genbench.experiments.imitation import SHOWN, experiment

#: a tenth more cost
BAR = math.log(1.1)
IMITATORS = {
    "clone": "cloning",
    "adversarial": "adversary",
    "line": "cloning by a line",
}
FEW = SHOWN[:2]


def figure(evidence: Evidence) -> Figure:
    """Draws costs over the optimum's, by the trajectories that were shown."""

    def over(column: str) -> dict[int, float]:
        ratio = log_ratio(evidence.measured(column), evidence.measured("optimum"))
        return map_values(math.exp, ratio)

    return Figure(
        "lines",
        "trajectories shown",
        "cost over the optimum's",
        [
            Series(label, list(SHOWN), [over(f"{name}_{n}") for n in SHOWN])
            for name, label in IMITATORS.items()
        ],
        log="xy",
        levels={"the optimum": 1.0},
        note="A line is the form of the optimum, which the others do not know.",
    )


@claim(
    "imitation",
    statement="An imitator that is trained against an adversary needs fewer trajectories of an expert than "
    "one that clones the expert's actions.",
    source="Goodfellow, 2016 (NIPS tutorial, 1701.00160), on reinforcement learning; Ho and Ermon, 2016",
    why="A mass in the plane with a quadratic cost has a known optimum, a gain that solves Riccati's "
    "equation, and a known mean cost. Both imitators have the same network and see the same pairs of state "
    "and push; all policies are judged on the same 4,000 starts.",
    experiment=experiment,
    first_seed=NEW_SEEDS,
    version=2,
    quick={"rounds": 250},
    scaled=("rounds",),
    null_exemptions={
        "its experiment": "costs, of which the least is known; standing still is listed beside",
    },
    literature=(
        "By construction: the mean cost of a linear policy follows from the recursion of second moments.",
        "Against, by construction: where the form of the expert is known, cloning is exact from one "
        "trajectory of as many different states as there are numbers in a state.",
    ),
    threats=(
        "The adversarial imitator acts in the world and is given the gradient through its law of motion, "
        "where that of Ho and Ermon (2016) estimates it from rewards; cloning acts nowhere while it learns.",
        "One smooth expert without noise of its own, in four dimensions, over twenty steps: errors that add "
        "up over long times hurt cloning more.",
        "Neither is tuned; both train for a fixed number of rounds and stop nowhere earlier.",
    ),
    figure=figure,
)
def effects(evidence: Evidence) -> list[Effect]:
    """Log costs of cloning over the adversary's, and the check of the optimum's against its closed form."""
    of = evidence.measured

    def compare(n: int, judged: bool) -> Effect:
        ratio = log_ratio(of(f"clone_{n}"), of(f"adversarial_{n}"))
        many = f"{n} trajector{'y' if n == 1 else 'ies'}"
        return Effect(f"{many}: log cost, cloning over the adversary", ratio, BAR, judged=judged)

    off = map_values(abs, log_ratio(of("optimum"), of("closed")))
    text = "check: log cost of the optimum over its closed form, absolute"
    parts = [compare(n, n in FEW) for n in SHOWN] + [
        Effect(text, off, 0.05, "below", by_definition=True)
    ]
    beside = {f"{label}, {n}": f"{name}_{n}" for name, label in IMITATORS.items() for n in SHOWN}
    beside["no push"] = "still"
    return parts + [
        Effect(
            f"log cost over the optimum's: {label}",
            log_ratio(of(column), of("optimum")),
            BAR,
            "below",
            judged=False,
        )
        for label, column in beside.items()
    ]
