"""genbench tune: costs, a search, its table, its product, on the command line."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from genbench.cli import cli
from genbench.core.errors import GenbenchError
from genbench.store import Store
from genbench.store.tuning import Tunings
from genbench.store.validate import validate

CONFIG = (
    "suites: {}\ntuning:\n  ring: {budget: {steps: 4}, batch: 8, samples: 20, "
    "criteria: {samples: mmd}, trials: 5}\n"
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("cli")
    (path / "benchmarks.yaml").write_text(CONFIG)
    return path


def call(folder, *words):
    common = [
        "-m",
        "vae",
        "-d",
        "ring",
        "-c",
        folder / "benchmarks.yaml",
        "-o",
        folder / "runs",
    ]
    return CliRunner().invoke(
        cli, ["tune", *map(str, words), *map(str, common)], catch_exceptions=True
    )


def test_it_runs_and_writes_what_suites_take(folder):
    dry = call(folder, "--dry-run", "--json")
    assert (dry.exit_code, json.loads(dry.stdout)[0]["trials"]) == (0, 5)
    assert not (folder / "runs" / "tuning").exists()
    done = call(folder, "--device", "cpu", "--json")
    rows = json.loads(done.stdout)
    assert done.exit_code == 0
    assert len(rows) == 5 + 3 + 2  # trials that reach each rung, the default all of them
    curves = call(folder, "--curves", "--json")
    assert {row["name"] for row in json.loads(curves.stdout)} == {
        "vae",
        "variational",
    }
    assert "best of 4" in call(folder, "--curves").stdout
    accepted = call(folder, "--accept", "--tuned", folder / "tuned.yaml")
    assert (accepted.exit_code, "vae" in (folder / "tuned.yaml").read_text()) == (0, True)
    assert "0.0 core-hours left" in call(folder, "--dry-run").stdout
    assert validate(Store(folder / "runs")) == (0, [])
    path, _, _ = next(iter(Tunings(folder / "runs").scan()))
    path.write_text(path.read_text().replace('"k": 1', '"k": 9'))
    assert [problem.kind for problem in validate(Store(folder / "runs"))[1]] == ["record"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--trials", "4"], "take 1 or 5"),
        (["-m", "gaussian"], "no search space"),
        (["-d", "digits"], "tuning plan"),
        (["-m", "vea"], "vae"),
    ],
)
def test_what_cannot_be_is_one_sentence(folder, words, message):
    names = {"-m": "vae", "-d": "ring", **dict(zip(words[::2], words[1::2], strict=True))}
    chosen = [word for pair in names.items() for word in pair]
    result = CliRunner().invoke(
        cli, ["tune", *chosen, "-c", str(folder / "benchmarks.yaml"), "-o", str(folder / "r")]
    )
    assert isinstance(result.exception, GenbenchError)
    assert message in str(result.exception)
