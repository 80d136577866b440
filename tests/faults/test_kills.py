"""A slice of `make kills`, and that its table would show what went wrong."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

import kills
from kill_scenes import SCENES


@pytest.fixture
def campaign(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder").mkdir()
    return kills.Campaign(0)


def test_what_is_lost_changed_or_left_is_counted(campaign, tmp_path, monkeypatch):
    row, root = kills.Row(), tmp_path / "folder"
    for name, text in (("one.json", "1"), ("two.json", "2")):
        (root / name).write_text(text)
    recorded = kills.list_recorded(root)
    (root / "one.json").unlink()
    (root / "two.json").write_text("3")
    monkeypatch.setattr(campaign, "do", lambda args, row: 0)
    campaign._check(SCENES[0], root, recorded, row)
    assert row.counts == {"lost": 1, "wrong": 1}
    (root / ".x.json.tmp").write_text("")
    scene = kills.Scene("run", "run", "folder", lambda root: {"a": 1, "c": 2})
    campaign._compare(scene, root, {"a": 1, "b": 1}, row)
    assert row.counts == {"lost": 2, "wrong": 2, "left behind": 1}


def test_a_wrong_end_is_counted(campaign):
    row = kills.Row()
    assert campaign.do(["merge", "nowhere", "-o", "folder"], row) == 2
    assert campaign.do(["--version"], row, kills.signal.SIGKILL, at=1) == 0
    assert (row.counts, row.kills.total(), row.runs) == ({"unhelpful": 1}, 0, 2)


@pytest.mark.slow
def test_nothing_is_lost_or_goes_on_wrong(tmp_path, monkeypatch):
    monkeypatch.setenv("GENBENCH_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    rows = kills.run(25, [], seed=1)
    assert {name: row.notes for name, row in rows.items() if row.notes} == {}
    assert sum(row.kills.total() for row in rows.values()) == 25
