"""What MNIST and the sets made in its likeness share: four IDX files, and where they may lie."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import ClassVar

import torch
from torch import Tensor

from genbench.core.dataset import DataSpec, ImageDataset
from genbench.core.errors import AbsentData, DataError
from genbench.core.files import cache_folder, make_folder, write_bytes
from genbench.datasets._files import describe_found
from genbench.datasets._idx import read_idx

FILES = {
    (part, kind): f"{prefix}-{kind}-idx{axes}-ubyte"
    for part, prefix in (("train", "train"), ("test", "t10k"))
    for kind, axes in (("images", 3), ("labels", 1))
}


class MNISTLike(ImageDataset):
    """70,000 images of 28×28 in 256 grey levels and ten classes (55,000 / 5,000 / 10,000).

    The published test set is kept; validation images are drawn from the training set in a fixed order.
    Files are looked for in `data_dir` (itself, and the folders that packages and torchvision make
    there), then in the folder of Debian's package, then in torchvision's download, which lies in the
    cache folder.
    """

    levels = 256
    sizes: ClassVar[dict[str, int]] = {"train": 60_000, "test": 10_000}
    held_out: ClassVar[int] = 5_000
    #: the sha256 of the plain files, by name, as published
    digests: ClassVar[dict[str, str]] = {}
    #: the class in torchvision.datasets, whose folder bears the same name
    torchvision_class: ClassVar[str]
    #: Debian's package and its folder, or None
    package: ClassVar[str | None] = None
    system: ClassVar[Path | None] = None

    def __init__(self, *, data_dir: Path | None = None, offline: bool = False) -> None:
        super().__init__(data_dir=data_dir, offline=offline)
        self.spec = DataSpec(
            self.name,
            (1, 28, 28),
            range=(0.0, 1.0),
            levels=256,
            classes=10,
            dequantisation="uniform",
        )

    def load(self) -> dict[str, tuple[Tensor, Tensor]]:
        """Returns the images and labels of the first folder that has them, split."""
        files = self.find()
        train, test = (self._part(files, part) for part in ("train", "test"))
        return self.with_validation(train, test, self.held_out)

    def find(self) -> dict[tuple[str, str], Path]:
        """Returns the files' paths by (train or test, images or labels); downloads as a last resort.

        Raises:
            DataError: If they are nowhere and cannot be fetched.
        """
        near = [] if self.data_dir is None else [Path(self.data_dir)]
        names = dict.fromkeys([self.name, self.name.replace("_", "-")])
        near += [folder / name for folder in near[:1] for name in names]
        near += [folder / self.torchvision_class / "raw" for folder in near[:1]]
        near += [self.system] if self.system is not None else []
        cached = cache_folder() / self.torchvision_class / "raw"
        for folder in (*near, cached):
            files = _files(folder)
            if files is not None and (folder != cached or self.offline or self._intact(files)):
                return files
        reason = "downloads are off (offline)" if self.offline else self._download(cache_folder())
        files = _files(cached)
        if files is None:
            package = f"install the Debian package {self.package}, " if self.package else ""
            state = describe_found((*near, cached), [_names(name) for name in FILES.values()])
            raise AbsentData(
                f"{self.name} needs its four IDX files, found {state} and {reason}; point data_dir "
                f"(--data-dir) to a folder that holds them, {package}or allow the download by "
                f"torchvision into {cache_folder()}"
            )
        return files

    def _intact(self, files: dict[tuple[str, str], Path]) -> bool:
        """Whether a download is whole; one that was killed is made anew."""
        try:
            return all(len(self._read(files, key)) > 0 for key in FILES)
        except DataError:
            return False

    def _read(self, files: dict[tuple[str, str], Path], key: tuple[str, str]) -> Tensor:
        return read_idx(files[key], self.digests.get(FILES[key]))

    def _download(self, root: Path) -> str:
        """Lets torchvision fetch the files; returns why it could not, for a message.

        They come into place one by one, each whole, when all are there.
        """
        try:
            from genbench.points.vision import torchvision

            make_folder(root)
            with tempfile.TemporaryDirectory(dir=root) as place:
                getattr(torchvision().datasets, self.torchvision_class)(place, download=True)
                raw = Path(place) / self.torchvision_class / "raw"
                for path in (_files(raw) or {}).values():
                    write_bytes(
                        root / self.torchvision_class / "raw" / path.name, path.read_bytes()
                    )
        except (OSError, RuntimeError, ImportError) as error:
            return f"the download failed ({type(error).__name__}: {error})"
        return "the download left no files"

    def _part(self, files: dict[tuple[str, str], Path], part: str) -> tuple[Tensor, Tensor]:
        images, labels = (self._read(files, (part, kind)) for kind in ("images", "labels"))
        shape = (self.sizes[part], 28, 28)
        if tuple(images.shape) != shape or tuple(labels.shape) != shape[:1] or labels.max() > 9:
            raise DataError(
                f"{self.name} needs {shape} images and as many labels below 10, got "
                f"{tuple(images.shape)} in {files[part, 'images']} and {tuple(labels.shape)} in "
                f"{files[part, 'labels']}; fetch them again"
            )
        return images.unsqueeze(1), labels.to(torch.int64)


def _files(folder: Path) -> dict[tuple[str, str], Path] | None:
    """The four files in a folder, plain before gzipped, or None unless all are there."""
    files = {}
    for key, name in FILES.items():
        paths = [path for path in (folder / n for n in _names(name)) if path.is_file()]
        if not paths:
            return None
        files[key] = paths[0]
    return files


def _names(name: str) -> tuple[str, str]:
    """The names that a file may have, plain before gzipped."""
    return name, f"{name}.gz"
