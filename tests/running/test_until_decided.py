"""Claims that add seeds look by look: until every part is decided, or the looks or the seeds end."""

from dataclasses import replace
from statistics import fmean

import pytest
from claim_records import write

from genbench.core.claim import CLAIMS, Claim, Run
from genbench.core.effect import Effect
from genbench.core.errors import SpecError
from genbench.running.claims import is_decided, run_until_decided
from genbench.running.evidence import ClaimEvidence
from genbench.running.null_gates import NullRows, read_effects
from genbench.running.scale import Scale
from genbench.running.suites import RunOptions
from genbench.statistics.looks import Looks
from genbench.statistics.verdicts import judge
from genbench.store import Store
from genbench.store.trial import Trials


@pytest.fixture
def plant(tmp_path, monkeypatch):
    """Registers a claim of an experiment whose mean is so many of its deviations above the bar."""

    def call(distance):
        def experiment(rng, *, shift: float = distance):
            return {"x": (shift + rng.normal(1)[:, 0]).tolist()}

        def effects(evidence):
            return [Effect("x", evidence.measured("x"), 0.0)]

        claim = Claim("planted", effects, "s.", "x", "y", experiment=experiment)
        monkeypatch.setitem(CLAIMS._objects, "planted", claim)
        return claim, RunOptions(root=tmp_path, device="cpu")

    return call


def count_seeds(claim, options):
    trial = Trials(options.root).read(claim, Scale().options(claim))
    return len(trial.seeds) if trial else 0


def test_a_large_effect_is_decided_at_the_first_look(plant):
    claim, options = plant(4.0)
    run_until_decided(["planted"], options)
    assert count_seeds(claim, options) == claim.seeds == 8
    assert is_decided(claim, Store(options.root), Scale())


def test_a_small_one_takes_more_looks_and_keeps_the_seeds_it_has(plant):
    claim, options = plant(0.9)
    result = run_until_decided(["planted"], options)
    taken = count_seeds(claim, options)
    assert taken in (16, 32, 64)
    assert is_decided(claim, Store(options.root), Scale(seeds=taken))
    assert not is_decided(claim, Store(options.root), Scale(seeds=taken // 2))
    seeds = [seed for plan in result.plans for job in plan.jobs for seed in job.trial_seeds]
    assert sorted(seeds) == list(range(taken)), "every seed is drawn once"


def test_what_no_seeds_decide_ends_at_the_most_that_are_allowed(plant):
    claim, options = plant(0.0)
    run_until_decided(["planted"], options, max_seeds=16)
    assert count_seeds(claim, options) == 16
    run_until_decided(["planted"], options, max_seeds=15)
    assert count_seeds(claim, options) == 16


def test_plans_alone_draw_nothing(plant):
    claim, options = plant(0.0)
    result = run_until_decided(["planted"], options, dry_run=True)
    assert len(result.plans) == 1
    assert count_seeds(claim, options) == 0
    run_until_decided(["planted"], options, max_seeds=8)
    result = run_until_decided(["planted"], options, dry_run=True)
    (next_look,) = [job.trial_seeds for plan in result.plans for job in plan.jobs]
    assert next_look == tuple(range(8, 16))
    assert count_seeds(claim, options) == 8


def test_more_seeds_than_the_last_look_are_refused(plant):
    _, options = plant(0.0)
    with pytest.raises(SpecError, match="64 or fewer"):
        run_until_decided(["planted"], options, max_seeds=65)


def test_seeds_that_declared_looks_leave_no_room_for_are_refused(plant):
    _, options = plant(0.0)
    with pytest.raises(SpecError, match="takes no --seeds"):
        run_until_decided(["planted"], options, scale=Scale(seeds=4))
    with pytest.raises(SpecError, match="needs 8 or more, the first look of planted, got 7"):
        run_until_decided(["planted"], options, max_seeds=7)


def test_what_a_look_decided_stays_where_values_depend_on_other_seeds(tmp_path):
    """An early look reads its own seeds alone, so that a later failure or another best changes nothing."""
    run = Run("vae", "ring", ("mmd",), seeds=8, steps=10)

    def effects(evidence):
        values = evidence.scores(run, "mmd")
        middle = fmean(values.values()) if values else 0.0
        return [
            Effect("distance to the mean of all", {s: v - middle + 1 for s, v in values.items()})
        ]

    claim = Claim("planted", effects, "s.", "x", "y", runs=(run,))
    store, far = Store(tmp_path), [5.0 + 40 * (k % 2) for k in range(8)]
    near = [1.0 + 0.01 * k for k in range(8)]
    whole = replace(run, seeds=16)
    write(store, whole, mmd=near + far)
    own = read_effects(
        lambda log: {"": effects(log)},
        ClaimEvidence(claim, store, Scale(seeds=16)),
        NullRows(store),
    )
    blind = judge(own.rows[""], looks=Looks(8))
    seeing = own.judge("", Scale(seeds=16))
    assert (blind.outcome, blind.parts[0].decided_at) == ("refuted", 8), "by means of later seeds"
    assert (seeing.outcome, seeing.parts[0].decided_at) == ("supported", 8)
