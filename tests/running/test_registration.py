"""What makes a verdict exploratory: a registration young, missing, changed or not as it was hashed."""

from dataclasses import replace

import pytest
from claim_records import write
from held_cells import held_file

from genbench.core import options
from genbench.core.claim import NEW_SEEDS, Claim, Run, claim
from genbench.core.dataset import DATASETS
from genbench.core.effect import Effect, compare_best
from genbench.core.entrants import list_models, make_runs, read_entrants
from genbench.core.errors import ContractError, SpecError, UnknownName, WriteError
from genbench.core.model import MODELS
from genbench.core.rng import Rng
from genbench.running import claim_cells
from genbench.running.claim_cells import resolve_tuned, specs_of
from genbench.running.claim_terms import compare_terms, describe_run, list_terms
from genbench.running.evidence import ClaimEvidence
from genbench.running.registration import find_standing, register
from genbench.running.scale import Scale
from genbench.statistics.verdicts import RULE
from genbench.store import CurvePoint, Store, locks
from genbench.store.registrations import (
    FILE,
    Declared,
    Registrations,
    Replacement,
    hash_terms,
    read_registrations,
    seal_registrations,
    write_registrations,
)
from genbench.store.trial import Trial, Trials

RUN = Run("gan", "ring", ("modes",), steps=400)
#: of parts in terms
HASHES = ("made_of", "made_of_extremes", "made_of_intervals")


def make_claim(run=RUN, bar=1.0, rounds=None):
    def effects(evidence):
        return [Effect("modes", evidence.scores(run, "modes"), bar)]

    about = {"statement": "s.", "source": "x", "why": "y"}
    return Claim("planted", effects, runs=(run,), **about)


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "results")


def write_scored(store, claim, started):
    write(store, claim.runs[0], modes=8.0)
    for record in ClaimEvidence(claim, store).records(claim.runs[0]):
        store.write(record.model_copy(update={"started": started}))


def standing(claim, store, path):
    return find_standing(claim, store, read_registrations(path))


def test_a_working_folder_s_registrations_stand_beside_those_that_genbench_ships(
    tmp_path, monkeypatch
):
    """Its file has its own alone; a shipped claim that is laid down anew there keeps its history."""
    monkeypatch.chdir(tmp_path)
    shipped = read_registrations()
    assert len(shipped.claims) > 40
    changed = {"planted": make_claim(), "turns": make_claim(bar=3.0)}
    assert register(changed, date="2026-12-30T00:00:00+00:00") == [
        ("planted", True),
        ("turns", True),
    ]
    own = read_registrations(tmp_path / FILE)
    assert {name: len(history) for name, history in own.claims.items()} == {
        "planted": 1,
        "turns": 1,
    }
    both = read_registrations()
    assert both.claims.keys() == shipped.claims.keys() | {"planted"}
    assert both.claims["turns"] == [*shipped.claims["turns"], *own.claims["turns"]]
    assert (both.rules, both.declared) == (shipped.rules, shipped.declared)
    assert register(changed) == [("planted", False), ("turns", False)]


def test_two_that_register_at_once_wait_for_one_another(tmp_path, monkeypatch):
    path = tmp_path / "registrations.json"
    monkeypatch.setattr(locks, "PATIENCE", 0.1)
    with held_file(path):
        for change in (
            lambda: register({"planted": make_claim()}, path),
            lambda: seal_registrations(path),
        ):
            with pytest.raises(WriteError, match="another process has had it in hand"):
                change()
    assert not path.exists()


def test_registered_before_scored_is_confirmatory_and_after_is_exploratory(tmp_path, store):
    path, claim = tmp_path / "registrations.json", make_claim()
    assert standing(claim, store, path).reasons == ("it was never registered",)
    assert register({"planted": claim}, path, date="2026-01-02T00:00:00+00:00") == [
        ("planted", True)
    ]
    assert register({"planted": claim}, path) == [("planted", False)]
    assert not standing(claim, store, path).exploratory
    write_scored(store, claim, "2026-01-03T00:00:00+00:00")
    assert not standing(claim, store, path).exploratory
    write_scored(store, claim, "2026-01-01T23:00:00+00:00")
    (reason,) = standing(claim, store, path).reasons
    assert reason == "registered 2026-01-02 00:00, after its first score of 2026-01-01 23:00"


