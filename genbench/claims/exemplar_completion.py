"""Whether another view of a thing keeps its identity where it is hidden."""

from __future__ import annotations

import math
from functools import partial

from genbench.core.claim import Evidence, Run, claim
from genbench.core.effect import Effect, difference, log_ratio
from genbench.core.figure import Figure, strip

HOLE = {"of": "fashion_mnist", "hole": 12}
#: the cells of the suite `complete`
complete = partial(
    Run,
    dataset="holes",
    metrics=("identified", "fid"),
    steps=3000,
    quick_steps=75,
    batch=32,
    samples=2000,
)
ROWS = {
    "with its exemplar": complete("exgan", dataset_options=HOLE),
    "without": complete("exgan", options={"exemplar": False}, dataset_options=HOLE),
    "with a wrong one": complete("exgan", dataset_options={**HOLE, "exemplar": "wrong"}),
    "regression": complete("exgan", options={"adversary": False}, dataset_options=HOLE),
}
#: the exemplar itself in the hole, shown beside
PASTED = complete("copy", dataset_options=HOLE)


def figure(evidence: Evidence) -> Figure:
    """Draws how often what was hidden is identified."""
    return strip(evidence, {"clothes": ROWS}, "identified", "outputs nearest to their own truth")


@claim(
    "exemplar_completion",
    statement="An exemplar keeps the identity of what is completed, and a judge makes it look real.",
    source="surveys of GANs, on guided completion; Dolhansky and Canton Ferrer, 2018",
    why="Clothes with a hole of 12 pixels in the middle; the exemplar is another view of the same thing, "
    "moved and of another brightness, so that the identity is known. A completion is identified where the "
    "true hidden pixels are nearer to it than those of all other test images. Training with the right "
    "exemplar and testing with a wrong one says whether it is looked at.",
    runs=tuple(ROWS.values()),
    beside=(PASTED,),
    outsiders={"exgan": "it makes points from sources", "copy": "it makes points from sources"},
    null_exemptions={
        "identified": "what tells nothing of its source is identified by chance, one in all test images",
    },
    literature=(
        "Dolhansky and Canton Ferrer (2018) compare completions of eyes with and without exemplars; their "
        "numbers were not at hand.",
    ),
    threats=(
        "A view that is made is more like the image than another photograph would be.",
        "Pasting the exemplar has real pixels, and so a good distance without any network: that row stands "
        "beside.",
        "The distance is of whole images, of which the hole is a fifth.",
    ),
    figure=figure,
)
def effects(evidence: Evidence) -> list[Effect]:
    """Shares identified, and the log ratio of distances."""
    identified = {name: evidence.scores(run, "identified") for name, run in ROWS.items()}
    own = identified["with its exemplar"]
    fids = (evidence.scores(ROWS[name], "fid") for name in ("with its exemplar", "regression"))
    text = "identified with the exemplar less"
    pasted = {column: evidence.scores(PASTED, column) for column in ("identified", "fid")}
    own_fid = evidence.scores(ROWS["with its exemplar"], "fid")
    beside = [
        Effect(
            "identified with the exemplar less where it is pasted",
            difference(own, pasted["identified"]),
            0.0,
            judged=False,
        ),
        Effect(
            "log FID with the exemplar over that of pasting it",
            log_ratio(own_fid, pasted["fid"]),
            0.0,
            judged=False,
        ),
    ]
    return [
        Effect(f"{text} without", difference(own, identified["without"]), 0.1, unit="share"),
        Effect(
            f"{text} with a wrong one",
            difference(own, identified["with a wrong one"]),
            0.1,
            unit="share",
        ),
        Effect("log FID with a judge over without", log_ratio(*fids), -math.log(1.1), "below"),
        *beside,
    ]
