"""The taxonomy of models: every one at its place, with steps and abilities taken from the code."""

from __future__ import annotations

from io import StringIO

import pytest
from rich.console import Console

from genbench.cli import taxonomy
from genbench.core.model import MODELS


@pytest.fixture(scope="module")
def rows():
    return {row["name"]: row for row in taxonomy.rows()}


def test_every_model_is_in_the_tree(rows):
    assert set(rows) == set(MODELS.names())
    out = StringIO()
    Console(file=out, width=140).print(taxonomy.tree(list(rows.values())))
    lines = out.getvalue().splitlines()
    for name in rows:
        assert sum(f" {name} " in line for line in lines) == 1
    for part in ("explicit", "tractable", "approximate", "implicit", "fully visible"):
        assert sum(line.rstrip().endswith(f" {part}") for line in lines) >= 1


@pytest.mark.parametrize(
    ("name", "likelihood", "steps", "latent", "chain"),
    [
        ("gan", "none", "1", "free", False),
        ("vae", "lower", "1", "free", False),
        ("realnvp", "exact", "1", "D", False),
        ("made", "exact", "D", "none", False),
        ("rbm", "estimate", "200", "free", True),
        ("gaussian", "exact", "1", "none", False),
    ],
)
def test_columns_follow_from_the_code(rows, name, likelihood, steps, latent, chain):
    row = rows[name]
    assert row["likelihood"] == likelihood
    assert row["sequential_steps"] == steps
    assert row["latent"] == latent
    assert row["chain"] is chain
