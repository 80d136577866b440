"""A part whose interval is made otherwise of the same values is another part."""

from __future__ import annotations

from dataclasses import replace

import pytest
from claim_records import write
from test_registration import RIVALS, RUN, standing

from genbench.core.claim import Claim
from genbench.core.effect import Effect, Scores, compare_best, difference
from genbench.running.claim_terms import list_terms
from genbench.running.planted_intervals import hash_intervals
from genbench.running.registration import register
from genbench.store import Store
from genbench.store.registrations import hash_terms, read_registrations, write_registrations

CHANGED = (
    "part 1: makes its interval of something else "
    "(test sets' noise, rare events, sides or pairs of seeds)"
)


def make_claim(alter=lambda values: values):
    """The gap of two rows by FID, altered."""

    def effects(evidence):
        rows = (evidence.scores(run, "fid") for run in (RUN, RIVALS[0]))
        return [Effect("FID", alter(difference(*rows)), 0.1)]

    return Claim("planted", effects, "s.", "x", "y", runs=(RUN, *RIVALS))


def make_contest(alter=lambda row: row, **changes):
    """The contest of a row with its rivals, each of whose rows is altered, as is the contest."""

    def effects(evidence):
        ours = {"gan": evidence.scores(RUN, "fid")}
        theirs = {run.model: alter(evidence.scores(run, "fid")) for run in RIVALS}
        gap = replace(compare_best(ours, theirs, "lower", log=True), **changes)
        return [Effect("FID", gap.values, 0.1, contest=gap)]

    return Claim("planted", effects, "s.", "x", "y", runs=(RUN, *RIVALS))


def turn(gap):
    return Scores(gap, gap.noise, sides=gap.sides[::-1]) if gap else gap


def drop_rare(gap):
    if not gap:
        return gap
    sides = [Scores(row, gap.noise) for row in gap.sides]
    return Scores(gap, gap.noise, sides=sides)


ALTERED = {
    "plain values": make_claim(dict),
    "without noise": make_claim(lambda gap: Scores(gap, sides=gap.sides)),
    "without rare events": make_claim(drop_rare),
    "without sides": make_claim(lambda gap: Scores(gap, gap.noise)),
    "other sides": make_claim(turn),
}
ALTERED_CONTESTS = {
    "without noise": make_contest(lambda row: Scores(row, independent=True)),
    "seed by seed": make_contest(independent=False),
}


@pytest.mark.parametrize(
    ("before", "changed"),
    [
        *((make_claim(), one) for one in ALTERED.values()),
        *((make_contest(), one) for one in ALTERED_CONTESTS.values()),
    ],
    ids=[*ALTERED, *(f"contest, {name}" for name in ALTERED_CONTESTS)],
)
def test_what_an_interval_is_made_of_is_registered(tmp_path, before, changed):
    path, store = tmp_path / "registrations.json", Store(tmp_path / "results")
    register({"planted": before}, path, date="2026-01-01T00:00:00+00:00")
    assert not standing(before, store, path).exploratory
    old, new = (list_terms(claim)["parts"][0] for claim in (before, changed))
    assert old["made_of"] == new["made_of"]
    assert standing(changed, store, path).reasons == (
        f"changed since it was registered: {CHANGED}",
    )


def test_one_that_changed_after_the_first_score_is_exploratory(tmp_path):
    path, store = tmp_path / "registrations.json", Store(tmp_path / "results")
    changed = make_claim(dict)
    register({"planted": make_claim()}, path, date="2026-01-01T00:00:00+00:00")
    write(store, RUN, fid=1.0)
    for record in store.of(RUN.dataset, RUN.model):
        store.write(record.model_copy(update={"started": "2026-01-02T00:00:00+00:00"}))
    assert not standing(make_claim(), store, path).exploratory
    register({"planted": changed}, path, date="2026-01-03T00:00:00+00:00")
    assert standing(changed, store, path).reasons == (
        "registered 2026-01-03 00:00, after its first score of 2026-01-02 00:00",
        f"changed by that registration: {CHANGED}",
    )


def test_older_registrations_do_not_hold_it(tmp_path):
    path, store = tmp_path / "registrations.json", Store(tmp_path / "results")
    register({"planted": make_claim()}, path, date="2026-01-01T00:00:00+00:00")
    known = read_registrations(path)
    (own,) = known.claims["planted"]
    parts = [
        {k: v for k, v in part.items() if k != "made_of_intervals"} for part in own.terms["parts"]
    ]
    terms = own.terms | {"parts": parts}
    old = own.model_copy(update={"terms": terms, "hash": hash_terms(terms, own.rule)}).sealed()
    write_registrations(path, known.model_copy(update={"claims": {"planted": [old]}}))
    assert not standing(make_claim(dict), store, path).exploratory


def test_wording_and_the_claim_s_bar_are_of_no_account():
    claim = make_claim()

    def effects(evidence):
        return [replace(e, name="other", bar=5.0) for e in claim.function(evidence)]

    (own,) = hash_intervals(claim, 1)
    assert hash_intervals(replace(claim, function=effects), 1) == [own]
    assert len(own) == 12
