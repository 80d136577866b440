"""What is measured of a comparison for which nobody named a suite."""

from __future__ import annotations

from pathlib import Path

from genbench.core.dataset import DATASETS, Dataset, open_named, resolve_options
from genbench.core.errors import GenbenchError
from genbench.core.metric import find
from genbench.core.spec import Part, Suite
from genbench.evaluation.evaluate import OF_PAIRS


def add_usual(suite: Suite, *, data_dir: Path | None = None, offline: bool = False) -> Suite:
    """Returns a suite that also measures what its data sets' `quality` names, and errors of pairs of images.

    Arguments:
        suite: Whose cells are a comparison of their own.
        data_dir: A folder with data sets' files.
        offline: Whether downloads are forbidden.
    """
    parts = {
        (part.name, repr(part.options)): part for cells in suite.cells for part in cells.datasets
    }
    wanted: dict[str, None] = {}
    for part in parts.values():
        wanted |= dict.fromkeys(_declared(part.name))
        try:
            chosen = resolve_options(part.name, part.options)
            data = open_named(part.name, data_dir=data_dir, offline=offline, **chosen)
        except GenbenchError:
            continue  # the plan says why
        wanted |= dict.fromkeys(OF_PAIRS if _has_pairs(data) else ())
    had = {part.name for part in suite.metrics}
    more = [Part(name=metric.name) for metric in find([*wanted]) if metric.name not in had]
    return suite.model_copy(update={"metrics": [*suite.metrics, *more]})


def _declared(name: str) -> list[str]:
    """The columns that decide on a data set and that must be passed beside them."""
    quality = DATASETS.get(name).quality if name in DATASETS else None
    return [] if quality is None else [*quality.primary, *(b.column for b in quality.beside)]


def _has_pairs(data: Dataset) -> bool:
    spec = data.spec
    return spec.source is not None and spec.is_image and spec.kind == "continuous"
