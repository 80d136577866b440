"""The one way in which stored points become points in data space: layout, scale, channels, size."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy

from genbench.core.dataset import DataSpec
from genbench.core.errors import DataError
from genbench.points.images import resize
from genbench.points.ranges import PixelScale, Range
from genbench.points.readers import Chunk

#: how many channels pictures have
CHANNELS = (1, 3)

#: the least side of a square of numbers that may be a picture
SQUARE = 8

#: the largest number of a point: sums of squares must be finite
LARGEST = 1e150


@dataclass(frozen=True)
class Rules:
    """What the user and the data set say of points.

    Arguments:
        range: The range declared for this side, or None.
        size: Resize pictures to (height, width), or None.
        channels: 1 or 3: read pictures as grey or colour; None leaves them as they are.
        spec: The data set that the points are compared with, or None.
        ready: Whether they come from a data set, in data space as they are.
        like: The shape of a point on the other side, where that is known first, or None.
    """

    range: Range | None = None
    size: tuple[int, int] | None = None
    channels: int | None = None
    spec: DataSpec | None = None
    ready: bool = False
    like: tuple[int, ...] | None = None

    @property
    def changes(self) -> bool:
        """Whether rows of floats (N, D) may become other numbers: pixels may be clipped, tokens whole."""
        choices = (self.range, self.size, self.channels)
        if any(choice is not None for choice in choices):
            return True
        if self.ready or self.spec is None:
            return False
        return self.spec.range is not None or self.spec.tokens is not None


class Normaliser:
    """Maps chunks of one source to points in data space, shape (B, *event), float32 or float64.

    Pictures are (N, H, W), (N, C, H, W) or (N, H, W, C) with C of 1 or 3, or rows (N, D) that the data set
    knows for grey pictures of D pixels. They come out with the channels first and values in [0, 1].

    Arguments:
        label: What the source is called.
        rules: How.
    """

    def __init__(self, label: str, rules: Rules) -> None:
        self.label, self.rules = label, rules
        self.scale: PixelScale | None = None
        self.event: tuple[int, ...] | None = None

    def look(self, chunks: Iterable[Chunk]) -> None:
        """Looks at as many whole numbers as it takes to know bits from bytes; floats need no look."""
        for chunk in chunks:
            array = check(chunk)
            scale = self._scale_for(array, picture=chunk.picture)
            if not scale.needs_look(array.dtype) or scale.look(array):
                return

    def convert(self, chunks: Iterable[Chunk]) -> Iterator[tuple[numpy.ndarray, Chunk]]:
        """Yields each chunk's points, with the chunk, and at the end refuses what cannot have been right.

        Raises:
            DataError: If points cannot be used, naming them.
        """
        shape: tuple[int, ...] = ()
        for chunk in chunks:
            if chunk.loose and chunk.array.shape == shape:
                self._doubt_square(shape)
            shape = chunk.array.shape
            yield self._convert(chunk), chunk
        if self.scale is not None:
            self.scale.finish()

    def _convert(self, chunk: Chunk) -> numpy.ndarray:
        array = check(chunk)
        scale = self._scale_for(array, picture=chunk.picture)
        array = self._lay_out(array, chunk)
        bad = int((~numpy.isfinite(array)).sum()) if array.dtype.kind == "f" else 0
        if bad:
            raise DataError(
                f"{chunk.name} holds {bad} numbers that are NaN or infinite; remove or repair them"
            )
        wide = array.dtype.kind == "f" and array.dtype.itemsize > 4
        if wide and array.size and max(array.max(), -array.min()) > LARGEST:
            raise DataError(
                f"{chunk.name} holds numbers beyond {LARGEST:g}, whose squares are not finite; divide all "
                f"points by one number"
            )
        tokens = None if self.rules.spec is None else self.rules.spec.tokens
        if tokens is not None:
            array = to_tokens(array, tokens, chunk.name)
        elif not (self.rules.ready and array.dtype.kind in "iu"):
            array = scale.apply(array, chunk.name)
        array = numpy.ascontiguousarray(array)
        if self.rules.channels is not None or self.rules.size is not None:
            array = self._reshape(array, chunk)
        if chunk.picture:
            array = self._refuse_other_picture(array, chunk)
        self.event = self.event or array.shape[1:]
        return array

    def _doubt_square(self, shape: tuple[int, ...]) -> None:
        """Refuses what may be pictures, one by one, or batches of as many points as numbers in each."""
        unknown = self.rules.spec is None and self.rules.like is None
        if unknown and len(shape) == 2 and shape[0] == shape[1] >= SQUARE:
            side = shape[0]
            raise DataError(
                f"{self.label} holds arrays of {side}x{side}, which may be pictures or batches of {side} "
                f"points; stack pictures, (N, {side}, {side}), or give batches of another size"
            )

    def _scale_for(self, array: numpy.ndarray, *, picture: bool) -> PixelScale:
        if self.scale is None:
            rules, spec = self.rules, self.rules.spec
            pixels = array.ndim > 2 or (spec is not None and spec.range is not None)
            if array.ndim == 4 and not set(CHANNELS) & {array.shape[1], array.shape[3]}:
                pixels = False  # maps of features
                if array.dtype.kind in "iu" and 4 in (array.shape[1], array.shape[3]):
                    raise DataError(
                        f"{self.label} needs pictures of 1 or 3 channels, got shape {array.shape}; "
                        f"leave the fourth, transparency, out"
                    )
            if spec is not None and spec.range is None:
                pixels = False
                if rules.range is not None and not rules.ready:
                    raise DataError(
                        f"--range is for pixels, {spec.name} has none; give {self.label} in the data "
                        f"set's own unit"
                    )
            levels = None if spec is None else spec.levels
            declared = None if rules.ready else rules.range
            self.scale = PixelScale(
                *(self.label, declared),
                levels=levels,
                pixels=pixels and not rules.ready,
                picture=picture,
            )
        return self.scale

    def _lay_out(self, array: numpy.ndarray, chunk: Chunk) -> numpy.ndarray:
        """Points with the channels first; rows that are grey pictures in the data set's shape."""
        array = array.astype(array.dtype.newbyteorder("="), copy=False)
        spec = self.rules.spec
        if array.ndim == 3:
            return self._find_pictures(array, chunk)
        if array.ndim == 2 and spec is not None and spec.is_image and not self.rules.ready:
            return self._unflatten(array, spec, chunk)
        if array.ndim == 4 and not chunk.picture and not self.rules.ready:
            return self._put_channels_first(array, chunk)
        return array

    def _find_pictures(self, array: numpy.ndarray, chunk: Chunk) -> numpy.ndarray:
        """Grey pictures (N, H, W), or the one picture that an object yields, (C, H, W) or (H, W, C)."""
        readings = {"grey": array[:, None]}
        if array.shape[2] in CHANNELS:
            readings["last"] = numpy.moveaxis(array, -1, 0)[None]
        if chunk.loose and array.shape[0] in CHANNELS:
            readings["first"] = array[None]
        if len(readings) == 1:
            return readings["grey"]
        event = self.rules.like or (self.rules.spec.event if self.rules.spec is not None else None)
        depth = slice(0, 1 if self.rules.size is not None else None)
        fitting = {
            name: x
            for name, x in readings.items()
            if event is not None and x.shape[1:][depth] == event[depth]
        }
        shapes = {x.shape for x in fitting.values()}
        if (
            len(shapes) != 1
            or self.rules.channels is not None
            or not (chunk.loose or "grey" in fitting)
        ):
            raise DataError(
                f"{chunk.name} of shape {array.shape} may be one picture or {len(array)} grey ones; give "
                f"batches (N, C, H, W)"
            )
        return next(iter(fitting.values()))

    def _unflatten(self, array: numpy.ndarray, spec: DataSpec, chunk: Chunk) -> numpy.ndarray:
        if array.shape[1] != spec.size:
            return array
        if spec.event[0] != 1:
            raise DataError(
                f"{chunk.name} holds flattened colour pictures, of which nobody can say whether the "
                f"channels came first or last; reshape it to (N, {', '.join(map(str, spec.event))})"
            )
        return array.reshape(len(array), *spec.event)

    def _put_channels_first(self, array: numpy.ndarray, chunk: Chunk) -> numpy.ndarray:
        first, last = array.shape[1] in CHANNELS, array.shape[3] in CHANNELS
        if first and last:
            events = array.shape[1:], (array.shape[3], *array.shape[1:3])
            event = self.rules.spec.event if self.rules.spec is not None else None
            if events[0] != events[1] and array.shape[1:] != event:
                if events[1] != event:
                    raise DataError(
                        f"{chunk.name} of shape {array.shape} may have its channels first or last; "
                        f"give grey pictures as (N, H, W), and colour ones of more than 3 pixels"
                    )
                return numpy.moveaxis(array, -1, 1)
            if 3 in events[0] and event is None:
                raise DataError(
                    f"{chunk.name} of shape {array.shape} may have its channels first or last; "
                    f"give larger pictures"
                )
            return array
        return numpy.moveaxis(array, -1, 1) if last and not first else array

    def _reshape(self, array: numpy.ndarray, chunk: Chunk) -> numpy.ndarray:
        """Pictures with the channels and of the size that the user wants."""
        channels, size = self.rules.channels, self.rules.size
        if array.ndim != 4:
            what = "--resize" if size is not None else "--channels"
            raise DataError(
                f"{what} needs pictures, got {chunk.name} of shape {array.shape}; leave it out, or give "
                f"(N, H, W) or (N, C, H, W)"
            )
        if channels == 3 and array.shape[1] == 1:
            array = numpy.repeat(array, 3, axis=1)
        if channels == 1 and array.shape[1] == 3:
            if (array != array[:, :1]).any():
                raise DataError(
                    f"{chunk.name} is in colour, and --channels 1 takes grey pictures; read all as "
                    f"colour with --channels 3"
                )
            array = array[:, :1]
        if size is not None and array.shape[2:] != size:
            array = numpy.stack([resize(pixels, size) for pixels in array])
        return array

    def _refuse_other_picture(self, array: numpy.ndarray, chunk: Chunk) -> numpy.ndarray:
        """A picture file's pixels, of the first one's shape; grey among colour is repeated."""
        event = self.event
        if event is None or array.shape[1:] == event:
            return array
        if array.shape[2:] != event[1:]:
            wide, high = event[2], event[1]
            raise DataError(
                f"{chunk.name} needs {wide}x{high} pixels like the images before it, got "
                f"{array.shape[3]}x{array.shape[2]}; resize all with --resize {wide}x{high}"
            )
        if array.shape[1] == 3:
            raise DataError(
                f"{chunk.name} is in colour, the images before it are grey; read all as colour with "
                f"--channels 3"
            )
        return numpy.repeat(array, 3, axis=1)