def test_scores_that_are_made_again_are_as_old_as_the_first(tmp_path, store):
    path, claim = tmp_path / "registrations.json", make_claim()
    register({"planted": claim}, path, date="2026-01-02T00:00:00+00:00")
    write_scored(store, claim, "2026-01-01T00:00:00+00:00")
    for record in ClaimEvidence(claim, store).records(claim.runs[0]):
        again = record.model_copy(update={"started": "2026-01-03T00:00:00+00:00"})
        store.write(again.after(record))
    (reason,) = standing(claim, store, path).reasons
    assert reason == "registered 2026-01-02 00:00, after its first score of 2026-01-01 00:00"


def test_what_has_changed_is_shown_field_by_field(tmp_path, store):
    path = tmp_path / "registrations.json"
    register({"planted": make_claim()}, path, date="2026-01-01T00:00:00+00:00")
    changed = make_claim(replace(RUN, steps=1000), bar=2.0)
    assert standing(changed, store, path).reasons == (
        "changed since it was registered: part 1.bar: 1.0, now 2.0",
        "changed since it was registered: runs.gan on ring.steps: 400, now 1000",
    )
    register({"planted": changed}, path, date="2026-01-05T00:00:00+00:00")
    assert not standing(changed, store, path).exploratory
    write_scored(store, changed, "2026-01-03T00:00:00+00:00")
    reasons = standing(changed, store, path).reasons
    assert reasons[1:] == (
        "changed by that registration: part 1.bar: 1.0, now 2.0",
        "changed by that registration: runs.gan on ring.steps: 400, now 1000",
    )


RINGS = Run("gan", "grid", ("modes",), steps=400)


def make_longer_claim(*read):
    """The claim with a second part, the sum of what is read of these runs."""

    def effects(evidence):
        columns = [evidence.scores(run, "modes") for run in read]
        shared = set.intersection(*(set(column) for column in columns))
        total = {seed: sum(column[seed] for column in columns) for seed in shared}
        return [Effect("modes", evidence.scores(RUN, "modes"), 1.0), Effect("more", total, 1.0)]

    about = {"statement": "s.", "source": "x", "why": "y"}
    return Claim("planted", effects, runs=(RUN, RINGS), **about)


@pytest.mark.parametrize(
    ("read", "exploratory"), [((RINGS,), False), ((RUN,), True), ((RUN, RINGS), True)]
)
def test_what_is_added_must_be_older_than_the_scores_that_it_reads(
    tmp_path, store, read, exploratory
):
    path = tmp_path / "registrations.json"
    register({"planted": make_claim()}, path, date="2026-01-01T00:00:00+00:00")
    write_scored(store, make_claim(), "2026-01-02T00:00:00+00:00")
    longer = make_longer_claim(*read)
    register({"planted": longer}, path, date="2026-01-03T00:00:00+00:00")
    found = standing(longer, store, path)
    assert (found.exploratory, found.extended) == (exploratory, not exploratory)
    write_scored(store, replace(longer, runs=(RINGS,)), "2026-01-04T00:00:00+00:00")
    assert standing(longer, store, path).exploratory == exploratory
    write_scored(store, replace(longer, runs=(RINGS,)), "2026-01-02T12:00:00+00:00")
    assert standing(longer, store, path).exploratory, "the added run had been scored"


def test_registrations_made_with_scores_at_hand_make_nothing_older(tmp_path, store):
    path = tmp_path / "registrations.json"
    register({"planted": make_claim()}, path, date="2026-01-01T00:00:00+00:00")
    write_scored(store, make_claim(), "2026-01-02T00:00:00+00:00")
    longer = make_longer_claim(RINGS)
    register({"planted": longer}, path, date="2026-01-03T00:00:00+00:00")
    known = read_registrations(path)
    first, last = known.claims["planted"]
    for spoilt in (
        first.model_copy(update={"seen": "all of them"}).sealed(),
        first.model_copy(update={"hash": "0" * 16}),
    ):
        found = known.model_copy(update={"claims": {"planted": [spoilt, last]}})
        assert find_standing(longer, store, found).exploratory


def test_a_part_that_cannot_be_read_with_planted_numbers_is_late(tmp_path, store):
    def effects(evidence):
        scores = evidence.scores(RINGS, "modes")
        if scores and max(scores.values()) < 1:
            raise ValueError("no such scores")
        return [Effect("modes", evidence.scores(RUN, "modes"), 1.0), Effect("more", scores, 1.0)]

    path = tmp_path / "registrations.json"
    register({"planted": make_claim()}, path, date="2026-01-01T00:00:00+00:00")
    write_scored(store, make_claim(), "2026-01-02T00:00:00+00:00")
    longer = replace(make_longer_claim(RINGS), function=effects)
    register({"planted": longer}, path, date="2026-01-03T00:00:00+00:00")
    assert standing(longer, store, path).exploratory


