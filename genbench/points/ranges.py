"""Scales of pixel values: what is declared, what the values say, and what cannot be."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy

from genbench.core.errors import DataError, SpecError, nearest

#: whose values a range may be declared for
SIDES = ("samples", "reference", "train", "source")
#: how far beyond the range a value may lie, as a share of it: roundings of half precision
SLACK = 1e-5
#: whole numbers up to here are not taken for bytes unless somebody says so
FEW_LEVELS = 32
#: likewise the highest values of other scales of fewer than 8 bits
OTHER_SCALES = (63, 64, 100, 127, 128)
#: values of 16 bits up to here use fewer bits than that
HALF = 1 << 15


@dataclass(frozen=True)
class Range:
    """The interval in which pixel values lie: low is black, high is white.

    Arguments:
        low: The value of black.
        high: The value of white.
        named: Whether it was declared for one side by its name, so that nothing is doubted.
    """

    low: float
    high: float
    named: bool = False

    def __str__(self) -> str:
        return f"{self.low:g} and {self.high:g}"


def parse_ranges(declared: Any) -> dict[str, Range]:
    """Returns the range declared for each side; a side that is missing has none.

    Arguments:
        declared: None; (low, high); a text "low,high", or "samples=low,high"; a sequence of such texts;
            or a mapping from sides to pairs or texts.

    Raises:
        SpecError: If it is something else, or a range is empty.
    """
    if declared is None:
        return {}
    if isinstance(declared, Mapping):
        for side in declared:
            if side not in SIDES:
                raise SpecError(f"--range knows no side {side!r}{nearest(str(side), SIDES)}")
        return {side: replace(_parse(pair), named=True) for side, pair in declared.items()}
    texts = [declared]
    if (
        isinstance(declared, Sequence)
        and not isinstance(declared, str)
        and all(isinstance(part, str) and "," in part for part in declared)
    ):
        texts = list(declared)
    ranges: dict[str, Range] = {}
    for text in texts:
        side, equals, rest = text.partition("=") if isinstance(text, str) else ("", "", text)
        if equals:
            ranges |= parse_ranges({side.strip(): rest})
        else:
            ranges = {**dict.fromkeys(SIDES, _parse(text)), **ranges}
    return ranges


def _parse(pair: Any) -> Range:
    try:
        parts = re.split(r"\s*,\s*", pair.strip()) if isinstance(pair, str) else list(pair)
        low, high = (float(part) for part in parts)
    except (TypeError, ValueError):
        raise SpecError(
            f"--range needs LOW,HIGH such as -1,1 or 0,255, or samples=LOW,HIGH, got {pair!r}"
        ) from None
    if not (numpy.isfinite([low, high]).all() and low < high):
        raise SpecError(f"--range needs two numbers, the lower one first, got {pair!r}; try 0,255")
    return Range(low, high)


class PixelScale:
    """Brings pixel values of one source to [0, 1], and refuses what does not fit.

    Floats are in [0, 1] and whole numbers are bytes (of 16 bits where their type is), unless a range is
    declared. Whole numbers that are all 0 or 1 are bits, but in picture files, which have a mode for those.
    A declared range that ends at 1 or below says nothing of whole numbers.

    Arguments:
        label: What the source is called.
        declared: The range that the user declares, or None.
        levels: How many grey levels the data set has that it belongs to, or None.
        pixels: Whether values are pixels; otherwise they stay as they are, unless a range is declared.
        picture: Whether they come from picture files.
    """

    def __init__(
        self,
        label: str,
        declared: Range | None = None,
        *,
        levels: int | None = None,
        pixels: bool = True,
        picture: bool = False,
    ) -> None:
        self.label, self.declared, self.levels, self.pixels = label, declared, levels, pixels
        #: whether whole numbers are bits; None as long as all were 0
        self.bits: bool | None = False if picture and levels != 2 else None
        self.seen: dict[str, tuple[float, float]] = {}

    def needs_look(self, dtype: numpy.dtype) -> bool:
        """Tells whether all values have to be seen before the first of such a type is scaled."""
        unknown = self.bits is None and dtype.kind in "iu"
        return unknown and self._range_for(dtype) is None and self.pixels

    def look(self, array: numpy.ndarray) -> bool:
        """Looks at whole numbers without scaling them; returns whether it has seen enough."""
        high = int(array.max())
        if high > 0:
            self.bits = high == 1
        return high > 1

    def apply(self, array: numpy.ndarray, name: str) -> numpy.ndarray:
        """Returns values in data space, float32 or float64.

        Arguments:
            array: Finite numbers.
            name: What they are called in messages.

        Raises:
            DataError: If there are values beyond the range.
        """
        kind = array.dtype
        if kind.kind == "b":
            return array.astype(numpy.float32)
        declared = self._range_for(kind)
        if declared is None and not self.pixels:
            return to_float(array, name)
        low, high = (array.min().item(), array.max().item())
        key = "whole" if kind.kind in "iu" else "float"
        key = f"{key} 16" if kind == numpy.uint16 else key
        old = self.seen.get(key, (low, high))
        self.seen[key] = min(low, old[0]), max(high, old[1])
        if declared is not None:
            return self._to_unit(array, declared, name)
        if kind.kind == "f":
            self._refuse_beyond(Range(0, 1), low, high, name)
            return clip(to_float(array, name))
        full = 65535 if kind == numpy.uint16 else 255
        if high > 0 and self.bits is None:
            self.bits = high == 1
        if self.bits and high > 1:
            raise DataError(
                f"{name} holds whole numbers up to {high}, those before it are all 0 or 1; say what "
                f"is white by --range 0,{full}"
            )
        self._refuse_beyond(Range(0, full), low, high, name)
        floats = array.astype(numpy.float32)
        return floats if self.bits else floats / numpy.float32(full)

    def finish(self) -> None:
        """Looks back at all values once the last has been scaled.

        Raises:
            DataError: If they fill so little of their range that they must have another one.
        """
        if not self.pixels:
            return
        for key, (low, high) in self.seen.items():
            if key == "float":
                self._doubt_floats(low, high)
            elif self._range_for(numpy.dtype(numpy.uint16)) is None and not self.bits:
                full = 65535 if key.endswith("16") else 255
                odd = high <= FEW_LEVELS or high in OTHER_SCALES if full == 255 else high <= HALF
                if high > 0 and odd:
                    likely = guess(low, high, self.levels, option=True)
                    side = "samples=" if high <= 1 else ""  # as else it would be for floats alone
                    how = f"{side}{likely} or {side}0,{full}" + (
                        ", or reference=…" if side else ""
                    )
                    raise DataError(
                        f"{self.label} holds whole numbers from {low} to {high}, which may be "
                        f"{guess(low, high, self.levels)} or 0 to {full}; say which by --range {how}"
                    )

    def _doubt_floats(self, low: float, high: float) -> None:
        declared = self.declared
        if declared is None:
            if low >= 0 and 0 < high <= 1.001 / 255:
                raise DataError(
                    f"{self.label} holds floats from {low:.3g} to {high:.3g}, all but black; were "
                    f"they divided by 255 twice? Say what is white by --range 0,{1 / 255:.3g} or 0,1"
                )
            return
        if declared.named:
            return
        span = declared.high - declared.low
        dark = high <= declared.low + span / 8
        above = declared.low < 0 <= low
        if dark or above:
            raise DataError(
                f"{self.label} holds floats from {low:.4g} to {high:.4g}, which look like "
                f"{guess(low, high, self.levels)} and not like the declared {declared}; declare each "
                f"side's own: --range samples=LOW,HIGH --range reference=LOW,HIGH"
            )

    def _range_for(self, kind: numpy.dtype) -> Range | None:
        """The declared range, where it says something of such values."""
        declared = self.declared
        if declared is None or (kind.kind in "iu" and declared.high <= 1 and not declared.named):
            return None
        return declared

    def _to_unit(self, array: numpy.ndarray, declared: Range, name: str) -> numpy.ndarray:
        self._refuse_beyond(declared, array.min().item(), array.max().item(), name)
        floats = to_float(array, name)
        kind = floats.dtype.type
        if declared.low:
            floats = floats - kind(declared.low)
        return clip(floats / kind(declared.high - declared.low))

    def _refuse_beyond(self, allowed: Range, low: float, high: float, name: str) -> None:
        slack = SLACK * (allowed.high - allowed.low)
        if low >= allowed.low - slack and high <= allowed.high + slack:
            return
        raise DataError(
            f"{name} needs pixels between {allowed}, got {low:.4g} to {high:.4g}; "
            f"{advise(low, high, self.levels)}"
        )


def clip(floats: numpy.ndarray) -> numpy.ndarray:
    """Returns values that were let beyond [0, 1] by a rounding within it."""
    inside = not floats.size or (floats.min() >= 0 and floats.max() <= 1)
    return floats if inside else floats.clip(0, 1)


def to_float(array: numpy.ndarray, name: str) -> numpy.ndarray:
    """Returns numbers as float32, or as float64 where float32 might not hold them.

    Raises:
        DataError: If there are whole numbers that not even float64 holds.
    """
    kind = array.dtype
    if kind in (numpy.float32, numpy.float64):
        return array
    if kind.kind == "f":
        return array.astype(numpy.float32 if kind.itemsize < 4 else numpy.float64)
    if kind.itemsize < 4:
        return array.astype(numpy.float32)
    if array.size and max(abs(int(array.min())), abs(int(array.max()))) > 1 << 53:
        raise DataError(
            f"{name} holds whole numbers beyond 2^53, which floats of 64 bits round; subtract a "
            f"constant, or give floats"
        )
    return array.astype(numpy.float64)


def guess(low: float, high: float, levels: int | None = None, *, option: bool = False) -> str:
    """Returns the scale that values most likely have, in words or as --range takes it."""
    scales = [(0, 1), (-0.5, 0.5), (-1, 1), (0, 15), (0, 16), (0, 31), (0, 63), (0, 100), (0, 127)]
    scales += [(-128, 127), (0, 255), (0, 1023), (0, 4095), (0, 65535)]
    if levels is not None and high > 1:
        scales.insert(0, (0, levels - 1))
    if high in OTHER_SCALES:
        scales.insert(0, (0, int(high)))
    near = next(((a, b) for a, b in scales if a <= low and high <= b), None)
    a, b = (f"{end:g}" for end in near or (low, high))
    return f"{a},{b}" if option else f"{a} to {b}"


def advise(low: float, high: float, levels: int | None = None) -> str:
    """Returns what to do about values that do not fit their range."""
    if low >= -0.25 and high <= 1.25 and (low >= -0.25 and high > 1):
        return (
            "they look like 0 to 1 that overshoots: clip them, or declare another scale by --range"
        )
    if low < 0 < high and max(high, -low) > 1 and high - low < 12:
        return (
            "they look standardised: undo it (times the spread, plus the mean), or declare their "
            "scale by --range LOW,HIGH"
        )
    likely = guess(low, high, levels)
    option = guess(low, high, levels, option=True)
    return f"they look like {likely}: declare it by --range {option}, or rescale them"
