"""What decides which model is better on a data set."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Beside:
    """A column that must be passed beside the primary one, without which a good score there says little.

    Arguments:
        column: Its id; better is higher.
        share: The least that passes, as a share of what real points score.
    """

    column: str
    share: float = 0.5


@dataclass(frozen=True)
class Quality:
    """What decides which model is better on a data set.

    Arguments:
        primary: Column ids, best first: of those that have been measured of half of the families or more
            the first decides, else the one that most have.
        beside: What must be passed beside it.
        margin: Two means within this share of the better one (or of what real points score, where that is
            more) are near each other.
    """

    primary: tuple[str, ...]
    beside: tuple[Beside, ...] = ()
    margin: float = 0.1


#: of points on a curve, which have no density: near it, and along all of it
CURVE = Quality(("manifold_distance",), (Beside("coverage"),))


#: of mixtures whose density is known: the divergence to it; where that was not measured, the share of samples
#: near a mode, and nearly all modes
MIXTURE = Quality(("js_to_truth", "high_quality"), (Beside("modes_strict", 0.9),))


#: of pictures, which a model may draw well and yet leave many out
PICTURES = Quality(("fid",), (Beside("recall"),))


#: of sequences, whose n-grams all models are judged by, with a density or without
SEQUENCES = Quality(("n_gram_js_4", "nll"))
