"""What effects rest on, found without a single measurement."""

from claim_records import Planted

from genbench.core.claim import CLAIMS, Claim, Run
from genbench.core.effect import Effect, compare_best, difference, map_values
from genbench.running.dependencies import (
    find_changed,
    find_dependences,
    list_judged_columns,
)
from genbench.running.planted import PlantedEvidence

A, B, C = (Run(name, "ring", ("modes", "prdc")) for name in ("gan", "vae", "made"))


def make_claim(function):
    return Claim("planted", function, "s.", "x", "y", runs=(A, B, C))


def read(function):
    return [(d.reads, d.measured) for d in find_dependences(make_claim(function))]


def test_an_effect_rests_on_the_columns_without_which_it_is_another():
    def effects(evidence):
        evidence.scores(C, "modes")  # which nothing is made of
        return [
            Effect("one", map_values(abs, evidence.scores(A, "modes"))),
            Effect("two", difference(evidence.scores(A, "recall"), evidence.scores(B, "recall"))),
            Effect("own", evidence.measured("x")),
        ]

    assert read(effects) == [
        (((A, "modes"),), False),
        (((A, "recall"), (B, "recall")), False),
        ((), True),
    ]


def test_a_contest_rests_on_all_entrants_and_the_least_of_several_on_each():
    def effects(evidence):
        rows = {run.model: evidence.scores(run, "modes") for run in (A, B, C)}
        contest = compare_best(
            {"gan": rows["gan"]}, {n: rows[n] for n in ("vae", "made")}, "higher"
        )
        least = {
            seed: min((row[seed] for row in rows.values() if row), default=0.0)
            for seed in range(8)
        }
        return [Effect("best", contest.values, contest=contest), Effect("least", least)]

    best, least = read(effects)
    assert best == (((A, "modes"), (B, "modes"), (C, "modes")), False)
    assert least == best, "as each is the least of some seed"


def test_an_aggregate_that_no_single_column_changes_rests_on_all_of_them():
    def effects(evidence):
        rows = [evidence.scores(run, "modes") for run in (A, B, C)]
        return [Effect("any", {seed: float(any(rows)) for seed in range(8)})]

    assert read(effects) == [(((A, "modes"), (B, "modes"), (C, "modes")), False)]


def test_judged_columns_leave_out_what_is_shown_beside_or_true_by_definition():
    def effects(evidence):
        return [
            Effect("judged", evidence.scores(A, "modes")),
            Effect("beside", evidence.scores(A, "recall"), judged=False),
            Effect("constructed", evidence.scores(A, "coverage"), by_definition=True),
        ]

    assert list_judged_columns(make_claim(effects)) == [(A, "modes")]


def test_comparisons_are_between_runs_and_not_between_columns_of_one():
    def effects(evidence):
        a, b = (evidence.scores(run, "recall") for run in (A, B))
        return [
            Effect("between", difference(a, b)),
            Effect("within", difference(a, evidence.scores(A, "coverage"))),
        ]

    between, within = find_dependences(make_claim(effects))
    assert between.compared == ((A, "recall"), (B, "recall"))
    assert within.compared == ()


def test_real_claims_are_read_the_same_way():
    reads = {(run.data, c) for run, c in list_judged_columns(CLAIMS.get("sample_quality"))}
    on = ("digits", "fashion_mnist")
    assert reads == {(data, column) for data in on for column in ("fid", "precision")}
    (lead, *_) = find_dependences(CLAIMS.get("sample_quality"))
    assert len({run.model for run, _ in lead.compared}) == 11
    assert all(d.measured for d in find_dependences(CLAIMS.get("kl_direction")) if d.is_evidence)


def test_effects_are_matched_by_name_where_there_are_fewer():
    one, two = Effect("one", {0: 1.0}), Effect("two", {0: 2.0})
    assert find_changed([one, two], [two]) == [True, False]
    assert find_changed([one, two], [one, Effect("another name", {0: 2.0})]) == [False, False]


def test_a_probe_notes_what_it_is_asked():
    probe = PlantedEvidence()
    assert probe.scores(A, "modes") != probe.scores(B, "modes")
    assert list(probe.finished(A)) == list(range(8))
    probe.measured("x")
    assert (probe.scored, probe.columns) == ([(A, "modes"), (B, "modes")], ["x"])
    assert isinstance(Planted(lambda _: 1.0).measured("x"), dict)
