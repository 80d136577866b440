"""The published suite schema is the one that the code checks, and the shipped suites fit it."""

from __future__ import annotations

import json
from pathlib import Path

from genbench.core.spec import schema
from genbench.store.documents import load_suites

ROOT = Path(__file__).parent.parent


def test_the_published_schema_is_current():
    published = json.loads((ROOT / "genbench" / "suites.schema.json").read_text())
    assert published == json.loads(json.dumps(schema())), (
        "write it anew from genbench.core.spec.schema()"
    )


def test_the_shipped_suites_are_the_promised_ones():
    suites = load_suites(ROOT / "benchmarks.yaml")
    assert {"demo", "ci", "toys", "images"} <= set(suites)
    demo = suites["demo"]
    models = {part.name for cells in demo.cells for part in cells.models}
    assert len(demo.seed_list) == 8
    assert len(models - {"gaussian", "resample"}) >= 5
