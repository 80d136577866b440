"""Figures: what a claim's own plot shows, as data; the report draws it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from genbench.core.effect import Values
from genbench.core.evidence import Evidence, Run

Place = str | float | Values


@dataclass(frozen=True)
class Series:
    """What shares a colour and a name in the legend.

    Arguments:
        name: The name.
        x: Where: a word or a number for all seeds, or one value per seed.
        y: At every place, one value per seed.
        law: Known rather than measured (a closed form); drawn dashed, without a band.
    """

    name: str
    x: Sequence[Place]
    y: Sequence[Values]
    law: bool = False


@dataclass(frozen=True)
class Figure:
    """A plot of seeds.

    Arguments:
        kind: `strip`: words down the side, a dot per seed beside them; `lines`: medians over places in
            this order, with the middle half of the seeds; `scatter`: a dot per seed.
        x: What the places are, with the unit.
        y: What the values are, with the unit.
        series: What is drawn; places without values are left out.
        log: The axes that are logarithmic: "", "x", "y" or "xy".
        levels: Named values of y to draw across, such as a bar or the value of true data.
        note: How to read it, as a sentence.
    """

    kind: Literal["strip", "lines", "scatter"]
    x: str
    y: str
    series: Sequence[Series]
    log: Literal["", "x", "y", "xy"] = ""
    levels: Mapping[str, float] = field(default_factory=dict)
    note: str = ""


def strip(
    evidence: Evidence,
    families: Mapping[str, Mapping[str, Run]],
    column: str,
    y: str,
    *,
    log: Literal["", "y"] = "",
    levels: Mapping[str, float] | None = None,
    note: str = "",
) -> Figure:
    """Returns a column of runs as a strip, a colour per family.

    Arguments:
        evidence: What has been measured.
        families: By family, the runs by the names to show.
        column: The column.
        y: What its values are, with the unit.
        log: "y" for a logarithmic axis.
        levels: Named values to draw across.
        note: How to read it.
    """
    series = [
        Series(family, list(runs), [evidence.scores(run, column) for run in runs.values()])
        for family, runs in families.items()
    ]
    return Figure("strip", "", y, series, log=log, levels=levels or {}, note=note)
