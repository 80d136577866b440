"""MNIST from a local folder or torchvision's download."""

from __future__ import annotations

from genbench.core.dataset import dataset
from genbench.datasets._mnist import MNISTLike


@dataset("mnist")
class MNIST(MNISTLike):
    """70,000 handwritten digits, 28×28 in 256 grey levels, ten classes (55,000 / 5,000 / 10,000).

    The published test set is kept; validation images are drawn from the training set in a fixed order.
    Files are looked for in `data_dir` (itself, its mnist, its MNIST/raw), then in torchvision's
    download, which lies in the cache folder.

    References:
        | Gradient-Based Learning Applied to Document Recognition (LeCun et al., 1998), section III.A
    """

    paper = "LeCun et al., 1998"
    torchvision_class = "MNIST"
