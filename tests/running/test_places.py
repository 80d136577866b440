"""Another order of runs or parts, and what is put in front of them, leaves the others as they were."""

from __future__ import annotations

from dataclasses import replace

import pytest
from claim_records import write
from test_registration import RUN, standing

from genbench.core.claim import Claim
from genbench.core.effect import Effect
from genbench.running.claim_terms import list_terms
from genbench.running.places import arrange_runs
from genbench.running.registration import register
from genbench.store import Store

#: namesakes, and one of another model
LONGER, LONGEST = replace(RUN, steps=1000), replace(RUN, steps=4000)
OTHER = replace(RUN, model="vae")


def make_claim(runs, judged):
    """A claim that judges the modes of runs, each a part, with a bar that its steps tell."""

    def effects(evidence):
        return [Effect(str(r), evidence.scores(r, "modes"), r.steps / 1000) for r in judged]

    return Claim("planted", effects, "s.", "x", "y", runs=runs)


CLAIM = make_claim((RUN, OTHER, LONGER), (RUN, LONGER))


@pytest.fixture
def path(tmp_path):
    return tmp_path / "registrations.json"


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "results")


def write_scored(store, run, started):
    write(store, run, modes=8.0)
    for record in store.of(run.dataset, run.model):
        if record.spec.budget.steps == run.steps:
            store.write(record.model_copy(update={"started": started}))


@pytest.mark.parametrize("runs", [CLAIM.runs[::-1], (LONGER, RUN, OTHER)])
@pytest.mark.parametrize("judged", [(RUN, LONGER), (LONGER, RUN)])
def test_another_order_changes_nothing(path, store, runs, judged):
    register({"planted": CLAIM}, path, date="2026-01-01T00:00:00+00:00")
    write_scored(store, RUN, "2026-01-02T00:00:00+00:00")
    turned = make_claim(runs, judged)
    assert not standing(turned, store, path).exploratory
    register({"planted": turned}, path, date="2026-01-03T00:00:00+00:00")
    assert not standing(turned, store, path).exploratory
    assert not standing(CLAIM, store, path).exploratory


def test_what_is_put_in_front_is_added_and_leaves_the_others_as_old_as_they_were(path, store):
    register({"planted": CLAIM}, path, date="2026-01-01T00:00:00+00:00")
    for run in CLAIM.runs:
        write_scored(store, run, "2026-01-02T00:00:00+00:00")
    wider = make_claim((LONGEST, *CLAIM.runs), (LONGEST, RUN, LONGER))
    assert standing(wider, store, path).reasons == (
        "changed since it was registered: part 1: added",
        "changed since it was registered: runs.gan on ring #3: added",
    )
    register({"planted": wider}, path, date="2026-01-03T00:00:00+00:00")
    write_scored(store, LONGEST, "2026-01-04T00:00:00+00:00")
    found = standing(wider, store, path)
    assert (found.reasons, found.extended) == ((), True)
    write_scored(store, LONGEST, "2026-01-02T00:00:00+00:00")
    assert standing(wider, store, path).exploratory


def test_a_run_that_changed_keeps_its_place_among_namesakes(path, store):
    register({"planted": CLAIM}, path, date="2026-01-01T00:00:00+00:00")
    changed = make_claim((LONGEST, LONGER, OTHER), (LONGEST, LONGER))
    assert standing(changed, store, path).reasons == (
        "changed since it was registered: part 1.bar: 0.4, now 4.0",
        "changed since it was registered: runs.gan on ring.steps: 400, now 4000",
    )


def test_a_part_that_was_left_out_after_the_first_score_makes_the_verdict_exploratory(path, store):
    register({"planted": CLAIM}, path, date="2026-01-01T00:00:00+00:00")
    for run in CLAIM.runs:
        write_scored(store, run, "2026-01-02T00:00:00+00:00")
    less = make_claim(CLAIM.runs, (LONGER,))
    assert standing(less, store, path).reasons == (
        "changed since it was registered: former part 1: left out",
    )
    register({"planted": less}, path, date="2026-01-03T00:00:00+00:00")
    assert standing(less, store, path).reasons == (
        "registered 2026-01-03 00:00, after its first score of 2026-01-02 00:00",
        "changed by that registration: former part 1: left out",
    )


def test_a_last_part_that_was_left_out_after_the_first_score_does_too(path, store):
    register({"planted": CLAIM}, path, date="2026-01-01T00:00:00+00:00")
    less = make_claim(CLAIM.runs, (RUN,))
    register({"planted": less}, path, date="2026-01-02T00:00:00+00:00")
    for run in CLAIM.runs:
        write_scored(store, run, "2026-01-03T00:00:00+00:00")
    assert not standing(less, store, path).exploratory, "it was left out before there were scores"
    register({"planted": make_claim(CLAIM.runs, ())}, path, date="2026-01-04T00:00:00+00:00")
    late = standing(make_claim(CLAIM.runs, ()), store, path)
    assert late.exploratory
    assert "part 1: left out" in late.reasons[-1]


def test_runs_keep_the_places_that_they_were_registered_at():
    terms = list_terms(CLAIM)
    turned = replace(CLAIM, runs=(LONGEST, LONGER, OTHER, RUN))
    assert arrange_runs(turned, terms).runs == (RUN, OTHER, LONGER, LONGEST)
    alone = make_claim((OTHER, RUN), (RUN,))
    assert arrange_runs(alone, terms) is alone
