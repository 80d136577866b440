"""A part that treats failed, absent, negative, tiny or large numbers otherwise is another part."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from test_registration import RIVALS, RUN, make_contest, standing

from genbench.core.claim import CLAIMS, Claim
from genbench.core.effect import Effect, Scores, compare_best
from genbench.running.claim_terms import list_terms
from genbench.running.planted_extremes import PLANTS, ExtremeEvidence, hash_extremes
from genbench.running.registration import register
from genbench.store import Store
from genbench.store.registrations import hash_terms, read_registrations, write_registrations

CHANGED = "part 1: makes something else of failed, absent, negative, tiny or large numbers"


def make_claim(alter=lambda seed, value: value, bar=0.1):
    """The contest of `make_contest`, whose rivals' values are altered, or dropped where that gives None."""

    def effects(evidence):
        ours = {"gan": evidence.scores(RUN, "fid")}
        theirs = {run.model: change(evidence.scores(run, "fid"), alter) for run in RIVALS}
        gap = compare_best(ours, theirs, "lower", log=True)
        own = bar(ours["gan"]) if callable(bar) else bar
        return [Effect("FID" + gap.who, gap.values, own, contest=gap)]

    about = {"statement": "s.", "source": "x", "why": "y"}
    return Claim("planted", effects, runs=(RUN, *RIVALS), **about)


def change(row, alter):
    kept = {seed: alter(seed, value) for seed, value in row.items()}
    kept = {seed: value for seed, value in kept.items() if value is not None}
    same = {"independent": row.independent, "rare": row.rare} if row else {}
    return Scores(kept, row.noise, **same) if row else row


ALTERED = {
    "failed seeds are dropped": lambda seed, v: v if math.isfinite(v) else None,
    "failed seeds are mild": lambda seed, v: v if math.isfinite(v) else 1.0,
    "small values are raised": lambda seed, v: v + 0.5 if v < 0.05 else v,
    "large values are lowered": lambda seed, v: min(v, 9.5),
    "later seeds are dropped": lambda seed, v: v if seed < 40 else None,
}


@pytest.mark.parametrize("how", ALTERED)
def test_what_ordinary_numbers_do_not_show_is_registered_too(tmp_path, how):
    path, store = tmp_path / "registrations.json", Store(tmp_path / "results")
    register({"planted": make_claim()}, path, date="2026-01-01T00:00:00+00:00")
    assert not standing(make_contest(), store, path).exploratory
    changed = make_claim(ALTERED[how])
    before, now = (list_terms(claim)["parts"][0] for claim in (make_claim(), changed))
    assert before["made_of"] == now["made_of"]
    assert standing(changed, store, path).reasons == (
        f"changed since it was registered: {CHANGED}",
    )


def test_a_bar_that_follows_the_scores_is_another(tmp_path):
    def low(scores):
        return min(0.1, *scores.values()) if scores else 0.1

    fixed, loose = (list_terms(one)["parts"][0] for one in (make_claim(), make_claim(bar=low)))
    assert fixed["bar"] == loose["bar"]
    assert fixed["made_of_extremes"] != loose["made_of_extremes"]


def test_what_older_registrations_do_not_hold_is_of_no_account(tmp_path):
    path, store = tmp_path / "registrations.json", Store(tmp_path / "results")
    register({"planted": make_claim()}, path, date="2026-01-01T00:00:00+00:00")
    known = read_registrations(path)
    (own,) = known.claims["planted"]
    (part,) = own.terms["parts"]
    later = ("made_of_extremes", "made_of_intervals", "exempted")
    terms = own.terms | {"parts": [{k: v for k, v in part.items() if k not in later}]}
    old = own.model_copy(update={"terms": terms, "hash": hash_terms(terms, own.rule)}).sealed()
    write_registrations(path, known.model_copy(update={"claims": {"planted": [old]}}))
    assert not standing(make_claim(), store, path).exploratory
    changed = make_claim(ALTERED["failed seeds are dropped"])
    assert not standing(changed, store, path).exploratory
    assert standing(make_claim(lambda seed, value: value + 1), store, path).exploratory


def test_every_claim_is_hashed_and_the_same_each_time():
    for name in ("mode_collapse", "discrete_data", "training_stability", "missing_pixels"):
        claim = CLAIMS.get(name)
        count = len(list_terms(claim)["parts"])
        hashes = hash_extremes(claim, count)
        assert len(hashes) == count
        assert hashes == hash_extremes(claim, count)


def test_plants_hold_what_they_are_named_for():
    row = {
        name: ExtremeEvidence((RUN,), plant=plant).scores(replace(RUN, metrics=("fid",)), "fid")
        for name, plant in PLANTS.items()
    }
    assert any(map(math.isinf, row["numbers of which some failed"].values()))
    assert 0 < len(row["some absent"]) < 8
    assert len(row["many"]) == 64
    assert max(row["negative"].values()) < 0 < max(row["of both signs"].values())
    assert max(row["tiny"].values()) < 0.06
    assert min(row["large"].values()) > 7
    assert len({*row["all equal"].values()}) == 1