RIVALS = [replace(RUN, model=name) for name in ("vae", "made")]


def make_contest(column="fid", better="lower", log=True, rivals=RIVALS, said="FID"):
    """A claim of one part: the GAN against its rivals."""
    runs = (RUN, *RIVALS)

    def effects(evidence):
        ours = {"gan": evidence.scores(RUN, column)}
        theirs = {run.model: evidence.scores(run, column) for run in rivals}
        gap = compare_best(ours, theirs, better, log=log)
        return [Effect(said + gap.who, gap.values, 0.1, contest=gap)]

    about = {"statement": "s.", "source": "x", "why": "y"}
    return Claim("planted", effects, runs=runs, **about)


CHANGED = "part 1: made of other numbers (columns, sides, direction or scale)"


@pytest.mark.parametrize(
    "change",
    [
        {"column": "kid"},
        {"better": "higher"},
        {"log": False},
        {"rivals": RIVALS[:1]},
        {"rivals": []},
    ],
)
def test_what_a_part_is_made_of_is_registered(tmp_path, store, change):
    path, changed = tmp_path / "registrations.json", make_contest(**change)
    register({"planted": make_contest()}, path, date="2026-01-01T00:00:00+00:00")
    assert not standing(make_contest(said="another wording"), store, path).exploratory
    assert standing(changed, store, path).reasons == (
        f"changed since it was registered: {CHANGED}",
    )
    write_scored(store, make_contest(), "2026-01-02T00:00:00+00:00")
    register({"planted": changed}, path, date="2026-01-03T00:00:00+00:00")
    assert f"changed by that registration: {CHANGED}" in standing(changed, store, path).reasons


def test_what_older_registrations_do_not_hold_makes_nothing_younger(tmp_path, store):
    path, claim = tmp_path / "registrations.json", make_contest()
    register({"planted": claim}, path, date="2026-01-01T00:00:00+00:00")
    known = read_registrations(path)
    (own,) = known.claims["planted"]
    parts = [{k: v for k, v in part.items() if k != "made_of"} for part in own.terms["parts"]]
    terms = own.terms | {"parts": parts}
    old = own.model_copy(update={"terms": terms, "hash": hash_terms(terms, own.rule)}).sealed()
    write_registrations(path, known.model_copy(update={"claims": {"planted": [old]}}))
    write_scored(store, claim, "2026-01-02T00:00:00+00:00")
    assert not standing(claim, store, path).exploratory
    register({"planted": claim}, path, date="2026-01-03T00:00:00+00:00")
    assert not standing(claim, store, path).exploratory
    assert standing(make_contest(column="kid"), store, path).exploratory


def test_more_rounds_after_a_look_are_exploratory_though_no_cell_of_theirs_was_scored(
    tmp_path, store
):
    path, more = tmp_path / "registrations.json", make_claim(replace(RUN, steps=1000))
    register({"planted": make_claim()}, path, date="2026-01-01T00:00:00+00:00")
    write_scored(store, make_claim(), "2026-01-02T00:00:00+00:00")
    register({"planted": more}, path, date="2026-01-03T00:00:00+00:00")
    write_scored(store, more, "2026-01-04T00:00:00+00:00")
    assert standing(more, store, path).reasons == (
        "registered 2026-01-03 00:00 in the place of gan on ring with steps=400, which had been scored "
        "since 2026-01-02 00:00",
    )


