"""The page of one comparison of samples with a reference."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from genbench.core.files import write_bytes
from genbench.report.site.samples import draw_pairs, draw_sheet
from genbench.report.site.side_by_side import SHOWN, TRUTH, name_inputs, stack_columns
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
    source: Tensor | None = None,
) -> None:
    """Writes a page that needs no other file: the scores, and both sides' first images.

    Arguments:
        path: The file.
        rows: The scores.
        samples: What the generated points are called, and the first of them (N, *event).
        reference: Likewise of the real points.
        notes: Sentences to print below.
        source: What the generated points were made from, row by row, or None.
    """
    from markupsafe import Markup

    images = [
        (label, head.float().numpy()) for label, head in (reference, samples) if head.dim() == 4
    ]
    panels = [draw_sheet(label, head, "the first", None) for label, head in images]
    pairs = None
    if source is not None and source.dim() == 4 and len(images) == 2:
        (_, truth), (_, outputs) = images
        columns = [*name_inputs(source.float().numpy()), ("output", outputs), (TRUTH, truth)]
        rows_shown = min(SHOWN, *(len(x) for _, x in columns))
        pairs = draw_pairs(stack_columns([(name, x[:rows_shown]) for name, x in columns]))
    html = render(
        "evaluation.html",
        title=f"{samples[0]} against {reference[0]}",
        style=Markup(read_asset("style.css")),
        rows=rows,
        panels=panels,
        pairs=pairs,
        notes=notes,
    )
    write_bytes(path, html)
