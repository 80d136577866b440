"""Sequences of tokens by likelihood and by adversaries."""

from __future__ import annotations

import math

from genbench.claims._cells import column
from genbench.core.claim import Evidence, claim
from genbench.core.effect import Effect, compare_best
from genbench.core.entrants import make_runs
from genbench.core.figure import Figure, strip

TEXTS = ("markov_text", "template_text")
METRICS = ("nll", "n_gram_divergence")
RUNS = {
    (name, text): run
    for text in TEXTS
    for name, run in make_runs("tokens", ["adversarial", "fully visible"], text, METRICS).items()
}
GANS, VISIBLE = (
    tuple(make_runs("tokens", [family], TEXTS[0], METRICS))
    for family in ("adversarial", "fully visible")
)
#: what is judged, and what may stand in its place
JUDGED, OTHERS = "n_gram_js_4", ("n_gram_js_2", "nats_per_token")


def figure(evidence: Evidence) -> Figure:
    """Draws the divergence of all models."""
    rows = {text: {n: RUNS[n, text] for n in (*VISIBLE, *GANS)} for text in TEXTS}
    return strip(evidence, rows, JUDGED, "divergence of four-grams from the truth, nats", log="y")


def compare(evidence: Evidence, text: str, name: str, *, judged: bool = True) -> Effect:
    """Returns a column of the best GAN over the best fully visible network's."""
    ours, theirs = (
        column(evidence, {n: RUNS[n, text] for n in names}, name) for names in (VISIBLE, GANS)
    )
    gap = compare_best(ours, theirs, "lower", log=True)
    about = f"{text}: log {name} of the best GAN over the best FVBN's{gap.who}"
    return Effect(about, gap.values, math.log(1.25), judged=judged, contest=gap)


def by_metric(evidence: Evidence) -> dict[str, list[Effect]]:
    """Returns the contest by pairs of tokens, and by likelihood of the samples under the truth."""
    return {name: [compare(evidence, text, name) for text in TEXTS] for name in OTHERS}


@claim(
    "discrete_data",
    statement="GANs find it hard to generate discrete data, such as text.",
    source="Goodfellow, 2016 (NIPS tutorial, 1701.00160), section 5.5; answers on Quora",
    why="The source's distribution is known, so that the divergence of four-grams is from the truth. Either "
    "adversarial way around the missing gradient (relaxation, score function) may represent GANs.",
    runs=tuple(RUNS.values()),
    literature=(
        "Language models by likelihood consistently outperform GANs in the whole space of quality and "
        "diversity (Caccia et al., 2020).",
    ),
    threats=(
        "Both GANs here start untrained; pretraining by likelihood, which many use, would blur the test.",
        "Rounds differ: 3,000 for the perceptron, 1,000 for the others.",
    ),
    figure=figure,
    by_metric=by_metric,
)
def effects(evidence: Evidence) -> list[Effect]:
    """Divergence of the best GAN over that of the best fully visible network, per text."""
    return [
        compare(evidence, text, name, judged=name == JUDGED)
        for text in TEXTS
        for name in (JUDGED, *OTHERS)
    ]
