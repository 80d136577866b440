"""What a submission changes in the leaderboards."""

import json
import re

import pytest
from report_records import record

from genbench.cli import main
from genbench.report.leaderboard_changes import find_changes, summary, to_markdown
from genbench.report.tables import make_leaderboards
from genbench.store import Store


@pytest.fixture(scope="module")
def records(store):
    return list(store.records())


def tables(records):
    return make_leaderboards(records)


def test_the_same_records_change_nothing(records):
    changes = find_changes(tables(records), tables(records))
    assert changes == []
    assert summary(changes) == "nothing differs in the leaderboards"


def test_a_new_row_its_scores_and_the_ranks_that_it_moves(records):
    before = [r for r in records if (r.spec.model, r.spec.dataset) != ("real_nvp", "ring")]
    changes = find_changes(tables(before), tables(records))
    new = [change for change in changes if change.kind == "new row"]
    assert {(change.dataset, change.model) for change in new} == {("ring", "real_nvp")}
    assert {change.before for change in new} == {"–"}
    others = {change.kind for change in changes} - {"new row"}
    assert others == {"rank"}
    assert {change.dataset for change in changes} == {"ring"}
    text = to_markdown(changes)
    assert re.search(r"\d+ scores of new rows, \d+ ranks that moved\.", text)
    assert "<summary>ranks that moved</summary>" in text
    gone = find_changes(tables(records), tables(before))
    assert {change.kind for change in gone} == {"row gone", "rank"}


def test_a_score_that_moves_is_shown_with_both_values(records):
    moved = []
    for r in records:
        if (r.spec.model, r.spec.dataset) == ("gan", "ring"):
            metrics = [
                m.model_copy(update={"value": m.value + 1}) if m.id == "mmd" else m
                for m in r.metrics
            ]
            r = r.model_copy(update={"metrics": metrics})
        moved.append(r)
    changes = [c for c in find_changes(tables(records), tables(moved)) if c.kind == "score"]
    assert {(c.model.split()[0], c.column) for c in changes} == {("gan", "mmd ↓")}
    assert all(c.before != c.now for c in changes)


def test_the_verb_compares_two_folders(store, tmp_path, capsys):
    mine = Store(tmp_path / "mine")
    for seed in range(5):
        mine.write(record(store, "vae", "ring", seed, with_samples=False, options={"hidden": [9]}))
    capsys.readouterr()
    call = ["leaderboard", "-o", str(mine.root), "--against", str(store.root)]
    with pytest.raises(SystemExit) as end:
        main([*call, "-d", "ring", "--format", "markdown"])
    out = capsys.readouterr().out
    assert end.value.code in (0, None)
    assert out.startswith("### What changes in the leaderboards")
    assert "| new row | ring |" in out


def test_both_folders_are_cut_to_the_named_data_sets(store, tmp_path, capsys):
    """A data set that one of them lacks is new, or gone; programs get all changes."""
    mine = Store(tmp_path / "mine")
    mine.write(record(store, "vae", "grid", 0, with_samples=False))
    empty = Store(tmp_path / "other")
    empty.write(record(store, "vae", "ring", 0, with_samples=False))
    capsys.readouterr()
    compare = ["leaderboard", "-o", str(mine.root), "--against", str(empty.root), "--json"]

    def changes(*args):
        with pytest.raises(SystemExit) as end:
            main([*compare, *args])
        out = capsys.readouterr()
        assert end.value.code in (0, None), out.err
        return {(c["kind"], c["dataset"]) for c in json.loads(out.out)["changes"]}

    assert changes() == {("new row", "grid"), ("row gone", "ring")}
    assert changes("-d", "grid") == {("new row", "grid")}
    assert changes("-d", "ring") == {("row gone", "ring")}


def test_named_data_sets_alone_are_written(store, tmp_path):
    with pytest.raises(SystemExit):
        main(["leaderboard", "-o", str(store.root), "-d", "ring", "--to", str(tmp_path / "to")])
    text = (tmp_path / "to" / "leaderboard.md").read_text()
    assert "### ring" in text
    assert "### digits" not in text
