"""The closing table of `genbench run` goes by what decides, and leaves out no simple fit that is better."""

from report_records import measured
from test_compact import RING, make_table
from test_tables import made

from genbench.cli.run_text import explain_marks, find_leading, list_best
from genbench.report.tables import make_leaderboards


def rows(table):
    column = find_leading(table)
    assert column is not None
    return [[entry.words for entry in row] for row in list_best(table, column)]


def names(table):
    return [row[1] for row in rows(table)]


def test_rows_are_ordered_by_what_decides_in_its_direction():
    table = make_table("ring", **{id: value for id, value in RING.items() if "js" not in id})
    assert names(table) == ["vae", "gan"], "the higher share of good samples, the higher MMD"
    first = rows(table)[0][2]
    assert first.startswith("high_quality ↑ 0.6")
    assert "modes_strict ↑ 6" in first
    assert names(make_table("circle", manifold_distance=0.1, coverage=0.9)) == ["gan", "vae"]


def test_what_does_not_pass_comes_last_and_is_said():
    table = make_table("circle", manifold_distance=0.1, coverage=0.9)
    records = [record for group in table.groups for record in group.records]
    for record in records[:5]:
        (row,) = [m for m in record.metrics if m.id == "coverage"]
        row.value = 0.1
    (table,) = make_leaderboards(records)
    assert names(table) == ["vae", "gan"]
    assert "coverage ↑ 0.1 ± 0, too low" in rows(table)[1][2]


def test_a_better_simple_fit_is_named():
    def record(model, seed, value, taxonomy="implicit/direct"):
        row = measured("mmd", value + seed / 1000, better="lower", floor=0.001)
        return made(model, seed, [row], "of_somebody", taxonomy)

    records = [record("gan", seed, 0.38) for seed in range(5)]
    records += [record("gaussian", seed, 0.0085, "reference") for seed in range(5)]
    records += [record("resample", seed, 0.001, "reference") for seed in range(5)]
    (table,) = make_leaderboards(records)
    assert names(table) == ["gaussian (reference)", "gan"]


def test_what_was_named_stands_in_the_score():
    table = make_table("ring", named=["energy_distance"], mmd=0.1, energy_distance=0.2, own=3.0)
    text = rows(table)[0][2]
    assert text.startswith("mmd ↓ 0.1")
    assert "energy_distance ↑" in text
    assert "own ↓ 3" in text


def test_daggers_in_the_rows_are_explained_and_no_others():
    table = make_table("ring", mmd=0.1, reverse_kl=0.2)
    records = [record for group in table.groups for record in group.records]
    for record in records:
        for row in record.metrics:
            row.note = "the machine was loaded: by others" if row.id == "mmd" else None
    (table,) = make_leaderboards(records)
    column = find_leading(table)
    assert column is not None
    shown = "†" in "".join(row[2] for row in rows(table))
    notes = explain_marks(table, column)
    assert [note.startswith("† the machine was loaded") for note in notes] == [True] * shown
    assert shown
    (other,) = [c for c in table.columns if c.id == "reverse_kl"]
    assert table.explain_daggers(table.groups, [other]) == []


def test_a_score_by_several_protocols_is_a_dash_once():
    """Exact likelihoods and bounds are columns apart: every row had a dash for each other's."""

    def records(model, kind):
        for seed in range(5):
            quality = measured("mmd", 0.1 + seed / 1000, better="lower", floor=0.001)
            density = measured("nll", 2.0 + seed / 1000, better="lower")
            density = density.model_copy(update={"kind": kind, "protocol": kind})
            record = made(model, seed, [quality, density][: 2 if kind else 1], "of_somebody")
            yield record.model_copy(update={"named": ["nll"]})

    (table,) = make_leaderboards(
        [*records("vae", "bound"), *records("realnvp", "exact"), *records("gan", None)]
    )
    scores = {row[1]: row[2].split("nll ↓ ")[1:] for row in rows(table)}
    assert {name: len(found) for name, found in scores.items()} == {
        "vae": 1,
        "realnvp": 1,
        "gan": 1,
    }
    assert [name for name, (score,) in scores.items() if score == "–"] == ["gan"]
