"""Dates of registrations are those that git believes, and what was committed is not taken out."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner
from test_registration import RUN, make_claim, write_scored

from genbench.cli import cli
from genbench.running.claim_cells import specs_of
from genbench.running.registration import find_standing, register
from genbench.store import Store
from genbench.store.registration_check import check_registrations, find_registrations_file
from genbench.store.registration_history import read_history
from genbench.store.registrations import (
    FILE,
    Declared,
    hash_terms,
    read_registrations,
    seal_registrations,
    write_registrations,
)

ROOT = Path(__file__).parents[2]


def commit(date, *paths):
    """Commits files of the working folder at a date."""
    dates = {"GIT_AUTHOR_DATE": date, "GIT_COMMITTER_DATE": date}
    about = ["-c", "user.name=a", "-c", "user.email=a@b", "-c", "commit.gpgsign=false"]
    for words in (["add", "-f", *(paths or ["-A"])], ["commit", "-qm", date, "--allow-empty"]):
        subprocess.run(["git", *about, *words], check=True, env={**os.environ, **dates})


@pytest.fixture
def store(tmp_path, monkeypatch):
    """A folder in git, with a claim that was registered, committed, scored and committed in this order."""
    monkeypatch.chdir(tmp_path)
    subprocess.run(["git", "init", "-q"], check=True)
    commit("2026-01-01T00:00:00+00:00")
    register({"planted": make_claim()}, FILE, date="2026-01-02T00:00:00+00:00")
    commit("2026-01-02T00:05:00+00:00", FILE)
    store = Store(tmp_path / "results")
    write_scored(store, make_claim(), "2026-01-03T00:00:00+00:00")
    commit("2026-01-03T01:00:00+00:00", "results")
    return store


def reasons(store, claim=None):
    own, history = read_registrations(FILE), read_history(FILE)
    return find_standing(claim or make_claim(), store, own, history).reasons


def edit(change, reseal=True):
    """Changes the last registration, by hand or with a seal that fits."""
    known = read_registrations(FILE)
    *others, last = known.claims["planted"]
    last = last.model_copy(update=change)
    last = last.sealed() if reseal else last
    write_registrations(FILE, known.model_copy(update={"claims": {"planted": [*others, last]}}))


def find_wrong():
    return [problem.problem for problem in check_registrations(FILE) if problem.bad]


def register_late(bar=2.0, date="2026-01-04T00:00:00+00:00"):
    register({"planted": make_claim(bar=bar)}, FILE, date=date)


def test_what_was_committed_before_it_was_scored_stands(store):
    own = find_standing(make_claim(), store, read_registrations(FILE), read_history(FILE))
    assert (own.reasons, own.in_git) == ((), True)
    assert check_registrations(FILE) == []


@pytest.mark.parametrize("reseal", [True, False])
@pytest.mark.parametrize("committed", [True, False])
def test_a_registration_cannot_be_dated_back(store, reseal, committed):
    register_late()
    commit("2026-01-04T00:05:00+00:00")
    late = make_claim(bar=2.0)
    assert any("after its first score of 2026-01-03" in reason for reason in reasons(store, late))
    assert find_wrong() == []
    edit({"date": "2026-01-01T00:00:00+00:00"}, reseal)
    if committed:
        commit("2026-01-09T00:00:00+00:00")
    assert any("after its first score of 2026-01-03" in reason for reason in reasons(store, late))
    wrong = find_wrong()
    assert any("2026-01-01 00:00 is in git" in text for text in wrong)
    assert any("was changed or taken out" in text for text in wrong)
    assert any("not as it was sealed" in text for text in wrong) != reseal


def test_within_the_tolerance_the_order_of_commits_counts(store):
    register_late(date="2026-01-02T12:00:00+00:00")
    commit("2026-01-03T02:00:00+00:00")
    assert find_wrong() == []
    (reason,) = reasons(store, make_claim(bar=2.0))
    assert reason == (
        "in git its registration is of 2026-01-03 02:00, after its first score there of 2026-01-03 01:00"
    )


def test_what_had_been_seen_cannot_be_struck_out(store):
    edit({"seen": "all scores"})
    commit("2026-01-02T01:00:00+00:00")
    edit({"seen": None, "note": "x"})
    commit("2026-01-08T00:00:00+00:00")
    assert reasons(store) == ("registered with scores at hand: all scores",)
    assert any("was changed or taken out" in text for text in find_wrong())


def test_a_registration_that_was_taken_out_still_counts(store):
    more = make_claim(RUN.__class__(**{**vars(RUN), "steps": 1000}))
    register({"planted": more}, FILE, date="2026-01-04T00:00:00+00:00")
    commit("2026-01-04T00:00:00+00:00")
    replaced = [reason for reason in reasons(store, more) if "in the place of" in reason]
    assert replaced
    known = read_registrations(FILE)
    write_registrations(
        FILE, known.model_copy(update={"claims": {"planted": known.claims["planted"][1:]}})
    )
    assert [reason for reason in reasons(store, more) if "in the place of" in reason] == replaced
    write_registrations(FILE, known.model_copy(update={"claims": {}}))
    commit("2026-01-08T00:00:00+00:00")
    assert reasons(store, more)[:1] != ("it was never registered",)
    assert len(find_wrong()) == 2


@pytest.mark.parametrize("committed", [True, False])
@pytest.mark.parametrize("whole", [True, False], ids=["the folder", "the file"])
def test_a_file_that_was_deleted_still_counts(store, committed, whole):
    FILE.unlink()
    if whole:
        shutil.rmtree(FILE.parent)
    if committed:
        commit("2026-01-08T00:00:00+00:00")
    assert find_registrations_file(store.root) == FILE.resolve()
    (wrong,) = find_wrong()
    assert wrong.startswith("the file was deleted, with registrations that git has")
    assert "of planted; put it back by: git checkout " in wrong
    assert CliRunner().invoke(cli, ["validate", "results"]).exit_code == 1
    assert reasons(store, make_claim(bar=2.0))[0].startswith("changed since it was registered: ")
    subprocess.run(["sh", "-c", wrong.partition("put it back by: ")[2]], check=True)
    assert (find_wrong(), reasons(store)) == ([], ())


def test_a_file_that_was_committed_and_deleted_within_the_hour_was_a_slip(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    subprocess.run(["git", "init", "-q"], check=True)
    assert find_registrations_file(tmp_path / "results") is None
    register({"planted": make_claim()}, FILE, date="2026-01-02T00:00:00+00:00")
    commit("2026-01-02T00:05:00+00:00")
    FILE.unlink()
    commit("2026-01-02T00:55:00+00:00")
    assert find_wrong() == []
    assert reasons(Store("results")) == ("it was never registered",)


def test_a_slip_may_be_taken_out_at_once(store):
    before = FILE.read_bytes()
    register_late()
    commit("2026-01-04T00:00:00+00:00")
    FILE.write_bytes(before)
    commit("2026-01-04T00:01:00+00:00")
    assert (find_wrong(), reasons(store)) == ([], ())


def test_a_declared_change_cannot_be_dated_back(store):
    known = read_registrations(FILE)
    change = Declared(field="tuned", date="2026-01-01T00:00:00+00:00", why="x")
    write_registrations(FILE, known.model_copy(update={"declared": [change]}))
    assert any("change of tuned declared 2026-01-01" in text for text in find_wrong())
    dated = read_history(FILE).declared(read_registrations(FILE))
    assert not dated.allows("tuned", True, "2026-01-05T00:00:00+00:00")


def test_a_commit_that_is_younger_than_the_date_is_named(store):
    head = subprocess.run(["git", "rev-parse", "HEAD"], capture_output=True, text=True).stdout
    edit({"commit": head[:12] + "+"})
    assert any("which is of 2026-01-03" in text for text in find_wrong())


def test_scores_that_are_made_again_are_as_old_as_git_has_them(store):
    register_late(date="2026-01-03T12:00:00+00:00")
    commit("2026-01-03T12:00:00+00:00")
    for spec in specs_of(RUN):
        store.path(spec).unlink()
    write_scored(store, make_claim(), "2026-01-05T00:00:00+00:00")
    text = "after its first score of 2026-01-03 01:00"
    assert any(text in reason for reason in reasons(store, make_claim(bar=2.0)))


def test_without_a_history_dates_are_as_written(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    register({"planted": make_claim()}, FILE, date="2026-01-02T00:00:00+00:00")
    assert read_history(FILE) is None
    (only,) = check_registrations(FILE)
    assert (only.kind, only.bad) == ("dates", False)
    assert "as written" in only.problem
    standing = find_standing(make_claim(), Store("results"), read_registrations(FILE))
    assert not standing.in_git


def test_a_history_that_is_cut_off_tells_nothing_of_what_it_begins_with(store, tmp_path):
    commit("2026-02-01T00:00:00+00:00")
    url = f"file://{tmp_path}"
    subprocess.run(["git", "clone", "-q", "--depth", "1", url, "cut"], check=True)
    assert [p for p in check_registrations(tmp_path / "cut" / FILE) if p.bad] == []
    own = read_registrations(FILE)
    (one,) = own.claims["planted"]
    assert not read_history(Path("cut") / FILE).knows(one)


def test_registrations_of_the_time_before_seals_are_sealed_once(store):
    raw = json.loads(FILE.read_text())
    del raw["claims"]["planted"][0]["seal"]
    FILE.write_text(json.dumps(raw))
    assert "has no seal" in reasons(store)[0]
    Path("results").mkdir(exist_ok=True)
    assert CliRunner().invoke(cli, ["validate", "results"]).exit_code == 1
    done = CliRunner().invoke(cli, ["validate", "results", "--migrate"])
    assert (done.exit_code, reasons(store)) == (0, ())
    edit({"date": "2025-01-01T00:00:00+00:00"}, reseal=False)
    assert seal_registrations(FILE) == 0
    assert CliRunner().invoke(cli, ["validate", "results"]).exit_code == 1


def test_the_committed_registrations_are_sealed_and_as_git_has_them():
    assert [problem for problem in check_registrations(ROOT / FILE) if problem.bad] == []
    for history in read_registrations(ROOT / FILE).claims.values():
        assert all(one.hash == hash_terms(one.terms, one.rule) for one in history)
