"""The taxonomy of models: every one at its place, with steps and abilities taken from the code."""

from __future__ import annotations

from io import StringIO

import pytest
from rich.console import Console

from genbench.cli import main, taxonomy
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
        ("captioner", "given", "D", "none", False),
        ("text_gan", "none", "1", "free", False),
        ("exgan", "none", "1", "none", False),
    ],
)
def test_columns_follow_from_the_code(rows, name, likelihood, steps, latent, chain):
    row = rows[name]
    assert row["likelihood"] == likelihood
    assert row["sequential_steps"] == steps
    assert row["latent"] == latent
    assert row["chain"] is chain


def test_every_model_s_steps_are_known(rows):
    assert [name for name, row in rows.items() if row["sequential_steps"] == "–"] == []


BROKEN = """
from genbench import Model, model
@model("broken_tree")
class BrokenTree(Model):
    taxonomy = "implicit/direct"
    def __init__(self, spec, rng):
        super().__init__(spec, rng)
        self.register_buffer("null", rng.normal(1))
    def players(self): return ()
    def sample(self, n, rng): return rng.normal(n, *self.spec.event)
"""


@pytest.mark.usefixtures("registered")
def test_a_model_of_a_plugin_that_cannot_be_built_is_named(tmp_path, capsys):
    (tmp_path / "broken_tree.py").write_text(BROKEN)
    with pytest.raises(SystemExit) as end:
        main(["list", "models", "--plugin", str(tmp_path / "broken_tree.py")])
    assert end.value.code == 2
    assert "model 'broken_tree' failed: KeyError" in capsys.readouterr().err
