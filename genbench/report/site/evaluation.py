"""The page of one comparison of samples with a reference."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from genbench.core.files import write_bytes
from genbench.report.site.samples import draw_sheet
from genbench.report.site.templating import read_asset, render
from genbench.store import Measurement

if TYPE_CHECKING:
    from torch import Tensor


def write_page(
    path: Path,
    rows: Sequence[Measurement],
    samples: tuple[str, Tensor],
    reference: tuple[str, Tensor],
    notes: Sequence[str] = (),
) -> None:
    """Writes a page that needs no other file: the scores, and both sides' first images.

    Arguments:
        path: The file.
        rows: The scores.
        samples: What the generated points are called, and the first of them (N, *event).
        reference: Likewise of the real points.
        notes: Sentences to print below.
    """
    from markupsafe import Markup

    panels = [
        draw_sheet(label, head.float().numpy(), "the first", None)
        for label, head in (reference, samples)
        if head.dim() == 4
    ]
    html = render(
        "evaluation.html",
        title=f"{samples[0]} against {reference[0]}",
        style=Markup(read_asset("style.css")),
        rows=rows,
        panels=panels,
        notes=notes,
    )
    write_bytes(path, html)