def check(chunk: Chunk) -> numpy.ndarray:
    """Returns a chunk's array after checking its type and shape.

    Raises:
        DataError: Naming the chunk and what is wrong with it.
    """
    array, name = chunk.array, chunk.name
    if array.dtype.kind not in "fiub":
        raise DataError(f"{name} needs numbers, got {array.dtype}; save floats or integers")
    if array.ndim not in (2, 3, 4):
        raise DataError(
            f"{name} needs shape (N, D), (N, H, W) or (N, C, H, W), got {array.shape}; reshape it"
        )
    if 0 in array.shape:
        raise DataError(f"{name} is empty, shape {array.shape}; give at least two points")
    return array


def to_tokens(array: numpy.ndarray, tokens: int, name: str) -> numpy.ndarray:
    """Returns tokens as whole numbers, int64, of whatever type they were stored in.

    Raises:
        DataError: If one is no whole number from 0 to tokens - 1.
    """
    floats = array.dtype.kind == "f"
    low, high = array.min().item(), array.max().item()
    if low < 0 or high >= tokens or (floats and (array != array.round()).any()):
        raise DataError(
            f"{name} needs tokens, whole numbers from 0 to {tokens - 1}, got values from {low:g} to "
            f"{high:g}; number them as the data set does"
        )
    return array.astype(numpy.int64)