def test_a_claim_that_was_scored_is_tested_anew_by_seeds_that_no_look_has_reached(tmp_path, store):
    path, anew = tmp_path / "registrations.json", make_claim(replace(RUN, steps=1000), bar=2.0)
    anew = replace(anew, first_seed=NEW_SEEDS)
    register({"planted": make_claim()}, path, date="2026-01-01T00:00:00+00:00")
    write_scored(store, make_claim(), "2026-01-02T00:00:00+00:00")
    write_scored(store, replace(anew, first_seed=0), "2026-01-02T00:00:00+00:00")
    register({"planted": anew}, path, date="2026-01-03T00:00:00+00:00")
    held = ClaimEvidence(anew, store)
    assert held.missing() == {"gan on ring": list(range(NEW_SEEDS, NEW_SEEDS + 8))}
    assert held.scores(anew.runs[0], "modes") == {}
    assert not standing(anew, store, path).exploratory
    for spec in specs_of(Scale().run(anew.runs[0], NEW_SEEDS)):
        old = store.read(specs_of(anew.runs[0])[0])
        about = {"spec": spec, "cell": spec.cell, "started": "2026-01-04T00:00:00+00:00"}
        store.write(old.model_copy(update=about))
    held = ClaimEvidence(anew, store)
    assert held.missing() == {}
    assert sorted(held.scores(anew.runs[0], "modes")) == list(range(8))
    assert held.finished(anew.runs[0]) == list(range(8))
    assert not standing(anew, store, path).exploratory
    assert standing(replace(anew, first_seed=0), store, path).exploratory
    back = make_claim(replace(RUN, steps=1600))  # to seeds that a look may have reached
    register({"planted": back}, path, date="2026-01-05T00:00:00+00:00")
    assert "in the place of gan on ring" in standing(back, store, path).reasons[-1]
    with pytest.raises(ContractError, match="first_seed 0 or a multiple of 100, got 7"):
        claim("planted_anew", first_seed=7, statement="s.", source="x", why="y")(anew.function)


def test_what_took_the_place_of_a_scored_run_is_past_once_all_is_tested_by_new_seeds(
    tmp_path, store
):
    path, more = tmp_path / "registrations.json", make_claim(replace(RUN, steps=1000))
    register({"planted": make_claim()}, path, date="2026-01-01T00:00:00+00:00")
    write_scored(store, make_claim(), "2026-01-02T00:00:00+00:00")
    register({"planted": more}, path, date="2026-01-03T00:00:00+00:00")
    assert "in the place of gan on ring" in standing(more, store, path).reasons[0]
    anew = replace(more, first_seed=NEW_SEEDS)
    register({"planted": anew}, path, date="2026-01-04T00:00:00+00:00")
    assert standing(anew, store, path).reasons == ()
    again = replace(make_claim(replace(RUN, steps=1600)), first_seed=NEW_SEEDS)
    for spec in specs_of(Scale().run(anew.runs[0], NEW_SEEDS)):
        old = store.read(specs_of(RUN)[0])
        about = {"spec": spec, "cell": spec.cell, "group": spec.group}
        about["started"] = "2026-01-05T00:00:00+00:00"
        store.write(old.model_copy(update=about))
    register({"planted": again}, path, date="2026-01-06T00:00:00+00:00")
    assert "with steps=1000, which had been" in standing(again, store, path).reasons[0]


def test_an_experiment_is_made_anew_from_its_first_seed_on(tmp_path):
    def experiment(rng):
        return {"x": [float(seed) for seed in rng.seeds]}

    about = {"statement": "s.", "source": "x", "why": "y", "first_seed": NEW_SEEDS}
    one = Claim("anew", lambda evidence: [], experiment=experiment, seeds=3, **about)
    held = ClaimEvidence(one, Store(tmp_path))
    assert held.untried() == [NEW_SEEDS, NEW_SEEDS + 1, NEW_SEEDS + 2]
    columns = one.measure(Rng(held.untried()))
    Trials(tmp_path).write(Trial(claim="anew", version=1, columns=columns))
    again = ClaimEvidence(one, Store(tmp_path))
    assert again.measured("x") == {0: 100.0, 1: 101.0, 2: 102.0}
    assert (again.untried(), again.failed()) == ([], {})


def test_a_change_of_all_claims_alike_must_be_declared(tmp_path, store):
    path, options = tmp_path / "registrations.json", make_claim(replace(RUN, options={"lr": 0.01}))
    register({"planted": make_claim()}, path, date="2026-01-01T00:00:00+00:00")
    write_scored(store, make_claim(), "2026-01-02T00:00:00+00:00")
    register({"planted": options}, path, date="2026-01-03T00:00:00+00:00")
    known = read_registrations(path)
    about = {"field": "options", "why": "all of them"}
    for date, value, reasons in (
        ("2026-01-03T00:00:00+00:00", None, 0),
        ("2026-01-03T00:00:00+00:00", {"lr": 0.01}, 0),
        ("2026-01-03T00:00:00+00:00", {"lr": 0.02}, 1),
        ("2026-01-04T00:00:00+00:00", None, 1),
    ):
        declared = [Declared(date=date, value=value, **about)]
        found = find_standing(options, store, known.model_copy(update={"declared": declared}))
        assert len(found.reasons) == reasons, (date, value)


