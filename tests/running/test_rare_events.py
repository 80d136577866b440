"""Rare events of families: counted in records, read by claims, and held by registrations."""

import importlib
import json
import sys
from pathlib import Path

import pytest
from claim_records import write

from genbench.cli.claims_text import list_details
from genbench.core.claim import Claim, Run
from genbench.core.effect import Effect, compare_best, difference
from genbench.core.errors import StoreError
from genbench.core.rare import RareEvent, rare_of
from genbench.report.cards import Card
from genbench.report.caveats import find_without_test_set
from genbench.report.claim_json import to_dict
from genbench.running.claim_terms import describe_run
from genbench.running.evidence import ClaimEvidence
from genbench.running.laid_down import FirstScores, find_late
from genbench.running.measured_noise import digest_rare, find_rare
from genbench.running.registration import find_standing, register
from genbench.running.same_terms import BY_RULE, WHOLE, is_part, list_ignored
from genbench.statistics.contests import estimate
from genbench.statistics.verdicts import RULE
from genbench.store import Store
from genbench.store.rare_events import FILE, RareRuns, read_rare_events
from genbench.store.registrations import Registration, hash_terms, read_registrations

RUN, OTHER = (Run(model, "digits", ("fid",), seeds=8, steps=400) for model in ("gan", "vae"))
FAR = {"runs": 100, "groups": 10, "events": 3, "plain": 50.0, "log": 1.2}
SHARE = 3.5 / 101


@pytest.fixture
def events(plant_baseline):
    return plant_baseline(FILE, "events")


@pytest.fixture
def script(monkeypatch):
    monkeypatch.syspath_prepend(str(Path(__file__).parents[1] / "proof"))
    yield importlib.import_module("rare_events")
    sys.modules.pop("rare_events", None)


def test_a_run_has_those_of_its_family_on_its_data_set(events):
    events({"digits": {"adversarial": {"fid": {"above": FAR}}}})
    assert find_rare(RUN, "fid") == [RareEvent(pytest.approx(SHARE), 50.0, 1.2, 1)]
    assert find_rare(OTHER, "fid") == []
    assert find_rare(Run("gan", "ring", ("fid",)), "fid") == []
    assert find_rare(RUN, "precision") == []
    events({"digits": {"adversarial": {"fid": {"above": FAR, "below": FAR | {"log": 0.3}}}}})
    assert [(e.side, e.log) for e in find_rare(RUN, "fid")] == [(1, 1.2), (-1, 0.3)]


def test_data_sets_with_options_have_their_own(events):
    run = Run("srgan", "super_resolution", ("psnr",), steps=400)
    name = "super_resolution(kernel=box, of=digits, scale=2)"
    events({name: {"translation": {"psnr": {"below": FAR}}}})
    assert [e.side for e in find_rare(run, "psnr")] == [-1]


def test_verdicts_leave_room_for_them(events, tmp_path):
    def effects(evidence):
        rows = {run.model: evidence.scores(run, "fid") for run in (RUN, OTHER)}
        gap = compare_best({"gan": rows["gan"]}, {"vae": rows["vae"]}, "lower", log=True)
        return [Effect("gap", gap.values, contest=gap), Effect("d", difference(*rows.values()))]

    claim = Claim("planted", effects, runs=(RUN, OTHER), statement="s.", source="x", why="y")
    store = Store(tmp_path / "results")
    for run, value in ((RUN, 20.0), (OTHER, 50.0)):
        write(store, run, fid=value)
    events({})
    steady = [estimate(e) for e in effects(ClaimEvidence(claim, store))]
    events({"digits": {"adversarial": {"fid": {"above": FAR}}}})
    own = effects(ClaimEvidence(claim, store))
    prone = [estimate(e) for e in own]
    assert steady[0].low - prone[0].low > 0.05
    assert prone[0].high == steady[0].high, "better a run of this family never was"
    assert prone[1].high - steady[1].high > 2
    assert prone[1].low == steady[1].low
    assert not find_without_test_set(claim, own)


