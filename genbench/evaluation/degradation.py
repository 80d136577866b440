"""The known map from points to the sources that samples were made from, and what protocols call it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from torch import Tensor

from genbench.core.errors import SpecError
from genbench.core.guard import blamed
from genbench.evaluation.batches import ReadOptions
from genbench.evaluation.sources import open_dataset, parse_dataset


def find_map(
    degrade: str | Callable[[Tensor], Tensor] | None, options: ReadOptions
) -> Callable[[Tensor], Tensor] | None:
    """Returns the known map from points to their sources, given as such or by the data set that knows it.

    Raises:
        SpecError, UnknownName: If there is no such data set, or it knows none.
    """
    if callable(degrade):
        return partial(_apply_map, degrade)
    if degrade is None:
        return None
    if not isinstance(degrade, str):
        raise SpecError(
            f"--degrade needs a data set's name, or in Python a function, got {degrade!r}"
        )
    dataset, _ = open_dataset(parse_dataset(degrade), options)
    if dataset.truth is None or dataset.truth.degrade is None:
        raise SpecError(
            f"--degrade needs a data set that knows the map from its points to their sources, "
            f"{dataset.name} knows none; name one that does, as super_resolution:of=photographs,scale=4"
        )
    return dataset.truth.degrade


def name_map(degrade: str | Callable[[Tensor], Tensor] | None) -> str:
    """Returns what a map from points to sources is called in protocols; "" of none."""
    if callable(degrade):
        return str(getattr(degrade, "__qualname__", type(degrade).__name__))
    if degrade is None:
        return ""
    part = parse_dataset(degrade)
    return ":".join(
        [part.name, *(f"{key}={value}" for key, value in sorted(part.options.items()))]
    )


def _apply_map(degrade: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
    with blamed("degrade", degrade):
        return degrade(x)
