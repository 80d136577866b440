"""What callers ask for, made plain: counts, and names of which one may stand alone."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from numbers import Integral, Real

from genbench.core.allowed import LARGEST
from genbench.core.errors import SpecError


def require_counts(*, most: int = LARGEST, **counts: int | None) -> None:
    """Refuses counts that are no whole numbers of 1 or more, or beyond counting; None is not asked.

    Arguments:
        most: The largest count.
        counts: By name.

    Raises:
        SpecError: Naming the first.
    """
    for name, count in counts.items():
        whole = isinstance(count, Integral) and count is not True and count >= 1
        if count is None or (whole and count <= most):
            continue
        end = f" and at most {most}" if whole else ""
        raise SpecError(f"{name} needs a whole number of 1 or more{end}, got {count!r}")


def require_seconds(*, above: bool = False, **times: float | None) -> None:
    """Refuses times that are no numbers of 0 seconds or more; None is not asked.

    Arguments:
        above: Whether 0 is refused too.
        times: By name.

    Raises:
        SpecError: Naming the first.
    """
    for name, time in times.items():
        if time is None or (isinstance(time, Real) and (time > 0 or (time == 0 and not above))):
            continue
        raise SpecError(
            f"{name} needs seconds {'above 0' * above or 'of 0 or more'}, got {time!r}"
        )


def list_names(names: str | Iterable[str] | None) -> Sequence[str]:
    """Returns names as a tuple; a text is one name, and not its letters, and None is none."""
    return (names,) if isinstance(names, str) else tuple(names or ())
