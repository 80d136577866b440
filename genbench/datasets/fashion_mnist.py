"""Fashion-MNIST from a local folder, the system's package or torchvision's download."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor

from genbench.core.dataset import DataSpec, ImageDataset, dataset
from genbench.core.errors import DataError
from genbench.core.files import cache_folder
from genbench.core.rng import Rng
from genbench.datasets._idx import read_idx

#: where Debian's package dataset-fashion-mnist puts its files
SYSTEM = Path("/usr/share/datasets/fashion-mnist")
VALIDATION = 5_000
FILES = {
    (part, kind): f"{prefix}-{kind}-idx{axes}-ubyte"
    for part, prefix in (("train", "train"), ("test", "t10k"))
    for kind, axes in (("images", 3), ("labels", 1))
}
SIZES = {"train": 60_000, "test": 10_000}


@dataset("fashion_mnist")
class FashionMNIST(ImageDataset):
    """70,000 photographs of clothes, 28×28 in 256 grey levels, ten kinds (55,000 / 5,000 / 10,000).

    The published test set is kept; validation images are drawn from the training set in a fixed order.
    Files are looked for in `data_dir` (itself, its fashion-mnist, its FashionMNIST/raw), then in the
    folder of Debian's package, then in torchvision's download, which lies in the cache folder.

    References:
        | Fashion-MNIST: a Novel Image Dataset for Benchmarking Machine Learning Algorithms (Xiao
          et al., 2017), section 2
        | https://arxiv.org/abs/1708.07747
    """

    paper = "Xiao et al., 2017"
    levels = 256
    spec = DataSpec(
        "fashion_mnist",
        (1, 28, 28),
        range=(0.0, 1.0),
        levels=256,
        classes=10,
        dequantisation="uniform",
    )

    def load(self) -> dict[str, tuple[Tensor, Tensor]]:
        """Returns the images and labels of the first folder that has them, split."""
        files = find(self.data_dir, self.offline)
        train, test = (_part(files, part) for part in ("train", "test"))
        order = Rng([0]).fork("dataset", self.name).permutation(len(train[0]))[0]
        kept, held = order[VALIDATION:], order[:VALIDATION]
        return {
            "train": (train[0][kept], train[1][kept]),
            "validation": (train[0][held], train[1][held]),
            "test": test,
        }


def find(data_dir: Path | None, offline: bool) -> dict[tuple[str, str], Path]:
    """Returns the four files' paths by (train or test, images or labels); downloads as a last resort.

    Raises:
        DataError: If they are nowhere and cannot be fetched.
    """
    cached = cache_folder() / "FashionMNIST" / "raw"
    near = [] if data_dir is None else [Path(data_dir)]
    near += [folder / "fashion-mnist" for folder in near[:1]]
    near += [folder / "FashionMNIST" / "raw" for folder in near[:1]]
    for folder in (*near, SYSTEM, cached):
        files = _files(folder)
        if files is not None:
            return files
    reason = "downloads are off (offline)" if offline else _download(cache_folder())
    files = _files(cached)
    if files is None:
        raise DataError(
            f"fashion_mnist needs its four IDX files, found none and {reason}; point data_dir "
            f"(--data-dir) to a folder that holds them, install the Debian package dataset-fashion-mnist, "
            f"or allow the download by torchvision into {cache_folder()}"
        )
    return files


def _files(folder: Path) -> dict[tuple[str, str], Path] | None:
    """The four files in a folder, plain before gzipped, or None unless all are there."""
    found = {}
    for key, name in FILES.items():
        paths = [path for path in (folder / name, folder / f"{name}.gz") if path.is_file()]
        if not paths:
            return None
        found[key] = paths[0]
    return found


def _download(root: Path) -> str:
    """Lets torchvision fetch the files; returns why it could not, for a message."""
    try:
        from genbench.core.vision import torchvision

        torchvision().datasets.FashionMNIST(str(root), download=True)
    except (OSError, RuntimeError, ImportError) as error:
        return f"the download failed ({type(error).__name__}: {error})"
    return "the download left no files"


def _part(files: dict[tuple[str, str], Path], part: str) -> tuple[Tensor, Tensor]:
    images, labels = read_idx(files[part, "images"]), read_idx(files[part, "labels"])
    wanted = (SIZES[part], 28, 28)
    if tuple(images.shape) != wanted or tuple(labels.shape) != wanted[:1] or labels.max() > 9:
        raise DataError(
            f"fashion_mnist needs {wanted} images and as many labels below 10, got "
            f"{tuple(images.shape)} in {files[part, 'images']} and {tuple(labels.shape)} in "
            f"{files[part, 'labels']}; fetch them again"
        )
    return images.unsqueeze(1), labels.to(torch.int64)
