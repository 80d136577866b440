"""Folders and files that cannot be read are said, by every verb that would else leave them out."""

import json
import os
import shutil
import warnings

import pytest

from genbench.report.results import results
from genbench.store import Store

SUITE = """schema: 1
suites:
  tiny:
    description: a test
    seeds: 1
    batch: 8
    budget: {steps: 1}
    samples: 60
    metrics: [fid]
    curve: 0
    cells: [{models: [gaussian, uniform], datasets: [ring]}]
"""


@pytest.fixture
def genbench(genbench, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "tiny.yaml").write_text(SUITE)
    assert genbench("run", "tiny", "-c", "tiny.yaml")[0] == 0
    assert genbench("baseline", "accept", "--to", "b.json")[0] == 0
    return genbench


@pytest.fixture
def locked(monkeypatch):
    """Mode 000, which means nothing to root, by whom tests may be run."""

    def lock(name):
        plain = os.listdir

        def refuse(path="."):
            if str(path).endswith(name):
                raise PermissionError(13, "Permission denied", str(path))
            return plain(path)

        monkeypatch.setattr(os, "listdir", refuse)

    return lock


VERBS = [
    (("validate", "runs"), 1),
    (("export", "out.csv"), 3),
    (("export", "out.csv", "--ignore-damaged"), 0),
    (("merge", "runs", "-o", "union"), 3),
    (("merge", "runs", "-o", "union", "--ignore-damaged"), 0),
    (("report", "--to", "page"), 3),
    (("leaderboard",), 3),
    (("leaderboard", "--ignore-damaged"), 0),
    (("baseline", "accept", "--to", "c.json"), 2),
    (("check", "--baseline", "b.json"), 3),
]


@pytest.mark.parametrize("verb", VERBS, ids=lambda verb: "-".join(verb[0]))
def test_a_folder_that_cannot_be_read_is_said(genbench, locked, verb):
    locked(os.path.join("ring", "uniform"))
    code, out, err = genbench(*verb[0])
    assert code == verb[1]
    assert "ring/uniform cannot be read: Permission denied" in " ".join((out + err).split())


def test_artifacts_and_trials_that_cannot_be_read_are_said(genbench, locked):
    os.makedirs("runs/claims")
    locked(".artifacts")
    assert genbench("validate", "runs")[0] == 1
    locked("claims")
    code, out, _ = genbench("validate", "runs", "--json")
    assert code == 1
    assert any("claims" in row["path"] for row in json.loads(out)["findings"] if row["bad"])


def test_python_warns_of_what_it_did_not_read(genbench, locked):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert len(results("runs")) > 0
    locked(os.path.join("ring", "uniform"))
    with pytest.warns(UserWarning, match="not read: .*ring/uniform cannot be read"):
        assert set(results("runs").model) == {"gaussian"}


TELLING = [
    (("validate",), 1),
    (("export", "out.csv"), 3),
    (("export", "out.csv", "--ignore-damaged"), 0),
    (("merge", "runs", "-o", "union"), 3),
    (("report", "--to", "page"), 3),
    (("leaderboard", "-d", "ring"), 3),
    (("leaderboard", "-o", "sound", "--against", "runs"), 3),
    (("pictures", "--at-most", "0"), 3),
    (("claims", "nash-oscillation", "--no-run"), 3),
    (("claims", "nash-oscillation", "--no-run", "--ignore-damaged"), 0),
    (("tune", "--accept", "--tuned", "tuned.yaml"), 2),
]


def test_damaged_trials_are_named_by_every_verb_that_reads_them(genbench):
    shutil.copytree("runs", "sound")
    for folder in ("claims", "tuning"):
        os.makedirs(f"runs/{folder}")
        with open(f"runs/{folder}/x-0123456789ab.json", "w") as file:
            file.write("{}")
    for verb, expected in TELLING:
        code, out, err = genbench(*verb)
        said = " ".join((out + err).split())
        assert code == expected, (verb, said)
        files = [f for f in ("claims", "tuning") if f"{f}/x-0123456789ab.json" in said]
        assert files == {"claims": ["claims"], "tune": ["tuning"]}.get(verb[0], files[:2] or None)
    assert not os.path.exists("tuned.yaml")
    assert sorted(os.listdir("runs/claims")) == ["x-0123456789ab.json"]


def test_damaged_records_are_named_by_pictures_claims_and_comparisons(genbench):
    shutil.copytree("runs", "sound")
    path = next(iter(Store("runs").files()))
    path.write_text("{}")
    for verb in (
        ("pictures", "--at-most", "0"),
        ("leaderboard", "-o", "sound", "--against", "runs"),
    ):
        code, _, err = genbench(*verb)
        assert (code, f"not read: {path}" in err) == (3, True), verb


@pytest.mark.parametrize("make", [os.mkfifo, lambda path: os.symlink("/dev/zero", path), os.mkdir])
def test_what_is_no_file_in_a_records_place_is_said_and_done_anew(genbench, make):
    path = next(iter(Store("runs").files()))
    path.unlink()
    make(path)
    code, _, err = genbench("export", "out.csv")
    assert code == 3
    assert f"not read: {path} cannot be read" in err
    assert genbench("run", "tiny", "-c", "tiny.yaml")[0] == 0
    assert Store("runs").problems() == []
    assert len(Store("runs").files()) == 2


def test_a_folder_that_a_group_shares_has_a_lock_for_all_of_it(genbench, tmp_path):
    shared = tmp_path / "shared"
    shared.mkdir()
    shared.chmod(0o2775)
    assert genbench("run", "tiny", "-c", "tiny.yaml", "-o", shared)[0] == 0
    assert (shared / ".lock").stat().st_mode & 0o777 == 0o664
    assert (tmp_path / "runs" / ".lock").stat().st_mode & 0o022 == 0


def test_leftovers_of_killed_runs_are_removed_once_they_are_old(genbench, tmp_path):
    old, new = (tmp_path / "runs" / "ring" / f".{name}.json.x.tmp" for name in ("old", "new"))
    for path in (old, new):
        path.write_text("{")
    os.utime(old, (1, 1))
    assert genbench("run", "tiny", "-c", "tiny.yaml", "--force")[0] == 0
    assert (old.exists(), new.exists()) == (False, True)


@pytest.mark.parametrize(
    "verb",
    [
        ("validate", "runs"),
        ("leaderboard",),
        ("report",),
        ("pictures",),
        ("claims", "mode-collapse", "--no-run", "-o", "runs"),
    ],
    ids=lambda verb: verb[0],
)
def test_a_folder_of_which_nothing_can_be_read_is_not_called_empty(genbench, locked, verb):
    locked("ring")
    code, _, err = genbench(*verb)
    assert (code, "runs/ring cannot be read: Permission denied" in err) == (2, True), err
    assert "holds no records" not in err
