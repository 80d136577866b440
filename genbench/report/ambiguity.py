"""How much a source leaves open, by the squared error of the best row."""

from __future__ import annotations

from collections.abc import Mapping

import torch

from genbench.core.dataset import Dataset
from genbench.report.columns import TableColumn
from genbench.report.groups import Group
from genbench.report.tables import Table
from genbench.report.text import number

#: the column that squared errors are read of, in decibels below 1
COLUMN = "psnr"
#: test points that the variance is taken of
POINTS = 2000


def describe_ambiguity(table: Table, data: Dataset | None) -> str | None:
    """Returns a sentence on how much of the truth's variance the best row leaves, with its row.

    An adversary can win only what the source leaves open, and a regression's squared error tells how much
    that is at most. Both errors are geometric means over images, as PSNR has them.

    Arguments:
        table: A leaderboard.
        data: Its data set, or None.

    Returns:
        The sentence; None without PSNR, or where the data set is not at hand or its points do not vary.
    """
    best = _best(table)
    constant = _psnr_of_mean(data)
    if best is None or constant is None:
        return None
    group, column, decibels = best
    share = 10 ** ((constant - decibels) / 10)
    known = data is not None and data.truth is not None and data.truth.answers is not None
    return (
        f"What a source leaves open: the least squared error of the rows, that of {group.label} "
        f"({number(decibels)} dB, {column.protocol}), is {share:.1%} of the variance of the true images "
        f"({number(constant)} dB for their mean), in geometric means over images. No more than that is open"
        + (
            ", and what is open is known: error_over_least is the error over it."
            if known
            else ", and only what is open can an adversary win."
        )
    )


def _best(table: Table) -> tuple[Group, TableColumn, float] | None:
    """The row of the highest mean PSNR on test points, in the protocol that most rows have."""
    means: dict[TableColumn, Mapping[str, float]] = {}
    for column in table.columns:
        if column.id == COLUMN and column.split == "test":
            cells = {g.id: table.cell(g, column).estimate.mean for g in table.groups}
            means[column] = {id: mean for id, mean in cells.items() if mean is not None}
    if not any(means.values()):
        return None
    column = max(means, key=lambda c: len(means[c]))
    id = max(means[column], key=means[column].__getitem__)
    return next(g for g in table.groups if g.id == id), column, means[column][id]


def _psnr_of_mean(data: Dataset | None) -> float | None:
    """The PSNR of the average true image in place of each, in decibels."""
    if data is None or data.given is None or not data.matched or not data.spec.is_image:
        return None
    try:
        x = data.points("test")[:POINTS].double()
    except Exception:  # files of the data set that are not on this machine
        return None
    error = (x - x.mean(0)).square().flatten(1).mean(1)
    return float(-10 * torch.log10(error).mean()) if bool((error > 0).all()) else None
