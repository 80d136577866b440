"""Patches of photographs that come with scikit-image and scikit-learn."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import numpy
import torch
from torch import Tensor

from genbench.core.dataset import DataSpec, ImageDataset, dataset
from genbench.core.errors import AbsentData, DataError

SIDE, STRIDE = 32, 16
#: between training patches; no multiple of what sources are smaller by, so that they begin everywhere
TRAIN_STRIDE = 7
#: columns at the right of each training picture that are the validation split's
STRIP = 96


@dataclass(frozen=True)
class Picture:
    """A photograph in an installed package: package, file, what it shows, who made it, its licence."""

    package: str
    file: str
    subject: str
    author: str
    licence: str


TRAIN = (
    Picture("skimage", "data/astronaut.png", "Eileen Collins", "NASA", "public domain"),
    Picture("skimage", "data/coffee.png", "a cup of coffee", "Rachel Michetti", "CC0"),
    Picture("skimage", "data/rocket.jpg", "the launch of DSCOVR", "SpaceX", "public domain"),
    Picture("sklearn", "datasets/images/flower.jpg", "a flower", "vultilion", "CC BY 2.0"),
)
TEST = (
    Picture("skimage", "data/chelsea.png", "a cat", "Stefan van der Walt", "CC0"),
    Picture("sklearn", "datasets/images/china.jpg", "a palace", "danielbuechele", "CC BY 2.0"),
)


@dataset("photographs")
class Photographs(ImageDataset):
    """Patches of 32×32 pixels in colour of six photographs (15,835 / 516 / 1,434).

    Test patches are of other pictures than training patches, every 16 pixels. Training patches lie every 7
    pixels, one after the other in each of the eight ways to lay a square: with fewer, networks learn the
    four pictures by heart. Validation patches are of the right-hand 96 columns of the training pictures,
    every 16 pixels, which training patches do not reach into, without the nine that equal a training patch,
    all of them black. The pictures come with scikit-image (`pip install genbench[photographs]`) and
    scikit-learn, under licences that allow it: `TRAIN` and `TEST` list them. Few subjects: what is learnt
    here is edges and textures, not things.

    References:
        | scikit-image: image processing in Python (van der Walt et al., 2014), `skimage.data`
        | scikit-learn, `sklearn.datasets.load_sample_images`
    """

    version = 2
    paper = "van der Walt et al., 2014"
    levels = 256
    spec = DataSpec(
        "photographs", (3, SIDE, SIDE), range=(0.0, 1.0), levels=256, dequantisation="uniform"
    )

    def load(self) -> dict[str, tuple[Tensor, Tensor]]:
        """Returns the splits' patches; they have no labels."""
        train, test = ([read(picture) for picture in part] for part in (TRAIN, TEST))
        splits = {
            "train": [turn(cut(x[..., :-STRIP], TRAIN_STRIDE)) for x in train],
            "validation": [cut(x[..., -STRIP:]) for x in train],
            "test": [cut(x) for x in test],
        }
        patches = {split: torch.cat(parts) for split, parts in splits.items()}
        rows = {patch.tobytes() for patch in patches["train"].numpy()}
        new = [patch.tobytes() not in rows for patch in patches["validation"].numpy()]
        patches["validation"] = patches["validation"][torch.tensor(new)]
        return {split: (x, torch.zeros(0)) for split, x in patches.items()}

    def labels(self, split: str) -> Tensor | None:
        """Returns None."""
        return None


def cut(x: Tensor, stride: int = STRIDE) -> Tensor:
    """Returns the patches of a picture (3, H, W), shape (N, 3, SIDE, SIDE), row by row."""
    patches = x.unfold(1, SIDE, stride).unfold(2, SIDE, stride)
    return patches.permute(1, 2, 0, 3, 4).flatten(0, 1).contiguous()


def turn(patches: Tensor) -> Tensor:
    """Returns patches (N, 3, SIDE, SIDE), one after the other in each of the eight ways to lay a square."""
    turned = patches.clone()
    for way in range(8):
        some = patches[way::8].rot90(way % 4, (2, 3))
        turned[way::8] = some.flip(3) if way >= 4 else some
    return turned


def read(picture: Picture) -> Tensor:
    """Returns a photograph of an installed package, (3, H, W), uint8.

    Raises:
        AbsentData: If the package is not installed, or has no such file.
        DataError: If the file cannot be read.
    """
    from PIL import Image, UnidentifiedImageError

    package = find_spec(picture.package)
    folders = package.submodule_search_locations if package is not None else None
    path = Path(next(iter(folders or [""])), picture.file)
    if package is None or not path.is_file():
        raise AbsentData(
            f"photographs needs {picture.file} of the package {picture.package}, which is not here; "
            "pip install genbench[photographs]"
        )
    try:
        with Image.open(path) as image:
            pixels = numpy.array(image.convert("RGB"))
    except (OSError, UnidentifiedImageError) as error:
        raise DataError(f"{path} cannot be read: {error}; install its package again") from None
    return torch.from_numpy(pixels).permute(2, 0, 1)
