"""How far test set and extractor move scores, by data set and column: what more seeds do not reduce."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Literal, Protocol

from pydantic import Field

from genbench.core.effect import Noise
from genbench.core.metric import IntervalScale
from genbench.statistics.intervals import Estimate, mean_interval, widen
from genbench.store.documents import list_shipped, read_json
from genbench.store.record import Row

#: where the file lies, from the working folder or from that of genbench
FILE = Path("baselines/measurement_error.json")


class Spread(Row):
    """Standard deviations from one source: of one model's score, and between two models.

    `own` and `own_log` are of the score and its logarithm, `plain` and `log` of differences and of
    logarithms of ratios of two models' scores on the same test points by the same extractor. Logarithms
    are null where scores may be negative.
    """

    own: float
    own_log: float | None = None
    plain: float
    log: float | None = None


class ColumnError(Row):
    """A column's errors on a data set, by source; `unbounded` says that scores have no upper end.

    `floor` is how far another test set would move what real points score, a standard deviation.
    """

    test: Spread
    unbounded: bool = False
    extractor: Spread | None = None
    floor: float | None = None

    def total(self, field: Literal["own", "own_log", "plain", "log"]) -> float:
        """Returns the standard deviation from both sources together, which are independent."""
        sources = [self.test, self.extractor]
        return math.hypot(*(getattr(s, field) or 0.0 for s in sources if s is not None))

    def own_deviation(self, mean: float) -> float:
        """Returns the standard deviation of one model's score, in proportion to it where errors grow."""
        return abs(mean) * self.total("own_log") if self.relative else self.total("own")

    def deviation_between(self, a: float, b: float) -> float:
        """Returns that of the difference of two models' scores."""
        return (abs(a) + abs(b)) / 2 * self.total("log") if self.relative else self.total("plain")

    @property
    def relative(self) -> bool:
        """Whether errors grow with the score, as those of a distance that is never negative."""
        return self.test.log is not None and self.unbounded


class Measured(Protocol):
    """What scores of one column have in common: a measurement's, or a leaderboard's column."""

    @property
    def id(self) -> str:
        """The id of the column."""
        ...

    @property
    def split(self) -> str:
        """The split that was compared with."""
        ...

    @property
    def protocol(self) -> str:
        """How it was measured."""
        ...


class MeasurementErrors(Row):
    """The whole of baselines/measurement_error.json.

    Arguments:
        about: How it was measured, as a sentence.
        errors: By data set and column.
    """

    version: Literal[1] = Field(default=1, alias="schema")
    about: str = ""
    errors: dict[str, dict[str, ColumnError]] = {}

    def find(self, dataset: str, column: str) -> ColumnError | None:
        """Returns the errors of a column on a data set, or None where they were not measured."""
        return self.errors.get(dataset, {}).get(column)

    def find_of(self, dataset: str, measured: Measured) -> ColumnError | None:
        """Returns what test set and extractor leave uncertain of scores: of those of test points alone."""
        error = self.find(dataset, measured.id)
        if error is None or measured.split != "test":
            return None
        # measured by the classifier's features, for columns that need any
        alike = error.extractor is None or measured.protocol.startswith("classifier")
        return error if alike else None

    def floor_error(self, dataset: str, column: str) -> float:
        """Returns the standard deviation of what real points score, 0 where it was not measured."""
        error = self.find(dataset, column)
        return (error.floor or 0.0) if error is not None else 0.0

    def noise(self, dataset: str, column: str, level: float) -> Noise:
        """Returns what lies between models' scores at a level, nothing where it was not measured."""
        error = self.find(dataset, column)
        if error is None:
            return Noise()
        return Noise(error.deviation_between(level, level), error.total("log"))


def estimate_score(
    values: Sequence[float], scale: IntervalScale = "linear", error: ColumnError | None = None
) -> Estimate:
    """Returns the mean of a column over seeds with its 95 % interval, wherever one is shown.

    The interval holds what test set and extractor may do, as far as that was measured.

    Arguments:
        values: One per completed seed.
        scale: What the interval is worked out on.
        error: What test set and extractor leave uncertain.
    """
    own = mean_interval(values, scale=scale)
    if error is None or own.mean is None:
        return own
    return widen(own, error.own_deviation(own.mean))


def read_measurement_errors(path: Path | None = None) -> MeasurementErrors:
    """Reads the file named, that of the working folder, or that of genbench; without one, nothing is known.

    Raises:
        StoreError: If it is not such a file.
    """
    files = list_shipped(FILE, path)
    file = next(iter(files), None)
    return _read(file, file.stat().st_mtime_ns) if file is not None else MeasurementErrors()


@lru_cache(maxsize=8)
def _read(path: Path, stamp: int) -> MeasurementErrors:
    make = "write it by: make measurement-error"
    return read_json(path, MeasurementErrors, what="file of measurement errors", make=make)
