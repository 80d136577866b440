"""How often, and how far, one run in many lies off its like: by data set, family and column."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, FiniteFloat, model_validator

from genbench.store.documents import list_shipped, read_json
from genbench.store.record import Row

#: where the file lies, from the working folder or from that of genbench
FILE = Path("baselines/rare_events.json")


class RareRuns(Row):
    """The runs of a family that lie far to one side of the median of runs that differ by seed alone.

    Arguments:
        runs: How many runs were looked at, by the protocol that most seeds of a setting were measured by.
        groups: Of how many settings.
        events: How many of the runs lie so far off.
        plain: How far, on average.
        log: How far the logarithm does; 0 of medians of 0, which have none.
    """

    runs: int = Field(ge=1)
    groups: int = Field(ge=1)
    events: int = Field(ge=1)
    plain: Annotated[FiniteFloat, Field(gt=0)]
    log: Annotated[FiniteFloat, Field(ge=0)]

    @model_validator(mode="after")
    def _check(self) -> RareRuns:
        if self.events > self.runs:
            raise ValueError(
                f"{self.events} events of {self.runs} runs: no more than there are runs"
            )
        return self

    @property
    def share(self) -> float:
        """Which share of runs lies so far off, half an event and half a run added (Jeffreys)."""
        return (self.events + 0.5) / (self.runs + 1)


class RareSides(Row):
    """The rare events of a column on both sides, those that there were."""

    above: RareRuns | None = None
    below: RareRuns | None = None


class RareEvents(Row):
    """The whole of baselines/rare_events.json.

    Arguments:
        about: How it was counted, as a sentence.
        events: By data set, family and column; those that had none are left out.
    """

    version: Literal[1] = Field(default=1, alias="schema")
    about: str = ""
    events: dict[str, dict[str, dict[str, RareSides]]] = {}

    def find(self, dataset: str, family: str, column: str) -> RareSides:
        """Returns what runs of a family did."""
        return self.events.get(dataset, {}).get(family, {}).get(column, RareSides())


def read_rare_events(path: Path | None = None) -> RareEvents:
    """Reads the file named, that of the working folder, or that of genbench; without one, nothing is known.

    Raises:
        StoreError: If it is not such a file.
    """
    file = next(iter(list_shipped(FILE, path)), None)
    return _read(file, file.stat().st_mtime_ns) if file is not None else RareEvents()


@lru_cache(maxsize=8)
def _read(path: Path, stamp: int) -> RareEvents:
    make = "write it by: make rare-events"
    return read_json(path, RareEvents, what="file of rare events", make=make)
