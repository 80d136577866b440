"""What callers ask for, made plain: counts, and names of which one may stand alone."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from genbench.core.errors import SpecError


def require_counts(**counts: int | None) -> None:
    """Refuses counts that are no whole numbers of 1 or more; None is not asked.

    Raises:
        SpecError: Naming the first.
    """
    for name, count in counts.items():
        if count is None or (isinstance(count, int) and count is not True and count >= 1):
            continue
        raise SpecError(f"{name} needs a whole number of 1 or more, got {count!r}")


def list_names(names: str | Iterable[str]) -> Sequence[str]:
    """Returns names as a tuple; a text is one name, and not its letters."""
    return (names,) if isinstance(names, str) else tuple(names)