def test_another_budget_of_an_experiment_after_a_look_is_exploratory(tmp_path, store):
    def make(rounds):
        def experiment(rng, *, rounds=rounds):
            return {"x": [1.0] * len(rng)}

        own = replace(make_claim(), name="tried", runs=(), experiment=experiment)
        return replace(own, function=lambda evidence: [Effect("x", evidence.measured("x"), 0.5)])

    path, old, new = tmp_path / "registrations.json", make(100), make(200)
    register({"tried": old}, path, date="2026-01-01T00:00:00+00:00")
    about = {"claim": "tried", "version": 1, "columns": {"x": {0: 1.0}}}
    looked = {"options": {"rounds": 100}, "started": "2026-01-02T00:00:00+00:00"}
    Trials(store.root).write(Trial(**about, **looked))
    register({"tried": new}, path, date="2026-01-03T00:00:00+00:00")
    assert standing(new, store, path).reasons == (
        "registered 2026-01-03 00:00 in the place of its experiment with rounds=100, which had been scored "
        "since 2026-01-02 00:00",
    )


def test_what_tuning_chose_is_registered_with_a_run(tmp_path, monkeypatch):
    tuned = replace(RUN, dataset="digits", tuned=True, steps=3000, batch=128)
    own = describe_run(tuned)["tuned_options"]
    assert {"lr", "hidden"} <= set(own)
    assert "tuned_options" not in describe_run(RUN)
    monkeypatch.setattr(claim_cells, "find_tuned", lambda *a, **k: ({"lr": 0.5}, None))
    assert describe_run(tuned)["tuned_options"] == {"lr": 0.5}
    there, here = ({"runs": {"gan": {"tuned_options": one}}} for one in (own, {"lr": 0.5}))
    assert f"runs.gan.tuned_options.lr: {own['lr']}, now 0.5" in compare_terms(there, here)
    monkeypatch.setattr(claim_cells, "find_tuned", refuse)
    assert describe_run(tuned)["tuned_options"] == "not tuned yet"


def refuse(*about, **more):
    raise SpecError("not tuned")


def test_a_rule_must_be_declared_to_replace_another_and_hashes_must_hold(tmp_path, store):
    path, claim = tmp_path / "registrations.json", make_claim()
    register({"planted": claim}, path, date="2026-01-01T00:00:00+00:00")
    known = read_registrations(path)
    (own,) = known.claims["planted"]
    old = own.model_copy(update={"rule": "judge/0"})
    before = known.model_copy(update={"claims": {"planted": [old]}})
    reasons = find_standing(claim, store, before).reasons
    assert reasons == (
        "the registration of 2026-01-01 is not as it was hashed",
        f"rule: judge/0, now {RULE}",
    )
    steps = [
        Replacement(rule=new, replaces=one, date="2026-01-02", why="simulation")
        for one, new in (("judge/0", "judge/1"), ("judge/1", "judge/2"))
    ]
    assert before.model_copy(update={"rules": steps}).accepts("judge/0", "judge/2")
    with pytest.raises(SpecError, match="named"):
        register({}, path)


def test_what_a_rule_added_to_parts_counts_where_both_rules_have_it(tmp_path, store):
    path, claim = tmp_path / "registrations.json", make_claim()
    register({"planted": claim}, path, date="2026-01-01T00:00:00+00:00")
    known = read_registrations(path)
    (own,) = known.claims["planted"]
    parts = [part | {"jump": 5.0} for part in own.terms["parts"]]
    steps = [
        Replacement(rule=new, replaces=one, date="2026-01-02", why="simulation")
        for one, new in (("judge/1", "judge/2"), ("judge/2", "judge/3"))
    ]

    def changes(rule):
        old = own.model_copy(update={"rule": rule, "terms": own.terms | {"parts": parts}})
        about = known.model_copy(update={"claims": {"planted": [old]}, "rules": steps})
        return [
            reason for reason in find_standing(claim, store, about).reasons if "jump" in reason
        ]

    assert changes("judge/2")
    assert not changes("judge/1")


@pytest.mark.parametrize(
    ("field", "value"),
    [("jump", 0.5), ("resolution", 1.0), ("exact", True), ("by_definition", True)],
)
def test_what_a_rule_added_to_parts_does_not_change_unseen_after_the_first_score(
    tmp_path, store, field, value
):
    path, claim = tmp_path / "registrations.json", make_claim()

    def effects(evidence):
        return [replace(effect, **{field: value}) for effect in claim.function(evidence)]

    register({"planted": replace(claim, function=effects)}, path, date="2026-01-01T00:00:00+00:00")
    write_scored(store, claim, "2026-01-02T00:00:00+00:00")
    register({"planted": claim}, path, date="2026-01-03T00:00:00+00:00")
    assert standing(claim, store, path).reasons == (
        "registered 2026-01-03 00:00, after its first score of 2026-01-02 00:00",
        f"changed by that registration: part 1.{field}: {value}, now absent",
    )


