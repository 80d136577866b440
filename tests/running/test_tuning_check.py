"""Tuned options by their trials: the committed file passes, and an edit by hand does not."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from genbench.cli import cli
from genbench.running.tuning_check import check_tuned, find_tuned_file
from genbench.store.tuned import FILE

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / FILE).read_text()
#: of the first entry
ENTRY = TEXT.split("\n- model: ")[1]


def line(key):
    """The first line of the first entry that gives a key."""
    return next(line for line in ENTRY.splitlines() if line.strip().startswith(f"{key}:"))


def check(path, text):
    path.write_text(text)
    return check_tuned(ROOT / "results", path)


def test_the_committed_file_is_what_its_trials_give():
    assert find_tuned_file(ROOT / "results") == ROOT / FILE
    assert check_tuned(ROOT / "results", ROOT / FILE) == []


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("lr", "0.5"),
        ("trial", "3"),
        ("validation", "0.5"),
        ("gain", "99.0"),
        ("average", "0.5"),
        ("trials_hash", "0123456789abcdef"),
        ("sampler", "tpe"),
        ("batch", "64"),
    ],
)
def test_an_edit_by_hand_is_found_and_named(tmp_path, key, value):
    own = line(key)
    problems = check(
        tmp_path / "tuned.yaml", TEXT.replace(own, f"{own.partition(':')[0]}: {value}", 1)
    )
    assert [problem.kind for problem in problems][:1] == ["tuned"]
    named = "seal" if key == "trials_hash" else key
    assert any(named in problem.problem for problem in problems)
    assert "genbench tune --accept" in problems[0].problem


def test_unequal_tuning_is_one_sentence_per_data_set(tmp_path):
    problems = check(tmp_path / "tuned.yaml", TEXT.replace(line("trials"), "  trials: 41", 1))
    (unequal,) = (p for p in problems if "not tuned alike" in p.problem)
    assert "had 41 trials by random; " in unequal.problem


def test_trials_that_are_not_there_are_counted_and_no_fault(tmp_path):
    (tmp_path / "runs").mkdir()
    (only,) = check_tuned(tmp_path / "runs", ROOT / FILE)
    assert (only.kind, only.bad) == ("absent", False)
    assert find_tuned_file(tmp_path / "runs") is None


def test_a_file_that_cannot_be_read_is_a_problem(tmp_path):
    (only,) = check(tmp_path / "tuned.yaml", "entries: 3")
    assert (only.kind, only.bad) == ("tuned", True)


def test_validate_checks_the_file_beside_results(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    shutil.copytree(ROOT / "results" / "tuning", "results/tuning")
    Path("baselines").mkdir()
    shutil.copy(ROOT / FILE, FILE)
    sound = CliRunner().invoke(cli, ["validate", "results", "--json"])
    assert (sound.exit_code, json.loads(sound.stdout)["findings"]) == (0, [])
    FILE.write_text(TEXT.replace(line("validation"), "      validation: 0.5", 1))
    edited = CliRunner().invoke(cli, ["validate", "results"])
    assert edited.exit_code == 1
    assert "WRONG tuned" in edited.stdout
    shutil.move("results", "runs")
    assert CliRunner().invoke(cli, ["validate", "runs"]).exit_code == 0
    assert CliRunner().invoke(cli, ["validate", "runs", "--tuned", str(FILE)]).exit_code == 1
