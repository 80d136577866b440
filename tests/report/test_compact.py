"""The short form of a leaderboard has what decides first, and whatever somebody asked for."""

from pathlib import Path

from report_records import measured
from test_tables import made
from test_terminal import printed

from genbench.report.compact import (
    compact_columns,
    deciding_columns,
    filled_columns,
    whole_columns,
)
from genbench.report.formats import to_latex
from genbench.report.leaderboard import load_leaderboard, to_markdown
from genbench.report.leaderboard_changes import find_changes
from genbench.report.significance_groups import find_significance_groups
from genbench.report.tables import make_leaderboards

ROOT = Path(__file__).parents[2]
KINDS = {"manifold_distance": "manifold_distance", "coverage": "prdc", "recall": "prdc"}
KINDS |= {"modes_strict": "modes", "high_quality": "modes", "density": "prdc"}


def make_table(dataset, *, named=(), **scores):
    """Two models of so much, the first the better one where less is better."""
    records = []
    for place, model in enumerate(("gan", "vae")):
        for seed in range(5):
            rows = [
                measured(
                    id,
                    value * (1 + place + seed / 50),
                    metric=KINDS.get(id, id),
                    better="lower" if id in ("mmd", "manifold_distance", "own") else "higher",
                    floor=value,
                )
                for id, value in scores.items()
            ]
            record = made(model, seed, rows, dataset)
            records.append(record.model_copy(update={"named": list(named)}))
    (table,) = make_leaderboards(records)
    return table


def ids(columns):
    return [column.id for column in columns]


CURVE = {"recall": 0.4, "density": 0.3, "coverage": 0.4, "manifold_distance": 0.1}
RING = {"mmd": 0.1, "modes": 3, "high_quality": 0.3, "modes_strict": 3.0, "js_to_truth": 0.1}


def test_what_decides_comes_first_though_it_is_no_headline():
    table = make_table("circle", **CURVE)
    assert ids(compact_columns(table)) == ["manifold_distance", "coverage", "recall"]
    for text in (printed([table], 80), to_markdown([table]), "\n".join(to_latex([table]).split())):
        assert 0 < text.index("manifold") < text.index("recall")
    assert ids(whole_columns(table))[-1] == "density"
    assert "density" not in printed([table])
    assert "density" in printed([table], whole=True)
    assert "density" in to_markdown([table], whole=True)
    assert find_significance_groups(table)[0]["column"].id == "manifold_distance"


def test_what_decides_is_told_to_have_changed():
    before, now = make_table("circle", **CURVE), make_table("circle", **CURVE | {"coverage": 0.3})
    assert {change.column for change in find_changes([before], [now])} == {"coverage ↑"}


def test_what_is_declared_but_does_not_decide_stands_behind_that():
    rest = [id for id in RING if id != "js_to_truth"]
    table = make_table("ring", **{id: RING[id] for id in rest})
    assert ids(deciding_columns(table)) == ["high_quality", "modes_strict"]
    assert ids(compact_columns(table)) == ["high_quality", "modes_strict", "mmd", "modes"]
    table = make_table("ring", **RING)
    assert ids(compact_columns(table))[:3] == ["js_to_truth", "modes_strict", "high_quality"]


def test_a_table_without_any_of_these_shows_all():
    table = make_table("edges", pair_gap=1.2)
    assert ids(compact_columns(table)) == ["pair_gap"]
    assert "1. pair" in to_markdown([table])


def test_a_plugin_and_what_was_named_come_last():
    scores = {"mmd": 0.1, "sliced_wasserstein": 0.3, "own": 0.2}
    assert ids(compact_columns(make_table("ring", **scores))) == ["mmd", "own"]
    table = make_table("ring", named=["sliced_wasserstein"], **scores)
    assert ids(compact_columns(table)) == ["mmd", "own", "sliced_wasserstein"]
    table = make_table("circle", named=["density"], **CURVE)
    assert ids(compact_columns(table))[-1] == "density"


def test_the_committed_tables_begin_with_what_names_their_winners():
    for table in load_leaderboard(ROOT / "results", curves=False).tables:
        shown = filled_columns(table)
        assert shown, table.name
        assert all(standings.column == shown[0] for standings in table.contests[:1]), table.name
