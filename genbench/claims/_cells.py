"""Settings of cells that several claims share, and tables of what they scored."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial

from genbench.core.claim import Evidence, Run
from genbench.core.effect import Values
from genbench.core.elsewhere import Elsewhere

#: the cells of the suite `toys`
toys = partial(Run, steps=6000, batch=256)
#: on real digits every model that was tuned there is as tuned
_tuned = partial(Run, dataset="digits", tuned=True, untuned="default")
#: those of the suite `images`, by perceptrons and by convolutions
digits = partial(_tuned, steps=3000, batch=128)
#: by the defaults of all, where what is compared was not tuned alike
digits_by_default = partial(Run, dataset="digits", steps=3000, batch=128)
dcgan = partial(_tuned, "dcgan", options={"width": 16}, steps=2500, batch=64)
#: those of the suites `inverse` and `conditional`
inverse = partial(_tuned, steps=4000, batch=128, samples=2500)
conditional = partial(_tuned, steps=3000, batch=128, samples=2500)
#: those of `frames`, `super_digits` and `super_fashion`
frames = partial(Run, dataset="moving_digits", steps=2000, batch=64, samples=2000)
enlarged_digits = partial(
    Run, dataset="super_resolution", steps=3000, batch=32, samples=2500, tuned=True
)
enlarged_fashion = partial(
    enlarged_digits,
    dataset_options={"of": "fashion_mnist", "scale": 4},
    batch=32,
    quick_steps=75,
)

#: rounds of a claim's cells on Fashion-MNIST, as in the suite `fashion`
FASHION_STEPS = 2500


def move_to_fashion(run: Run) -> Run:
    """Returns the run in a run's place on Fashion-MNIST, by tuned options where it was tuned there."""
    return replace(
        run,
        dataset="fashion_mnist",
        steps=min(run.steps, FASHION_STEPS),
        batch=64,
        samples=2500,
        tuned=True,
        untuned="default",
    )


def move_to_fashion_defaults(run: Run) -> Run:
    """Returns the run in a run's place on Fashion-MNIST, by the defaults of its model."""
    return replace(move_to_fashion(run), tuned=False, untuned="refuse")


FASHION = Elsewhere("fashion_mnist", move_to_fashion)
FASHION_DEFAULTS = Elsewhere("fashion_mnist", move_to_fashion_defaults)


def column(evidence: Evidence, runs: Mapping[str, Run], name: str) -> dict[str, Values]:
    """Returns a column of several runs, by their names."""
    return {key: evidence.scores(run, name) for key, run in runs.items()}
