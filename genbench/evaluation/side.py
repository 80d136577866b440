"""One side of a comparison: points, in every space in which a metric looks at them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor

from genbench.core.feature import Extractor
from genbench.evaluation.requests import (
    EXTRACTED,
    to_space,
)
from genbench.points.moments import Moments


@dataclass
class Side:
    """One side of a comparison: points, in every space in which a metric looks at them.

    Arguments:
        views: Rows by space of `requests.SPACES`. A space that is missing is made of `events` when it
            is first looked at.
        count: How many points there are.
        extractor: Returns the extractor, on the first look at a space that needs it.
        label: What the user called the points.
        head: The first points, (at most 64, *event), to look at.
        moments: The mean and covariance of the features, where a file gives them; without `views` they
            are all there is.
        labels: The class of each point, (count,), where it is known.
        unlabelled: Why it is not known, where there is more to say than that.
        digest: A hash of the points, where it was asked for.
        loss_networks: The extractors, by name, in the loss of the model that made the points.
    """

    views: dict[str, Tensor]
    count: int
    extractor: Callable[[], Extractor]
    label: str = ""
    head: Tensor = field(default_factory=lambda: torch.empty(0))
    moments: Moments | None = None
    labels: Tensor | None = None
    unlabelled: str = ""
    digest: str = ""
    loss_networks: tuple[str, ...] = ()

    @property
    def has_points(self) -> bool:
        """Whether there are points, and not their moments alone."""
        return self.moments is None or bool(self.views)

    def summarise(self) -> Moments:
        """Returns the moments of the features: those of a file, else those of the points."""
        if self.moments is not None:
            return self.moments
        return Moments.of(self.view("features").cpu(), self.extractor().protocol)

    @classmethod
    def of(
        cls, x: Tensor, extractor: Callable[[], Extractor], labels: Tensor | None = None
    ) -> Side:
        """Returns points (N, *event) that are in memory as a side."""
        return cls({"events": x}, len(x), extractor, labels=labels)

    def take(self, rows: Tensor) -> Side:
        """Returns some of the points, in every space that has been made."""
        views = {space: x[rows.to(x.device)] for space, x in self.views.items()}
        labels = None if self.labels is None else self.labels[rows]
        return replace(self, views=views, count=len(rows), labels=labels, moments=None)

    def to(self, device: torch.device) -> Side:
        """Returns the points on a device, as far as half of its free memory holds them all."""
        if device.type != "cuda":  # others have no float64
            return self
        size = sum(x.nbytes for x in self.views.values())
        if size > torch.cuda.mem_get_info(device)[0] // 2:
            return self
        return replace(self, views={space: x.to(device) for space, x in self.views.items()})

    def view(self, space: str) -> Tensor:
        """Returns the points in a space, one row per point."""
        if space not in self.views:
            extractor = self.extractor() if space in EXTRACTED else None
            self.views[space] = to_space(space, self.views["events"], extractor)
        return self.views[space]
