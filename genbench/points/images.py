"""Reads folders of images that nobody has to trust, into pixels in [0, 1]."""

from __future__ import annotations

import os
import struct
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy

from genbench.core.errors import DataError

if TYPE_CHECKING:
    from PIL import Image

SUFFIXES = frozenset(
    {".png", ".jpg", ".jpeg", ".bmp", ".webp", ".tif", ".tiff", ".gif", ".ppm", ".pgm", ".pnm"}
)
#: the most pixels of one image; more is taken for a decompression bomb
MAX_PIXELS = 1 << 26
#: modes of Pillow with one channel
GREY = frozenset({"1", "L", "LA", "La", "I", "I;16", "I;16B", "I;16L", "I;16N", "F"})


@dataclass(frozen=True)
class Folder:
    """The images under a folder, deep, in the order of their paths.

    Arguments:
        files: The images.
        others: How many files have no suffix of an image.
        event: What every image is read as, (channels, height, width).
        resize: Whether images of other sizes are resized; otherwise they are refused.
    """

    files: tuple[Path, ...]
    others: int
    event: tuple[int, int, int]
    resize: bool

    def __len__(self) -> int:
        return len(self.files)

    def batches(self, size: int) -> Iterator[numpy.ndarray]:
        """Yields pixels (at most size, C, H, W), float32."""
        for at in range(0, len(self.files), size):
            part = self.files[at : at + size]
            yield numpy.stack([read_image(path, self.event, resize=self.resize) for path in part])


def open_folder(
    path: Path, *, size: tuple[int, int] | None = None, channels: int | None = None
) -> Folder:
    """Finds the images under a folder; links to folders are not followed, so that no loop is entered.

    Arguments:
        path: The folder.
        size: Resize every image to (height, width); None: all must have the first one's size.
        channels: 1 or 3; None: 1 where the first image is grey, 3 otherwise.

    Raises:
        DataError: If the folder cannot be read or holds fewer than two images.
    """
    files: list[Path] = []
    others = 0
    for root, folders, names in os.walk(path, onerror=_refuse):
        folders.sort()
        for name in sorted(names):
            if Path(name).suffix.lower() in SUFFIXES:
                files.append(Path(root, name))
            else:
                others += 1
    if len(files) < 2:
        raise DataError(
            f"{path} needs at least two images ({', '.join(sorted(SUFFIXES))}), "
            f"got {len(files)} and {others} other files; give another folder"
        )
    first = decode(files[0])
    high, wide = size or first.shape[1:]
    event = (channels or len(first), high, wide)
    return Folder(tuple(files), others, event, resize=size is not None)


def read_image(path: Path, event: tuple[int, int, int], *, resize: bool) -> numpy.ndarray:
    """Returns one image's pixels in [0, 1], float32, shape (C, H, W).

    8-bit values are divided by 255, 16-bit ones by 65,535; transparency is dropped; of an animation
    the first frame counts; palettes, CMYK and others become RGB as Pillow converts them, grey becomes
    RGB by repetition where colour is asked for. Resizing is Pillow's bicubic filter with antialiasing
    on floating point (as in clean-fid), to the shape asked for, without a crop.

    Raises:
        DataError: Naming the file, if it is damaged, of another size, or colour where grey is asked.
    """
    channels, height, width = event
    pixels = decode(path)
    if channels == 1 and len(pixels) == 3:
        raise DataError(
            f"{path} is in colour, the images before it are grey; read all as colour with --channels 3"
        )
    if pixels.shape[1:] != (height, width):
        if not resize:
            got = f"{pixels.shape[2]}x{pixels.shape[1]}"
            raise DataError(
                f"{path} needs {width}x{height} pixels like the images before it, got {got}; "
                f"resize all with --resize {width}x{height}"
            )
        pixels = _resize(pixels, width, height)
    return numpy.broadcast_to(pixels, event)


def decode(path: Path) -> numpy.ndarray:
    """Returns an image's pixels in [0, 1], float32, shape (1 or 3, H, W).

    Raises:
        DataError: Naming the file and what is wrong with it.
    """
    from PIL import Image, UnidentifiedImageError

    if path.exists() and not path.is_file():  # a pipe would never end
        raise DataError(f"{path} is not a regular file; remove it")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # broken metadata; bombs are refused below
            with path.open("rb") as file, Image.open(file) as image:
                if image.width * image.height > MAX_PIXELS:
                    raise DataError(
                        f"{path} has {image.width}x{image.height} pixels, {MAX_PIXELS:,} are "
                        f"allowed; make it smaller"
                    )
                pixels = _pixels(image)
    except DataError:
        raise
    except UnidentifiedImageError:
        raise DataError(
            f"{path} is not an image that Pillow can read; repair or remove it"
        ) from None
    except Image.DecompressionBombError:
        raise DataError(f"{path} has too many pixels; make it smaller") from None
    except (OSError, ValueError, SyntaxError, EOFError, MemoryError, struct.error) as error:
        reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
        raise DataError(f"{path} cannot be read: {reason}; repair or remove it") from None
    if not numpy.isfinite(pixels).all() or pixels.min() < 0 or pixels.max() > 1:
        raise DataError(
            f"{path} needs pixels between 0 and 1 (floating point) or of 8 or 16 bits, "
            f"got {pixels.min():.4g} to {pixels.max():.4g}; rescale it"
        )
    return pixels


def _pixels(image: Image.Image) -> numpy.ndarray:
    if image.mode in ("1", "L", "LA", "La"):
        grey = image.convert("L")
        return numpy.asarray(grey, dtype=numpy.float32)[None] / 255
    if image.mode in GREY:
        whole = numpy.asarray(image).astype(numpy.float32)[None]
        return whole if image.mode == "F" else whole / 65535
    colour = numpy.asarray(image.convert("RGB"), dtype=numpy.float32)
    return numpy.moveaxis(colour, -1, 0) / 255


def _resize(pixels: numpy.ndarray, width: int, height: int) -> numpy.ndarray:
    from PIL import Image

    planes = [
        numpy.asarray(Image.fromarray(plane).resize((width, height), Image.Resampling.BICUBIC))
        for plane in pixels
    ]
    return numpy.stack(planes).clip(0, 1)


def _refuse(error: OSError) -> None:
    raise DataError(f"{error.filename} cannot be read: {error.strerror}; allow it or leave it out")