def test_what_was_counted_is_registered(events, tmp_path):
    def effects(evidence):
        return [Effect("fid", evidence.scores(RUN, "fid"), 30.0, "below")]

    claim = Claim("planted", effects, runs=(RUN,), statement="s.", source="x", why="y")
    path, store = tmp_path / "registrations.json", Store(tmp_path / "results")
    events({"digits": {"adversarial": {"fid": {"above": FAR}}}})
    assert describe_run(RUN)["rare"] == digest_rare(RUN) != "none"
    assert describe_run(OTHER)["rare"] == "none"
    register({"planted": claim}, path, date="2026-01-01T00:00:00+00:00")
    write(store, RUN, fid=20.0)
    assert not find_standing(claim, store, read_registrations(path)).reasons
    events({"digits": {"adversarial": {"fid": {"above": FAR | {"events": 4}}}}})
    reasons = find_standing(claim, store, read_registrations(path)).reasons
    assert [r for r in reasons if "other rare events of the family" in r]


def test_across_the_rule_that_made_intervals_anew_parts_are_the_same():
    assert WHOLE[-1] == RULE, "the rule of today stands with the others"
    assert list_ignored("judge/6", "judge/7") == {"made_of_intervals"}
    assert list_ignored("judge/7", "judge/6") == {"made_of_intervals"}
    assert list_ignored("judge/5", "judge/6") == set()
    assert list_ignored("judge/1", "judge/6") == set(BY_RULE)
    assert list_ignored("judge/1", "judge/7") == {*BY_RULE, "made_of_intervals"}
    assert list_ignored(RULE, RULE) == set()
    old = {"effect": "a", "bar": 1.0, "made_of_intervals": "1"}
    new = {"effect": "b", "bar": 1.0, "made_of_intervals": "2"}
    assert is_part(old, new, list_ignored("judge/6", "judge/7"))
    assert not is_part(old, new)
    assert not is_part(old, new | {"bar": 2.0}, list_ignored("judge/6", "judge/7"))


def test_what_was_changed_before_that_rule_stays_changed():
    """Intervals that were made otherwise with scores at hand, by one rule, are late by the next as well."""
    claim = Claim("planted", lambda e: [], runs=(RUN,), statement="s.", source="x", why="y")

    def registered(day, rule, intervals):
        part = {"effect": "a", "bar": 1.0, "made_of": "0", "made_of_intervals": intervals}
        terms = {"parts": [part], "runs": {}}
        about = {"commit": "", "rule": rule, "terms": terms, "hash": hash_terms(terms, rule)}
        return Registration(date=f"2026-01-{day:02}T00:00:00+00:00", **about).sealed()

    def late(*history):
        scores = FirstScores({}, "2026-01-02T00:00:00+00:00")
        return list(find_late(claim, history[-1].terms, [], scores, history))

    first, same = registered(1, "judge/5", "1"), registered(3, "judge/6", "1")
    changed, anew = registered(3, "judge/6", "2"), registered(4, "judge/7", "3")
    assert not late(first, same, anew)
    assert not late(first, anew)
    assert [one.laid_down for one in late(first, changed)] == [changed.date]
    assert [one.laid_down for one in late(first, changed, anew)] == [changed.date]


TIGHT = [20.0, 20.1, 19.9, 20.2, 19.8, 20.1, 19.9]


@pytest.mark.parametrize(
    ("values", "side", "count"),
    [
        ([*TIGHT, 60.0], 1, 1),
        ([*TIGHT, 60.0], -1, 0),
        ([*TIGHT, 5.0], -1, 1),
        ([*TIGHT, 20.9], 1, 0),  # a twentieth of the value: as good as alike
        ([*TIGHT, 21.2], 1, 1),
        ([10.0, 20.0, 30.0, 25.0, 15.0, 22.0, 18.0, 50.0], 1, 0),  # widely spread
        ([0.0] * 7 + [1.0], 1, 0),  # of no size that says what is far
        ([1.0] * 7 + [0.3], -1, 1),
    ],
)
def test_events_are_far_beside_how_runs_usually_vary(script, values, side, count):
    assert len(script.find_events(values, side)) == count


