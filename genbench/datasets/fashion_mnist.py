"""Fashion-MNIST from a local folder, the system's package or torchvision's download."""

from __future__ import annotations

from pathlib import Path

from genbench.core.dataset import dataset
from genbench.datasets._mnist import MNISTLike


@dataset("fashion_mnist")
class FashionMNIST(MNISTLike):
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
    torchvision_class = "FashionMNIST"
    package = "dataset-fashion-mnist"
    system = Path("/usr/share/datasets/fashion-mnist")
