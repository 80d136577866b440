"""CIFAR-10, its binary version, from a local folder or a download."""

from __future__ import annotations

import hashlib
import os
import tarfile
import tempfile
from pathlib import Path
from typing import ClassVar

import torch
from torch import Tensor

from genbench.core.dataset import DataSpec, ImageDataset, dataset
from genbench.core.errors import AbsentData, DataError
from genbench.core.files import cache_folder, read_file, write_bytes
from genbench.datasets._files import describe_found

FOLDER = "cifar-10-batches-bin"
PARTS = {
    "train": tuple(f"data_batch_{i}.bin" for i in range(1, 6)),
    "test": ("test_batch.bin",),
}
ARCHIVE = "cifar-10-binary.tar.gz"
ADDRESS = f"https://www.cs.toronto.edu/~kriz/{ARCHIVE}"
MD5 = "c32a1d4ab5d03f1284b67883e8d87530"
#: the sha256 of the archive's files
DIGESTS = {
    "data_batch_1.bin": "cee916563c9f80d84e3cc88e17fdc0941787f1244f00a67874d45b261883ada5",
    "data_batch_2.bin": "a591ca11fa1708a91ee40f54b3da4784ccd871ecf2137de63f51ada8b3fa57ed",
    "data_batch_3.bin": "bbe8596564c0f86427f876058170b84dac6670ddf06d79402899d93ceea26f67",
    "data_batch_4.bin": "014e562d6e23c72197cc727519169a60359f5eccd8945ad5a09d710285ff4e48",
    "data_batch_5.bin": "755304fc0b379caeae8c14f0dac912fbc7d6cd469eb67a1029a08a39453a9add",
    "test_batch.bin": "8e2eb146ae340b09e24670f29cabc6326dba54da8789dab6768acf480273f65b",
}
#: one byte of label, then 32×32 bytes of red, of green and of blue
RECORD = 1 + 3 * 32 * 32


@dataset("cifar10")
class CIFAR10(ImageDataset):
    """60,000 colour photographs, 32×32 in 256 levels, ten kinds (45,000 / 5,000 / 10,000).

    The published test set is kept; validation images are drawn from the training set in a fixed order.
    The binary version is read, not the pickled one, for unpickling runs what a file says. Its six
    files are looked for in `data_dir` (itself, its cifar10 or cifar-10-batches-bin), then in the cache
    folder, into which the archive is downloaded, checked by its published MD5 and unpacked.

    References:
        | Learning Multiple Layers of Features from Tiny Images (Krizhevsky, 2009), chapter 3
        | https://www.cs.toronto.edu/~kriz/cifar.html
    """

    paper = "Krizhevsky, 2009"
    levels = 256
    spec = DataSpec(
        "cifar10", (3, 32, 32), range=(0.0, 1.0), levels=256, classes=10, dequantisation="uniform"
    )
    #: images to a file
    batch: ClassVar[int] = 10_000
    held_out: ClassVar[int] = 5_000
    digests: ClassVar[dict[str, str]] = DIGESTS

    def load(self) -> dict[str, tuple[Tensor, Tensor]]:
        """Returns the images and labels of the first folder that has them, split."""
        folder = self.find()
        train, test = (self._part(folder, part) for part in ("train", "test"))
        return self.with_validation(train, test, self.held_out)

    def find(self) -> Path:
        """Returns the folder that holds the six files; downloads them as a last resort.

        Raises:
            DataError: If they are nowhere and cannot be fetched.
        """
        near = [] if self.data_dir is None else [Path(self.data_dir)]
        cached = cache_folder() / FOLDER
        places = (
            *near,
            *(folder / name for folder in near for name in (self.name, FOLDER)),
            cached,
        )
        for folder in places:
            if _complete(folder) and (folder != cached or self.offline or self._intact(cached)):
                return folder
        reason = "downloads are off (offline)" if self.offline else fetch(cached)
        if not _complete(cached):
            state = describe_found(places, [(name,) for name in DIGESTS])
            raise AbsentData(
                f"cifar10 needs the six .bin files of its binary version, found {state} and {reason}; "
                f"point data_dir (--data-dir) to a folder that holds them, or allow the download of "
                f"{ARCHIVE} into {cache_folder()}"
            )
        return cached

    def _part(self, folder: Path, part: str) -> tuple[Tensor, Tensor]:
        parts = [self._read(folder / name) for name in PARTS[part]]
        pixels, labels = (torch.cat(of) for of in zip(*parts, strict=True))
        return pixels, labels

    def _read(self, path: Path) -> tuple[Tensor, Tensor]:
        return read_batch(path, self.batch, self.digests.get(path.name))

    def _intact(self, folder: Path) -> bool:
        """Whether a download is whole; one that is damaged is made anew."""
        try:
            return all(len(self._read(folder / name)[0]) > 0 for name in DIGESTS)
        except DataError:
            return False


def read_batch(path: Path, images: int, digest: str | None = None) -> tuple[Tensor, Tensor]:
    """Returns the images (N, 3, 32, 32), uint8, and labels (N,), int64, of a file of records.

    Arguments:
        path: The file.
        images: How many records it must hold.
        digest: Its sha256, which is checked; None takes any.

    Raises:
        DataError: If the file cannot be read, has another size or a label that is none.
    """
    try:
        content = read_file(path, None)
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}; fetch it again") from error
    if len(content) != images * RECORD:
        raise DataError(
            f"{path} needs {images} records of {RECORD} bytes, got {len(content)} bytes; "
            "fetch it again"
        )
    if digest is not None and hashlib.sha256(content).hexdigest() != digest:
        raise DataError(
            f"{path} is not the published file: it has another sha256 than {digest[:12]}…; fetch it again"
        )
    records = torch.frombuffer(bytearray(content), dtype=torch.uint8).view(images, RECORD)
    labels = records[:, 0].to(torch.int64)
    if labels.max() > 9:
        raise DataError(f"{path} needs labels below 10, got {int(labels.max())}; fetch it again")
    return records[:, 1:].reshape(-1, 3, 32, 32), labels


def fetch(folder: Path) -> str:
    """Downloads and unpacks the archive into a folder; returns what went wrong, for a message."""
    try:
        from genbench.points.vision import torchvision

        torchvision()
        from torchvision.datasets.utils import download_url

        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent) as place:
            download_url(ADDRESS, place, ARCHIVE, MD5)
            unpack(Path(place) / ARCHIVE, folder)
    except (OSError, RuntimeError, ImportError, tarfile.TarError, EOFError) as error:
        return f"the download failed ({type(error).__name__}: {error})"
    return "the download left no files"


def unpack(archive: Path, folder: Path) -> None:
    """Writes the six files of an archive, and nothing else of it, into a folder."""
    files = {name for names in PARTS.values() for name in names}
    with tarfile.open(archive, "r:gz") as members:
        for member in members:
            name = os.path.basename(member.name)
            content = members.extractfile(member) if member.isfile() and name in files else None
            if content is not None:
                write_bytes(folder / name, content.read())


def _complete(folder: Path) -> bool:
    return all((folder / name).is_file() for names in PARTS.values() for name in names)