def test_terms_hold_bars_runs_and_metrics():
    terms = list_terms(make_claim())
    (part,) = terms["parts"]
    assert [len(part.pop(name)) for name in HASHES] == [12, 12, 12]
    assert part.pop("exempted") == []
    assert part == {"effect": "modes", "bar": 1.0, "wanted": "above"}
    assert terms["runs"]["gan on ring"]["metrics"] == ["modes"]
    assert terms["runs"]["gan on ring"]["seeds"] == 8


def test_failed_seeds_are_the_worst_on_the_side_that_is_worse(store):
    write(store, replace(RUN, seeds=2), modes=8.0)
    spec = specs_of(RUN)[1]
    record = store.read(spec)
    store.write(record.model_copy(update={"status": "diverged", "metrics": []}))
    evidence = ClaimEvidence(make_claim(), store)
    assert evidence.scores(RUN, "modes")[1] == float("-inf")
    assert Scale().looks(make_claim()).counts == (8, 16, 32, 64)


def test_entrants_are_registered_and_defaults_stand_in_for_what_is_not_tuned(
    tmp_path, monkeypatch
):
    for kind in read_entrants().kinds:
        assert set(list_models(kind)) <= set(MODELS.names())
    runs = make_runs("image", ["adversarial"], "digits", ("fid",))
    assert runs["dcgan"].options == {"width": 16}
    assert runs["gan"].steps == 3000
    assert make_runs("plane", ["flow"], "ring", ("modes",), steps=7)["realnvp"].steps == 7
    with pytest.raises(UnknownName, match="adversarial"):
        make_runs("image", ["adversarail"], "digits", ("fid",))
    monkeypatch.chdir(tmp_path)
    tuned = replace(RUN, dataset="digits", tuned=True, untuned="default", steps=3)
    assert resolve_tuned(tuned) is False or specs_of(tuned)
    assert (
        specs_of(replace(tuned, dataset="swiss_roll"))[0].options
        == specs_of(replace(RUN, dataset="swiss_roll", steps=3))[0].options
    )
    with pytest.raises(SpecError, match="tune"):
        specs_of(replace(tuned, dataset="swiss_roll", untuned="refuse"))


def test_what_one_side_alone_has_is_one_line():
    """Nine fields of a run that was added are no nine changes."""
    run = {"model": "gan", "dataset": "ring", "steps": 400}
    part = {"effect": "modes", "bar": 1.0, "wanted": "above"}
    before = {"parts": [part], "runs": {"gan on ring": run}, "experiment": {"seeds": 8}}
    now = {"parts": [part, part], "runs": {"vae on ring": run}}
    added, swapped = ["part 2: added"], ["runs.gan on ring: left out", "runs.vae on ring: added"]
    ended = [swapped[0], "experiment: left out", swapped[1]]
    assert sorted(compare_terms(before, now)) == sorted(added + ended)
    again = {**before, "runs": {"gan on ring": {**run, "steps": 800}}}
    assert compare_terms(before, again) == ["runs.gan on ring.steps: 400, now 800"]
    assert compare_terms(before, before) == []


def test_a_metric_that_was_exchanged_is_one_line():
    """What is measured by it, with which options, follows; what else changed does not vanish."""
    run = replace(RUN, metrics=("mmd", "modes"), metric_options={"mmd": {"kernel": "linear"}})
    before = {"parts": [], "runs": {"gan on ring": describe_run(run)}}

    def changes(**changed):
        now = {"parts": [], "runs": {"gan on ring": describe_run(replace(run, **changed))}}
        return [c.removeprefix("runs.gan on ring.") for c in compare_terms(before, now)]

    bare: dict = {"metric_options": {}}
    assert changes(metrics=("prdc", "modes"), **bare) == ["metrics: mmd, now prdc"]
    assert changes(metrics=("modes",), **bare) == ["metrics: mmd, now none"]
    assert changes(metrics=("mmd", "modes", "psnr")) == [
        "metrics: none, now psnr", "measured.fid: added"
    ]  # fmt: skip
    assert changes(
        metrics=("prdc", "modes"), steps=7, metric_options={"modes": {"within": 2}}
    ) == [
        f"steps: {run.steps}, now 7",
        "metrics: mmd, now prdc",
        "measured.modes.options.within: 3.0, now 2.0",
        "metric_options.modes.within: absent, now 2",
    ]
    assert changes(**bare) == [
        "metric_options.mmd.kernel: linear, now absent",
        "measured.mmd.options.kernel: linear, now rbf",
    ]
    assert changes() == []


