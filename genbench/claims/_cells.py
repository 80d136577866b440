"""Settings of cells that several claims share, and tables of what they scored."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from genbench.core.claim import Evidence, Run
from genbench.core.effect import Values

#: the cells of the suite `toys`
toys = partial(Run, steps=6000, batch=256)
#: those of the suite `images` on real digits, by perceptrons and by convolutions
digits = partial(Run, dataset="digits", steps=3000, batch=128)
dcgan = partial(Run, "dcgan", dataset="digits", options={"width": 16}, steps=2500, batch=64)
#: those of the suites `inverse` and `conditional`
inverse = partial(Run, dataset="digits", steps=4000, batch=128, samples=2500)
conditional = partial(Run, dataset="digits", steps=3000, batch=128, samples=2500)


def column(evidence: Evidence, runs: Mapping[str, Run], name: str) -> dict[str, Values]:
    """Returns a column of several runs, by their names."""
    return {key: evidence.scores(run, name) for key, run in runs.items()}
