"""What every metric asks of its input, said in one voice."""

from __future__ import annotations

from torch import Tensor

from genbench.core.errors import DataError
from genbench.points import memmap
from genbench.points.pairwise import Cloud


def points(who: str, role: str, x: Tensor, *, least: int = 1) -> Tensor:
    """Returns points as they came (integers as float64) after checking shape, number and values.

    Arguments:
        who: The metric's name, for the message.
        role: What the points are: real, fake or test.
        x: Points, shape (N, D).
        least: The fewest points that will do.

    Raises:
        DataError: If x has another shape, fewer points, or a value that is NaN or infinite.
    """
    _refuse(who, role, x, least)
    return x if x.is_floating_point() else x.double()


def pair(who: str, real: Tensor, fake: Tensor, *, least: int = 2) -> tuple[Tensor, Tensor]:
    """Returns two sets of points after checking each, and that they share one dimension.

    Raises:
        DataError: As `points` does, or if the dimensions differ.
    """
    real, fake = points(who, "real", real, least=least), points(who, "fake", fake, least=least)
    _refuse_two_sizes(who, real, fake)
    return real, fake


def clouds(who: str, real: Cloud, fake: Cloud, *, least: int = 2) -> None:
    """Checks two clouds as `pair` does points.

    Raises:
        DataError: As `pair` does.
    """
    for role, cloud in (("real", real), ("fake", fake)):
        _refuse(who, role, cloud.x, least)
    _refuse_two_sizes(who, real.x, fake.x)


def events(who: str, real: Tensor, fake: Tensor, *, least: int = 2) -> tuple[Tensor, Tensor]:
    """Returns two sets of points in their own shape, as `pair` does for flat ones.

    Raises:
        DataError: As `points` does, or if the shapes of a point differ.
    """
    for role, x in (("real", real), ("fake", fake)):
        if x.dim() < 2:
            raise DataError(
                f"{who} needs {role} points of shape (N, ...), got {_shape(x)}; batch them"
            )
    if real.shape[1:] != fake.shape[1:]:
        raise DataError(
            f"{who} needs points of one shape, got real {_shape(real)} and fake {_shape(fake)}; "
            f"compare like with like"
        )
    flat = pair(who, real.flatten(1), fake.flatten(1), least=least)
    return flat[0].view(real.shape), flat[1].view(fake.shape)


def no_image(x: Tensor) -> str | None:
    """Returns why points (N, *event) are no images of 2 x 2 pixels or more, or None if they are."""
    if x.dim() == 4 and min(x.shape[2:]) >= 2:
        return None
    return f"points of shape {_shape(x[0])} are no images"


def no_grey_levels(real: Tensor, fake: Tensor) -> str | None:
    """Returns why points (N, *event) are no images of values in [0, 1], or None if they are."""
    reason = no_image(real)
    if reason is None:
        ends = [memmap.ends(x) for x in (real, fake)]
        low, high = min(low for low, _ in ends), max(high for _, high in ends)
        if low < 0 or high > 1:
            reason = f"pixels are not in [0, 1] but from {low:.4g} to {high:.4g}"
    return reason


def _shape(x: Tensor) -> str:
    return f"({', '.join(str(size) for size in x.shape)})"


def _refuse(who: str, role: str, x: Tensor, least: int) -> None:
    if x.dim() != 2 or x.shape[1] == 0:
        raise DataError(
            f"{who} needs {role} points of shape (N, D), got {tuple(x.shape)}; flatten each point"
        )
    if len(x) < least:
        raise DataError(
            f"{who} needs at least {least} {role} points, got {len(x)}; give more points"
        )
    bad = memmap.not_finite(x)
    if bad:
        raise DataError(
            f"{who} needs finite {role} points, got NaN or infinity in {bad} of {len(x)}; "
            f"drop them, or count the run as failed"
        )


def _refuse_two_sizes(who: str, real: Tensor, fake: Tensor) -> None:
    if real.shape[1] != fake.shape[1]:
        raise DataError(
            f"{who} needs points of one dimension, got real {_shape(real)} and fake {_shape(fake)}; "
            f"compare them in one feature space"
        )