def change_default(monkeypatch, **values):
    """Gives the GAN other defaults from now on."""
    resolve = options.resolve

    def changed(function, chosen, *, who):
        own = {} if who != "model gan" else {k: v for k, v in values.items() if k not in chosen}
        return resolve(function, {**chosen, **own}, who=who)

    monkeypatch.setattr(options, "resolve", changed)


def drop_resolved(path):
    """Makes registrations of the time when they did not hold defaults."""
    known = read_registrations(path)
    older = []
    for one in known.claims["planted"]:
        runs = {
            name: {k: v for k, v in run.items() if k not in ("resolved", "measured")}
            for name, run in one.terms["runs"].items()
        }
        terms = one.terms | {"runs": runs}
        changes = {"terms": terms, "hash": hash_terms(terms, one.rule)}
        older.append(one.model_copy(update=changes).sealed())
    write_registrations(path, known.model_copy(update={"claims": {"planted": older}}))


def test_defaults_and_versions_are_registered(tmp_path, store, monkeypatch):
    path, claim = tmp_path / "registrations.json", make_claim()
    register({"planted": claim}, path, date="2026-01-01T00:00:00+00:00")
    assert describe_run(RUN)["resolved"]["defaults"]["lr"] == 0.001
    assert "lr" not in describe_run(replace(RUN, options={"lr": 0.1}))["resolved"]["defaults"]
    write_scored(store, claim, "2026-01-02T00:00:00+00:00")
    assert not standing(claim, store, path).exploratory
    for registry, name, changed in (
        (MODELS, "gan", "runs.gan on ring.resolved.model_version: 1, now 7"),
        (DATASETS, "ring", "runs.gan on ring.resolved.dataset_version: 1, now 7"),
    ):
        with monkeypatch.context() as patch:
            patch.setattr(registry.get(name), "version", 7)
            assert (
                f"changed since it was registered: {changed}"
                in standing(claim, store, path).reasons
            )
    change_default(monkeypatch, lr=0.5)
    text = "runs.gan on ring.resolved.defaults.lr: 0.001, now 0.5"
    assert standing(claim, store, path).reasons[0] == f"changed since it was registered: {text}"
    register({"planted": claim}, path, date="2026-01-03T00:00:00+00:00")
    write_scored(store, claim, "2026-01-04T00:00:00+00:00")
    (reason,) = standing(claim, store, path).reasons
    assert "in the place of gan on ring with lr=0.001, which had been scored" in reason


@pytest.mark.parametrize("again", [True, False])
def test_a_default_that_was_changed_after_the_first_score_is_known_by_the_records(
    tmp_path, store, monkeypatch, again
):
    """Registrations of before hold none, and a new one must not make that good."""
    path, claim = tmp_path / "registrations.json", make_claim()
    register({"planted": claim}, path, date="2026-01-01T00:00:00+00:00")
    drop_resolved(path)
    write_scored(store, claim, "2026-01-02T00:00:00+00:00")
    for record in ClaimEvidence(claim, store).records(RUN):
        points = [CurvePoint(step=k, seconds=0.0, losses={}) for k in range(claim_cells.CURVE)]
        store.write(record.model_copy(update={"curve": points}))
    assert not standing(claim, store, path).exploratory
    change_default(monkeypatch, lr=0.5)
    if again:
        register({"planted": claim}, path, date="2026-01-03T00:00:00+00:00")
    write_scored(store, claim, "2026-01-04T00:00:00+00:00")
    (reason,) = standing(claim, store, path).reasons
    assert reason == (
        "gan on ring was scored 2026-01-02 00:00 with lr=0.001 (now 0.5), which its registration leaves open"
    )
    named = make_claim(replace(RUN, options={"lr": 0.001}))
    known = read_registrations(path)
    register({"other": named}, path, date="2026-01-01T00:00:00+00:00")
    assert not standing(claim, store, path).exploratory, "another run names the option"
    write_registrations(path, known)
    assert standing(replace(claim, first_seed=NEW_SEEDS), store, path).reasons[-1:] != (reason,)


