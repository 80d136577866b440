"""The verbs of the gate: accept a baseline, hold results against it, exit with what was found."""

import json
from xml.etree import ElementTree

import pytest

from genbench.core.spec import Budget, CellSpec
from genbench.running.cells import cell_specs
from genbench.store import Measurement, Record, Store
from genbench.store.documents import load_suites


def fill(root, value=1.5, seeds=6, **changed):
    for seed in range(seeds):
        spec = CellSpec(
            **{"model": "gan", "model_version": 1, "options": {}, "dataset": "ring"},
            **{"dataset_version": 1, "budget": Budget(steps=1), "batch": 4, "seed": seed},
        )
        fid = Measurement(
            **{"id": "fid", "metric": "fid", "version": 1, "protocol": "p"},
            value=value + 0.01 * (seed % 3) + 0.001 * seed,
        )
        given = {"status": "ok", "metrics": [fid]} | changed
        Store(root).write(Record(cell=spec.cell, group=spec.group, spec=spec, **given))


@pytest.fixture
def genbench(genbench, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GIT_AUTHOR_NAME", "Ada")
    monkeypatch.setenv("COLUMNS", "160")
    return genbench


ACCEPT = ("baseline", "accept", "--from", "runs", "--to", "baselines/ci.json")
OTHER = ("baseline", "accept", "--from", "mine", "--to", "baselines/ci.json")
CHECK = ("check", "--baseline", "baselines/ci.json", "--candidate")


def test_accept_and_check_and_their_exit_codes(genbench, tmp_path):
    fill("runs")
    told = "baselines/ci.json {}: 1 scores of 1 groups of cells\n"
    assert genbench(*ACCEPT, "--note", "first")[:2] == (0, told.format("written"))
    held = (tmp_path / "baselines/ci.json").read_text()
    assert json.loads(held)["accepted"]["by"] == "Ada"
    assert genbench(*ACCEPT, "--by", "Grace")[:2] == (0, told.format("is unchanged"))
    assert (tmp_path / "baselines/ci.json").read_text() == held
    code, out, _ = genbench(*CHECK, "runs")
    assert code == 0
    assert out.splitlines()[-1] == "passed: nothing worse; 1 scores tested"
    fill("worse", value=3.0)
    code, out, _ = genbench(*CHECK, "worse")
    assert (code, "failed: 1 regression; 1 scores tested" in out) == (1, True)
    fill("broken", status="error", metrics=[], phase="train", reason="oops")
    assert genbench(*CHECK, "broken")[0] == 3
    other = Measurement(id="fid", metric="fid", version=2, protocol="p", value=1.5)
    fill("other", metrics=[other])
    code, out, _ = genbench(*CHECK, "other", "--format", "markdown")
    assert (code, "**not comparable**: version 1 → 2" in out) == (4, True)


def test_the_forms_for_machines(genbench):
    fill("runs")
    fill("worse", value=3.0)
    genbench(*ACCEPT)
    code, out, _ = genbench(*CHECK, "worse", "--format", "junit")
    suite = ElementTree.fromstring(out.encode()).find("testsuite")
    assert (code, suite.get("failures")) == (1, "1")
    code, out, _ = genbench(*CHECK, "worse", "--json")
    found = json.loads(out)
    assert (code, found["ok"], found["exit_code"], len(found["rows"])) == (1, False, 1, 1)
    assert found["rows"][0]["verdict"] == "regression"


def test_what_is_not_there_or_damaged_is_bad_input_or_a_missing_cell(genbench, tmp_path):
    fill("runs")
    code, _, err = genbench(*CHECK, "runs")
    assert (code, "make one with: genbench baseline accept" in err) == (2, True)
    assert "accept --from runs" not in err, "which is what it takes by itself"
    fill("mine")
    assert f"make one with: {' '.join(['genbench', *OTHER])}" in genbench(*CHECK, "mine")[2]
    genbench(*ACCEPT)
    code, _, err = genbench(*CHECK, "nowhere")
    assert (code, "nowhere is not a folder" in err) == (2, True)
    path = next((tmp_path / "runs").glob("*/*/*.json"))
    path.write_text(path.read_text().replace("1.5", "1.4"))
    code, out, _ = genbench(*CHECK, "runs", "--json")
    found = json.loads(out)
    assert code == 3
    assert [row["why"] for row in found["rows"] if row["bad"]] == ["5 seeds, the baseline has 6"]
    assert "is not a record" in found["notes"][-1]
    code, _, err = genbench(*ACCEPT)
    assert (code, "a baseline needs a sound folder" in err) == (2, True)


def test_records_of_an_own_suite_are_made_by_its_own_file(genbench, tmp_path):
    fill("runs")
    genbench(*ACCEPT)
    path = tmp_path / "baselines" / "ci.json"
    path.write_text(path.read_text().replace('"suite": null', '"suite": "guard"'))
    (tmp_path / "empty").mkdir()
    for folder in ("nowhere", "empty"):
        code, _, err = genbench(*CHECK, folder)
        assert (code, f"genbench run guard -o {folder} (with --config, its" in err) == (2, True)
    path.write_text(path.read_text().replace('"guard"', '"ci"'))
    assert "with --config" not in genbench(*CHECK, "nowhere")[2]


def test_accept_takes_the_cells_of_a_suite_alone(genbench, tmp_path):
    fill("runs")
    suite = {
        "description": "a test",
        "metrics": ["fid"],
        "cells": [{"models": ["gan"], "datasets": ["ring"]}],
    }
    path = tmp_path / "suites.yaml"
    path.write_text(json.dumps({"schema": 1, "suites": {"tiny": suite}}))
    code, _, err = genbench(*ACCEPT, "--suite", "tiny", "--config", path)
    assert (code, "a baseline needs scores" in err) == (2, True), "options differ from the suite's"
    code, _, err = genbench(*ACCEPT, "--suite", "tiyn", "--config", path)
    assert (code, "did you mean 'tiny'?" in err) == (2, True)


def test_a_part_of_a_suite_is_not_accepted_as_the_suite(genbench, tmp_path):
    cells = [{"models": [model], "datasets": ["ring"]} for model in ("gan", "vae")]
    suite = {"description": "a test", "metrics": ["fid"], "seeds": 6, "cells": cells}
    path = tmp_path / "suites.yaml"
    path.write_text(json.dumps({"schema": 1, "suites": {"tiny": suite}}))
    tiny = load_suites(path)["tiny"]
    of_suite = (*ACCEPT, "--suite", "tiny", "--config", path)
    for cell, code in zip(tiny.cells, (2, 0), strict=True):
        for spec in cell_specs(tiny, cell, cell.models[0], cell.datasets[0], autocast=False):
            about = {"id": "fid", "metric": "fid", "version": 1, "protocol": "p"}
            fid = Measurement(value=1 + 0.1 * spec.seed, **about)
            record = Record(
                cell=spec.cell, group=spec.group, spec=spec, status="ok", metrics=[fid]
            )
            Store("runs").write(record)
        told = genbench(*of_suite)
        assert told[0] == code
        if code:
            assert "no records of 1 of the 2 groups of cells of suite 'tiny'; make them" in told[2]
            assert "genbench run tiny -o runs" in told[2]
            assert not (tmp_path / "baselines").exists()


def test_accept_tells_what_it_no_longer_guards_and_what_has_too_few_seeds(genbench):
    fill("runs")
    assert "no longer guarded" not in genbench(*ACCEPT)[1]
    for path in Store("runs").files():
        path.unlink()
    spec = CellSpec(
        **{"model": "vae", "model_version": 1, "options": {}, "dataset": "ring"},
        **{"dataset_version": 1, "budget": Budget(steps=1), "batch": 4, "seed": 0},
    )
    about = {"id": "fid", "metric": "fid", "version": 1, "protocol": "p", "value": 1.0}
    record = Record(
        cell=spec.cell, group=spec.group, spec=spec, status="ok", metrics=[Measurement(**about)]
    )
    Store("runs").write(record)
    code, out, _ = genbench(*ACCEPT)
    assert code == 0
    assert "no longer guarded, of what the file guarded: 1 groups, first gan on ring\n" in out
    assert "never tested: 1 of the scores, which have fewer than 5 seeds\n" in out


def test_junit_fails_wherever_the_check_does(genbench):
    """A server that reads the file and not the exit code must not see a pass."""
    fill("few", seeds=3)
    genbench("baseline", "accept", "--from", "few", "--to", "few.json")
    fill("runs")
    genbench(*ACCEPT)
    Store("runs").root.joinpath("ring", "gan", "0123456789abcdef.json").write_text("{")
    for code, asked, words in (
        (4, ("check", "--baseline", "few.json", "--candidate", "few"), "nothing could be tested"),
        (3, (*CHECK, "runs"), "1 of the files or folders not read; 1 scores tested"),
    ):
        found, out, _ = genbench(*asked, "--format", "junit")
        suite = ElementTree.fromstring(out.encode()).find("testsuite")
        assert (found, suite.get("tests"), suite.get("failures")) == (code, "2", "1")
        (failure,) = suite.iter("failure")
        assert failure.get("message").startswith(words)
