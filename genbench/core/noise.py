"""What more seeds cannot reduce, and what becomes of it where functions of values are taken."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from numbers import Real


@dataclass(frozen=True)
class Noise:
    """What more seeds cannot reduce: how far test set and extractor move one model against another.

    Arguments:
        plain: Standard deviation of a difference of two models' scores.
        log: That of the logarithm of their ratio.
    """

    plain: float = 0.0
    log: float = 0.0


def find_level(values: Sequence[float]) -> float:
    """Returns how large values are, on average; 1 where none is anything."""
    sizes = [abs(v) for v in values if math.isfinite(v) and v]
    most = max(sizes, default=1.0)
    return most * (math.fsum(size / most for size in sizes) / len(sizes)) if sizes else 1.0


def map_noise(
    function: Callable[[float], float], values: Sequence[float], noise: Noise | float
) -> Noise | float:
    """Returns the noise of a function of values, from how far it moves by one standard deviation.

    Where the function is flat, or has no number there, nothing is known to become less: it stays.

    Arguments:
        function: The function.
        values: The values.
        noise: Theirs.
    """
    if not isinstance(noise, Noise):
        return _find_move(function, values, lambda v, sign: v + sign * noise) or float(noise)
    plain = _find_move(function, values, lambda v, sign: v + sign * noise.plain)
    shares = _find_move(function, values, lambda v, sign: v * math.exp(sign * noise.log))
    level = find_level([after for v in values if (after := find_number(function, v)) is not None])
    return Noise(plain or noise.plain, math.log1p(shares / level) or noise.log)


def _find_move(
    function: Callable[[float], float],
    values: Sequence[float],
    move: Callable[[float, float], float],
) -> float:
    """How far a function moves with its values to the side where it moves more, on average."""
    moves = []
    for value in values:
        here, *ends = (find_number(function, v) for v in (value, move(value, -1), move(value, 1)))
        if here is not None:
            moves.append(max((abs(end - here) for end in ends if end is not None), default=0.0))
    return math.fsum(moves) / len(moves) if moves else 0.0


def find_number(function: Callable[[float], float], value: float) -> float | None:
    """Returns a function of a value, None where that is no number."""
    try:
        result = function(value)
    except (ArithmeticError, LookupError, ValueError):
        return None
    return result if isinstance(result, Real) and math.isfinite(result) else None
