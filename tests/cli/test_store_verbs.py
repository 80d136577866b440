"""The verbs on results folders: validate, merge, export."""

import json

import pandas
import pytest

from genbench.core.spec import Budget, CellSpec
from genbench.store import Measurement, Record, Store


def put(root, value=1.5, seed=0):
    spec = CellSpec(
        model="gan",
        model_version=1,
        options={},
        dataset="ring",
        dataset_version=1,
        budget=Budget(steps=1),
        batch=4,
        seed=seed,
    )
    fid = Measurement(id="fid", metric="fid", version=1, protocol="p", value=value)
    made = Record(
        cell=spec.cell, group=spec.group, status="ok", spec=spec, taxonomy="t", metrics=[fid]
    )
    return Store(root).write(made)


@pytest.fixture
def genbench(genbench, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return genbench


def test_validate_says_what_is_wrong_and_exits_with_1(genbench):
    path = put("runs")
    assert genbench("validate")[:2] == (0, "1 sound records in runs, 0 problems\n")
    path.write_text(path.read_text().replace("1.5", "1.6"))
    code, out, _ = genbench("validate", "runs")
    assert code == 1
    assert out.startswith(f"WRONG record    {path} is not a record: its content is not what")
    assert out.endswith("0 sound records in runs, 1 problem\n")
    code, out, _ = genbench("validate", "--json")
    found = json.loads(out)
    assert (code, found["ok"], found["records"]) == (1, False, 0)
    assert [(row["kind"], row["bad"]) for row in found["findings"]] == [("record", True)]


def test_validate_needs_a_folder(genbench):
    code, out, err = genbench("validate", "none")
    assert (code, out) == (2, "")
    assert err.startswith("genbench: none is not a folder; make records with")


def test_merge_unites_and_stops_at_conflicts_until_told(genbench):
    put("a")
    put("b", seed=1)
    assert genbench("merge", "a", "b", "-o", "c")[0] == 0
    assert len(list(Store("c").records())) == 2
    put("d", value=2.5)
    code, out, _ = genbench("merge", "a", "d", "-o", "e")
    assert code == 1
    assert "fid (test): 1.5 | 2.5" in out
    assert "nothing is written because of 1 conflicts; choose with --keep" in out
    assert list(Store("e").records()) == []
    code, out, _ = genbench("merge", "a", "d", "-o", "e", "--keep", "last", "--json")
    found = json.loads(out)
    assert (code, found["ok"], found["written"], len(found["conflicts"])) == (0, True, 1, 1)
    assert next(Store("e").records()).metrics[0].value == 2.5


def test_folders_without_anything_are_no_success(genbench, tmp_path):
    (tmp_path / "empty").mkdir()
    for words in (("validate", "empty"), ("merge", "empty", "-o", "all")):
        code, out, err = genbench(*words)
        assert (code, out, "empty holds no records; make records with" in err) == (2, "", True)
    put("full")
    assert genbench("merge", "empty", "full", "-o", "all")[0] == 0


def test_a_folder_within_a_results_folder_names_that(genbench):
    put("some results")
    inside = [("validate", f"some results/{name}") for name in ("no", "ring")]
    for words in (("leaderboard", "-o", "some results/ring"), *inside):
        code, _, err = genbench(*words)
        assert (code, "lies within a results folder" in err) == (2, True)
        assert "name that in its place: some results\n" in err
    code, _, err = genbench("leaderboard", "-o", "some results/../nothing")
    assert (code, "some results/../nothing is not a folder" in err) == (2, True)


def test_export_writes_a_table(genbench, tmp_path):
    put("runs")
    assert genbench("export", "a.csv")[:2] == (0, "1 measurements in a.csv\n")
    assert pandas.read_csv(tmp_path / "a.csv").value.tolist() == [1.5]
    assert genbench("export", "a.txt")[0] == 2
