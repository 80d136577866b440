"""Decodes image files that nobody has to trust, as they are stored: bytes, 16 bits or floats."""

from __future__ import annotations

import hashlib
import io
import os
import warnings
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy

from genbench.core.errors import DataError
from genbench.core.files import natural_order, read_file
from genbench.points.labels import name_by_folder
from genbench.points.readers import Chunk, hash_file

if TYPE_CHECKING:
    from PIL import Image

SUFFIXES = frozenset(
    {".png", ".jpg", ".jpeg", ".bmp", ".webp", ".tif", ".tiff", ".gif", ".ppm", ".pgm", ".pnm"}
)
#: what Pillow may take a file for, whatever it is called: it runs Ghostscript on others
FORMATS = ("PNG", "JPEG", "BMP", "WEBP", "TIFF", "GIF", "PPM")
#: the most pixels of one image; more is taken for a decompression bomb
MAX_PIXELS = 1 << 26
#: the most bytes of the file of one
MOST = 1 << 29
#: folders that systems put beside pictures, and hide
SYSTEMS = ("__MACOSX", "@eaDir")
#: modes of Pillow with one channel
GREY = frozenset({"1", "L", "LA", "La", "I", "I;16", "I;16B", "I;16L", "I;16N", "F"})
#: the tag of a photograph's orientation, and its value where it lies as it is to be seen
ORIENTATION, UPRIGHT = 0x0112, 1
TURNED = "files were turned as their EXIF data say"
OPAQUE = "files had transparency, which was dropped"
ANIMATED = "files hold several frames, of which the first was read"


class ImageReader:
    """Pictures, a file each, in an order of their own.

    Arguments:
        label: What they are called together.
        names: What each is called in messages.
        load: Returns the content of the file of a number, or its path.
        source: Returns a hash of all contents; None makes one of the files.
        labels: The classes, or None.
        remarks: What else there is to say.
    """

    def __init__(
        self,
        label: str,
        names: Sequence[str],
        load: Callable[[int], bytes | Path],
        *,
        source: Callable[[], str] | None = None,
        labels: numpy.ndarray | None = None,
        remarks: Sequence[str] = (),
    ) -> None:
        self.label, self.names, self.load = label, names, load
        self.source, self.labels, self.remarks = source, labels, list(remarks)
        self.odd: dict[int, str] = {}

    def __len__(self) -> int:
        return len(self.names)

    def take(self, rows: numpy.ndarray) -> list[Chunk]:
        """Returns pictures as they are stored: one chunk where they are alike, else one each."""
        pictures, numbers = [], [int(row) for row in rows]
        for row in numbers:
            pixels, odd = decode(self.load(row), self.names[row])
            pictures.append(pixels)
            if odd:
                self.odd[row] = odd
        labels = None if self.labels is None else self.labels[rows]
        kinds = {(pixels.shape, pixels.dtype.str) for pixels in pictures}
        if len(kinds) == 1 and pictures[0].dtype == numpy.uint8:
            return [Chunk(numpy.stack(pictures), self.names[numbers[0]], labels, picture=True)]
        return [
            Chunk(pixels[None], self.names[row], None if labels is None else labels[[k]], True)
            for k, (row, pixels) in enumerate(zip(numbers, pictures, strict=True))
        ]

    def digest(self) -> str:
        """Returns a hash of what the files hold, in their order."""
        if self.source is not None:
            return self.source()
        whole = hashlib.sha256()
        for row in range(len(self)):
            content = self.load(row)
            whole.update(
                hashlib.sha256(content).digest()
                if isinstance(content, bytes)
                else bytes.fromhex(hash_file(content))
            )
        return whole.hexdigest()

    def notes(self) -> list[str]:
        """Returns how many files were left out, and of how many something was not taken as it is."""
        counts = Counter(self.odd.values())
        return [*self.remarks, *(f"{count} {what}" for what, count in sorted(counts.items()))]


def open_folder(path: Path) -> ImageReader:
    """Finds the images under a folder, deep, in the order of their paths; links are followed once.

    Raises:
        DataError: If the folder cannot be read or holds fewer than two images.
    """
    files, others, again = find_files(path)
    chosen = [file for file in files if file.suffix.lower() in SUFFIXES]
    others += len(files) - len(chosen)
    if len(chosen) < 2:
        raise DataError(
            f"{path} needs at least two images ({', '.join(sorted(SUFFIXES))}), "
            f"got {len(chosen)} and {others} other files; give another folder"
        )
    remarks = [f"{others} files that are not images were left out"] if others else []
    remarks += [f"{again} links to folders that were read already were left out"] if again else []
    labels = name_by_folder(chosen)
    names = [str(file) for file in chosen]
    return ImageReader(str(path), names, chosen.__getitem__, labels=labels, remarks=remarks)


def find_files(path: Path) -> tuple[list[Path], int, int]:
    """Returns the files under a folder, how many a system hides in it, and links that were not followed.

    Each folder is entered once, so that links in a circle end; hidden ones (`.ipynb_checkpoints`, `@eaDir`)
    are not.

    Raises:
        DataError: If a folder cannot be read.
    """
    files: list[Path] = []
    hidden = again = 0
    entered = {os.path.realpath(path)}
    for root, folders, names in os.walk(path, onerror=_refuse, followlinks=True):
        ahead = []
        for name in sorted(folders, key=natural_order):
            place = os.path.realpath(os.path.join(root, name))
            if is_hidden(name):
                continue
            if place in entered:
                again += 1
            else:
                entered.add(place)
                ahead.append(name)
        folders[:] = ahead
        for name in sorted(names, key=natural_order):
            if is_hidden(name):
                hidden += 1
            else:
                files.append(Path(root, name))
    return files, hidden, again


