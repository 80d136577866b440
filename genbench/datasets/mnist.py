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
    digests = {
        "train-images-idx3-ubyte": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
        "train-labels-idx1-ubyte": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
        "t10k-images-idx3-ubyte": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
        "t10k-labels-idx1-ubyte": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
    }
