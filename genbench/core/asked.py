"""What callers ask for, made plain: counts, seeds, paths, and names of which one may stand alone."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from numbers import Integral, Real
from pathlib import Path
from typing import Any

from genbench.core.allowed import LARGEST
from genbench.core.errors import SpecError, nearest


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


def list_names(names: Any) -> Sequence[str]:
    """Returns names as a tuple; a text or a path is one name, and not its letters, and None is none.

    Raises:
        SpecError: If it is anything else.
    """
    if isinstance(names, str | os.PathLike):
        return (str(names),)
    listed = () if names is None else tuple(names) if isinstance(names, Iterable) else (names,)
    wrong = [one for one in listed if not isinstance(one, str | os.PathLike)]
    if wrong or isinstance(names, bytes | Mapping):
        raise SpecError(f"a name is a text such as 'gan' or 'gan:lr=0.003', got {names!r}"[:300])
    return tuple(map(str, listed))


def list_seeds(seeds: Any, most: int = LARGEST) -> int | list[int]:
    """Returns how many seeds, or which, as plain numbers.

    Arguments:
        seeds: A number, or several, of whatever holds them.
        most: How many there may be.

    Raises:
        SpecError: If they are no whole numbers, are none, or one is named twice.
    """
    plain: Any = seeds.tolist() if hasattr(seeds, "tolist") else seeds
    if not isinstance(plain, Iterable):
        require_counts(most=most, seeds=plain or 0)  # None is no count
        return int(plain)
    numbers = list(plain)
    whole = all(isinstance(one, Integral) and not isinstance(one, bool) for one in numbers)
    if not whole or not 1 <= len({*numbers}) == len(numbers) <= most or min(numbers) < 0:
        raise SpecError(
            f"seeds needs a number of 1 or more, or at most {most} whole numbers of 0 or more, each once, "
            f"got {seeds!r}"[:300]
        )
    return [int(one) for one in numbers]


def as_path(path: Any, name: str = "results") -> Path:
    """Returns a path of whatever type it comes in.

    Arguments:
        path: A text, bytes, or any object that stands for a path.
        name: What it is called in the error.

    Raises:
        SpecError: If it is something else, or empty.
    """
    try:
        text = os.fsdecode(path)
    except TypeError:
        text = ""
    if not text.strip():
        raise SpecError(f"{name} needs a path, got {path!r}"[:300])
    return Path(text)


def refuse_names(function: str, given: Iterable[str], allowed: Iterable[str]) -> None:
    """Refuses names of arguments that a function does not have.

    Raises:
        SpecError: With the nearest match of the first.
    """
    names = set(allowed)
    for name in given:
        if name not in names:
            raise SpecError(f"{function} has no argument {name!r}{nearest(name, names)}")