def is_hidden(part: str) -> bool:
    """Tells whether a part of a path is a system's own, with copies, previews or settings in it."""
    return part in SYSTEMS or (part.startswith(".") and part not in (".", ".."))


def decode(content: bytes | Path, name: str) -> tuple[numpy.ndarray, str]:
    """Returns an image as it is stored, shape (1 or 3, H, W), and what is odd about it, or "".

    Bytes and bits come as uint8 (bits as 0 and 255), 16-bit grey as uint16, floats as float32. Palettes,
    CMYK and others become RGB as Pillow converts them. A photograph is turned as its EXIF data say; of an
    animation the first frame counts; transparency is dropped.

    Arguments:
        content: The file's bytes, or its path.
        name: What it is called in messages.

    Raises:
        DataError: Naming the file and what is wrong with it.
    """
    from PIL import Image, UnidentifiedImageError

    if isinstance(content, Path) and content.exists() and not content.is_file():
        raise DataError(f"{name} is not a regular file; remove it")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # broken metadata; bombs are refused below
            whole = read_file(content, MOST) if isinstance(content, Path) else content
            file = io.BytesIO(whole)
            with file, Image.open(file, formats=FORMATS) as image:
                _refuse_what_would_be_cut(image, file, name)
                return to_pixels(image)
    except DataError:
        raise
    except UnidentifiedImageError:
        raise DataError(
            f"{name} is not an image that Pillow can read; repair or remove it"
        ) from None
    except Image.DecompressionBombError:
        raise DataError(f"{name} has too many pixels; make it smaller") from None
    except MemoryError:
        raise DataError(
            f"{name} does not fit into the memory that is free; make it smaller"
        ) from None
    except Exception as error:  # of decoders, whose errors are of all kinds
        reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
        raise DataError(f"{name} cannot be read: {reason}; repair or remove it") from None


def resize(pixels: numpy.ndarray, size: tuple[int, int]) -> numpy.ndarray:
    """Returns a picture (C, H, W) in [0, 1] resized to (height, width), float32.

    It is Pillow's bicubic filter with antialiasing on floating point (as in clean-fid), to the shape
    asked for, without a crop.
    """
    from PIL import Image

    height, width = size
    planes = [
        numpy.asarray(
            Image.fromarray(numpy.ascontiguousarray(plane, dtype=numpy.float32)).resize(
                (width, height), Image.Resampling.BICUBIC
            )
        )
        for plane in pixels
    ]
    return numpy.stack(planes).clip(0, 1)


def _refuse_what_would_be_cut(image: Image.Image, file: io.BufferedIOBase, name: str) -> None:
    if image.width * image.height > MAX_PIXELS:
        raise DataError(
            f"{name} has {image.width}x{image.height} pixels, {MAX_PIXELS:,} are "
            f"allowed; make it smaller"
        )
    frames = getattr(image, "n_frames", 1)
    if image.format == "TIFF" and frames > 1:
        raise DataError(f"{name} holds {frames} pages; save each as a file of its own")
    if _bits(image, file) > 8 and image.mode not in GREY - {"LA", "La"}:
        raise DataError(
            f"{name} has 16 bits in each of several channels, of which Pillow drops 8; save it "
            f"with 8 bits, or the pictures as a .npy array"
        )


def _bits(image: Image.Image, file: io.BufferedIOBase) -> int:
    """How many bits a PNG's or a TIFF's channel has; 8 for other formats."""
    if image.format == "PNG":
        at = file.tell()
        file.seek(24)
        bits = file.read(1)
        file.seek(at)
        return bits[0] if bits else 8
    tags = getattr(image, "tag_v2", None)
    depth = tags.get(258, 8) if tags is not None else 8
    return max(depth) if isinstance(depth, tuple) else int(depth)


def to_pixels(image: Image.Image) -> tuple[numpy.ndarray, str]:
    """Returns an open image as `decode` does: as it is stored, (1 or 3, H, W), and what is odd about it."""
    from PIL import ImageOps

    odd = ""
    if getattr(image, "n_frames", 1) > 1 and image.format != "MPO":
        odd = ANIMATED
    elif image.getexif().get(ORIENTATION, UPRIGHT) != UPRIGHT:
        image, odd = ImageOps.exif_transpose(image), TURNED
    elif image.mode in ("LA", "La", "RGBA", "RGBa", "PA") or "transparency" in image.info:
        alpha = image.convert("RGBA").getchannel("A")
        odd = OPAQUE if alpha.getextrema()[0] != 255 else ""  # type: ignore[operator]
    if image.mode in ("1", "L", "LA", "La"):
        return numpy.asarray(image.convert("L"))[None], odd
    if image.mode in GREY:
        whole = numpy.asarray(image)[None]
        narrow = image.mode == "I" and image.format == "PNG"  # 16 bits, under older Pillows
        return whole.astype(numpy.uint16) if narrow else whole, odd
    return numpy.moveaxis(numpy.asarray(image.convert("RGB")), -1, 0), odd


def _refuse(error: OSError) -> None:
    raise DataError(f"{error.filename} cannot be read: {error.strerror}; allow it or leave it out")