def test_the_order_in_a_file_is_of_no_account_and_dates_are(tmp_path, store):
    """The older of two registrations, written last, was taken for today's."""
    path = tmp_path / "registrations.json"
    for bar, date in ((1.0, "2026-01-01T00:00:00+00:00"), (2.0, "2026-01-03T00:00:00+00:00")):
        register({"planted": make_claim(bar=bar)}, path, date=date)
    known = read_registrations(path)
    turned = {"planted": known.claims["planted"][::-1]}
    write_registrations(path, known.model_copy(update={"claims": turned}))
    assert [one.date[:10] for one in read_registrations(path).claims["planted"]] == [
        "2026-01-01",
        "2026-01-03",
    ]
    assert standing(make_claim(bar=1.0), store, path).exploratory


def test_rules_in_a_circle_replace_nothing_and_zones_are_read():
    circle = [
        Replacement(rule=new, replaces=one, date="2026-01-02", why="simulation")
        for one, new in (("judge/1", "judge/2"), ("judge/2", "judge/1"))
    ]
    rules = Registrations(rules=circle)
    assert (rules.accepts("judge/1", "judge/2"), rules.accepts("judge/1", "judge/3")) == (
        True,
        False,
    )
    change = Declared(field="tuned", date="2026-01-02T01:00:00+02:00", why="x")  # 23:00 UTC before
    known = Registrations(declared=[change])
    assert known.allows("tuned", True, "2026-01-01T23:30:00+00:00")
    assert not known.allows("tuned", True, "2026-01-02T00:30:00+02:00")


OTHER = Run("vae", "ring", ("modes",), steps=400)


def with_row_beside(judged):
    """A claim that reads a second run, which it declares to be shown beside."""

    def effects(evidence):
        own = Effect("modes", evidence.scores(RUN, "modes"), 1.0)
        return [own, Effect("of another", evidence.scores(OTHER, "modes"), 1.0, judged=judged)]

    return replace(make_claim(), function=effects, beside=(OTHER,))


def test_a_row_that_is_shown_beside_changes_no_registration(tmp_path, store):
    path, claim = tmp_path / "registrations.json", make_claim()
    register({"planted": claim}, path, date="2026-01-01T00:00:00+00:00")
    write_scored(store, claim, "2026-01-02T00:00:00+00:00")
    wider = with_row_beside(judged=False)
    assert list_terms(wider) == list_terms(claim)
    assert not standing(wider, store, path).exploratory
    assert list(ClaimEvidence(wider, store).missing()) == [str(OTHER)]


def test_a_verdict_that_rests_on_a_row_beside_is_exploratory(tmp_path, store):
    path, claim = tmp_path / "registrations.json", with_row_beside(judged=True)
    register({"planted": claim}, path, date="2026-01-01T00:00:00+00:00")
    write_scored(store, claim, "2026-01-02T00:00:00+00:00")
    reasons = standing(claim, store, path).reasons
    assert reasons == (
        f"a part of the verdict reads {OTHER}, which is shown beside and not registered",
    )


@pytest.mark.parametrize(
    ("about", "said"),
    [
        ({"model": "lapgan", "tuned": True}, "lapgan was not tuned on ring by samples"),
        ({"options": {"nope": 1}}, "gan has no option 'nope'"),
    ],
)
def test_a_run_that_cannot_be_made_is_not_registered(tmp_path, about, said):
    """Its terms held the sentence of the error, and changed as soon as it was mended."""
    claims = {"sound": make_claim(), "planted": make_claim(replace(RUN, **about))}
    with pytest.raises(SpecError, match=said):
        register(claims, tmp_path / "registrations.json")
    assert not (tmp_path / "registrations.json").exists()


def test_a_claim_that_is_tested_anew_says_how_often_and_by_which_seeds(tmp_path, store):
    path, claim = tmp_path / "registrations.json", make_claim()
    register({"planted": claim}, path, date="2026-01-01T00:00:00+00:00")
    assert standing(claim, store, path).repeated == ""
    for day, first in ((2, 100), (3, 300)):
        claim = replace(claim, first_seed=first)
        register({"planted": claim}, path, date=f"2026-01-0{day}T00:00:00+00:00")
    found = standing(claim, store, path)
    assert found.first_seeds == (0, 100, 300)
    assert found.repeated == "test 3, by seeds from 300 on; earlier ones began with 0, 100"
