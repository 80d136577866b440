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
    digests = {
        "train-images-idx3-ubyte": "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
        "train-labels-idx1-ubyte": "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
        "t10k-images-idx3-ubyte": "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
        "t10k-labels-idx1-ubyte": "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
    }
    package = "dataset-fashion-mnist"
    system = Path("/usr/share/datasets/fashion-mnist")
