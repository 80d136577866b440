"""Images of one class to be made from images of another."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path

from torch import Tensor

from genbench.core.dataset import SPLITS, DataSpec, ImageDataset, dataset
from genbench.core.derived import Sources, open_images
from genbench.core.errors import SpecError
from genbench.core.quality import Beside, Quality
from genbench.core.truth import Truth


@dataset("attribute")
class Attribute(ImageDataset):
    """The images of one class of another data set, to be made from those of another class.

    No image of one class is the right answer to one of the other, so that nothing is compared with a true
    point: what is made must be of the target's class (`target_class`), and like its own source
    (`content_kept`). Each class is cut to as many images as the smaller one has, and training shows the
    classes' halves of other numbers, as all unpaired data sets do. Features are the other data set's.

    References:
        | Unpaired Image-to-Image Translation using Cycle-Consistent Adversarial Networks (Zhu et al.,
        | 2017), section 5.2, object transfiguration

    Arguments:
        of: The other data set: one of labelled images whose points are fixed.
        source: The class of what is given, a number below that of classes; in Fashion-MNIST 2 is a
            pullover.
        target: The class of what is to be made, another one; there 4 is a coat.
    """

    quality = Quality(("fid",), (Beside("target_class"),))

    paper = "Zhu et al., 2017"
    matched = False

    def __init__(
        self,
        *,
        of: str = "digits",
        source: int = 2,
        target: int = 4,
        data_dir: Path | None = None,
        offline: bool = False,
    ) -> None:
        super().__init__(data_dir=data_dir, offline=offline)
        base = open_images("attribute", of, data_dir, offline)
        classes = base.spec.classes or 0
        if source == target or not (0 <= source < classes and 0 <= target < classes):
            raise SpecError(
                f"attribute needs two of the {classes} classes of {of}, got source={source}, "
                f"target={target}"
            )
        self.base, self.source, self.target = base, source, target
        self.levels = base.levels  # type: ignore[misc]
        grey = {"range": (0.0, 1.0), "levels": base.levels}
        own = DataSpec("attribute sources", base.spec.event, **grey)
        self.spec = DataSpec(
            "attribute",
            base.spec.event,
            **grey,
            classes=classes,
            dequantisation="uniform",
            source=own,
            paired=False,
        )
        self.given = Sources(own, lambda: {split: x[0] for split, x in self._classes.items()})
        self.truth = Truth(box=(0.0, 1.0))

    def load(self) -> dict[str, tuple[Tensor, Tensor]]:
        """Returns the splits' images of the target's class."""
        return {split: (x[1], x[2]) for split, x in self._classes.items()}

    @cached_property
    def _classes(self) -> dict[str, tuple[Tensor, Tensor, Tensor]]:
        """The splits' sources and targets, as many of each, and the targets' labels."""
        assert isinstance(self.base, ImageDataset)
        whole, parts = self.base.load(), {}
        for split in SPLITS:
            pixels, labels = whole[split]
            sources, targets = pixels[labels == self.source], pixels[labels == self.target]
            count = min(len(sources), len(targets))
            if not count:
                raise SpecError(
                    f"attribute needs images of both classes in each split, {self.base.spec.name} has "
                    f"{len(sources)} of class {self.source} and {len(targets)} of class {self.target} in "
                    f"{split}"
                )
            parts[split] = sources[:count], targets[:count], labels[labels == self.target][:count]
        return parts