def test_records_tell_how_often_and_how_far_runs_of_a_family_lie_off(script, tmp_path):
    store = Store(tmp_path / "results")
    write(store, RUN, fid=[*TIGHT, 60.0])
    write(store, Run("wgan_gp", "digits", ("fid",), seeds=8, steps=400), fid=[*TIGHT, 20.0])
    write(store, OTHER, fid=[*TIGHT, 20.0])
    write(store, Run("lsgan", "digits", ("fid",), seeds=7, steps=400), fid=[*TIGHT[:6], 90.0])
    write(store, Run("r1_gan", "digits", ("fid",), seeds=8, steps=400), status="diverged")
    whole = script.count_events(store)
    assert whole.about.startswith("runs of 3 settings")
    (families,) = whole.events.values()
    assert list(families) == ["adversarial"]
    assert families["adversarial"]["fid"].below is None
    found = families["adversarial"]["fid"].above
    assert (found.runs, found.groups, found.events) == (16, 2, 1)
    assert found.plain == pytest.approx(40.0, abs=0.1)
    assert found.log == pytest.approx(1.1, abs=0.01)


def test_medians_of_0_have_no_logarithm(script, tmp_path):
    store, some = Store(tmp_path / "results"), [-1.0, -1.0, 0.0, 0.0, 0.0, 1.0, 1.0]
    write(store, RUN, fid=[*some, 60.0])
    write(store, Run("wgan_gp", "digits", ("fid",), seeds=8, steps=400), fid=[*some, 0.0])
    found = script.count_events(store).find("digits", "adversarial", "fid").above
    assert (found.events, found.plain, found.log) == (1, 60.0, 0.0)


def test_what_a_tenth_of_the_runs_do_is_not_rare(script, tmp_path):
    store = Store(tmp_path / "results")
    write(store, RUN, fid=[*TIGHT, 60.0])
    assert script.count_events(store).events == {}, "one of eight"


@pytest.mark.parametrize(
    "runs",
    ['{"plain": 1e999}', '{"log": 1e999}', '{"events": 101}', '{"plain": 0}', '{"runs": 0}'],
)
def test_files_that_say_what_cannot_be_are_refused(events, runs):
    events({})
    name = json.loads(runs).popitem()[0]
    rows = json.dumps({k: v for k, v in FAR.items() if k != name})[:-1] + ", " + runs[1:]
    FILE.write_text(
        f'{{"schema": 1, "events": {{"digits": {{"flow": {{"fid": {{"above": {rows}}}}}}}}}}}'
    )
    with pytest.raises(StoreError, match=r"rare_events\.json:1: "):
        find_rare(RUN, "fid")


def test_the_file_is_sound_and_names_what_there_is():
    known = read_rare_events()
    assert known.find("digits", "adversarial", "fid").above.events >= 5
    assert known.find("digits", "adversarial", "no such column").above is None
    shares = [
        runs.share
        for families in known.events.values()
        for columns in families.values()
        for sides in columns.values()
        for runs in (sides.above, sides.below)
        if isinstance(runs, RareRuns)
    ]
    assert len(shares) > 50
    assert max(shares) < 0.2
    evidence = ClaimEvidence(
        Claim("a", lambda e: [], runs=(RUN,), statement="s.", source="x", why="y"), Store("none")
    )
    assert rare_of(evidence.scores(RUN, "fid"))[0].side == 1


def test_cards_tell_which_events_intervals_leave_room_for(events, tmp_path):
    def effects(evidence):
        rows = (evidence.scores(run, "fid") for run in (RUN, OTHER))
        return [Effect("gap", difference(*rows), 1.0)]

    claim = Claim("planted", effects, runs=(RUN, OTHER), statement="s.", source="x", why="y")
    store = Store(tmp_path / "results")
    events({"digits": {"adversarial": {"fid": {"above": FAR, "below": FAR | {"plain": 2.0}}}}})
    phrase = (
        "fid on digits: adversarial, 3 of 100 runs above their like by 50; "
        "adversarial, 3 of 100 runs below their like by 2"
    )
    card = Card(claim, store)
    assert list_details(card)["Room for rare events"] == [phrase]
    assert to_dict(card)["rare_events"] == [phrase]
    events({})
    assert Card(claim, store).rare_events == []


def test_a_run_that_was_scored_by_two_protocols_counts_once(script):
    few, many = [20.0] * 8, [*TIGHT, 60.0, 20.0]
    groups = {("a", "k1"): few, ("a", "k2"): many, ("b", "k1"): few, ("c", "k1"): few[:7]}
    assert script.choose_protocols(groups) == {"a": many, "b": few}
