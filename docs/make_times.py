"""Writes how long suites and claims take into docs/running.md and docs/claims.md, as `--dry-run` expects."""

from __future__ import annotations

import os
import tempfile
from functools import partial
from pathlib import Path

from genbench.api import run
from genbench.report.readme import update
from genbench.running.cell_costs import CellCosts, expect, known_costs
from genbench.store import Store
from genbench.store.documents import load_suites
from genbench.store.suites import suite_file

DOCS = Path(__file__).parent
ROOT = DOCS.parent
#: processes side by side
JOBS = 2
#: suites that are shown, and what they need that not everybody has
SHOWN = {
    "demo": "",
    "ci": "",
    "pairs_ci": "",
    "conditional": "Fashion-MNIST",
    "discrete": "",
    "fashion": "Fashion-MNIST",
    "likelihood": "",
    "collapse": "",
    "images": "",
    "toys": "",
}
SCALES = {"default": "registered budget", "quick": "an eighth of the rounds or fewer, six seeds"}


def main() -> None:
    """Writes both tables."""
    os.chdir(ROOT)
    costs = known_costs(Store(ROOT / "results"))
    update(DOCS / "running.md", {"times": partial(make_suites, costs)})
    update(DOCS / "claims.md", {"times": partial(make_claims, costs)})


def make_suites(costs: CellCosts) -> str:
    """Returns a row per suite, the quickest first: its cells, minutes, what it compares and needs."""
    suites = load_suites(suite_file(None))
    rows = []
    for name, needs in SHOWN.items():
        cells, minutes = count(name, costs)
        about = suites[name].description
        rows.append((minutes, f"| `{name}` | {cells} | {minutes:.0f} | {about} | {needs} |"))
    lines = [
        "| suite | cells | minutes | what it compares | needs |",
        "| --- | ---: | ---: | --- | --- |",
    ]
    return "\n".join([*lines, *(row for _, row in sorted(rows))]) + "\n"


def make_claims(costs: CellCosts) -> str:
    """Returns a row per budget of all claims: hours from nothing."""
    lines = ["| all claims from nothing | hours on two cores |", "| --- | ---: |"]
    for scale, about in SCALES.items():
        _, minutes = count("claims", costs, budget_scale=scale)
        lines.append(f"| `--budget-scale {scale}`: {about} | {minutes / 60:.1f} |")
    return "\n".join(lines) + "\n"


def count(suite: str, costs: CellCosts, *, budget_scale: str = "default") -> tuple[int, float]:
    """Returns a suite's cells and the minutes that it takes in an empty folder, by committed seconds."""
    with tempfile.TemporaryDirectory() as folder:
        result = run(suite, results=folder, dry_run=True, budget_scale=budget_scale)
        expected = expect(result.plans, costs)
    return sum(len(plan.cells) for plan in result.plans), expected.wall(JOBS) / 60


if __name__ == "__main__":
    main()
