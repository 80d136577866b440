import csv
import io

import pytest
from report_records import HOSTILE, failed, measured, record, spec

from genbench.report import formats, text
from genbench.report.site.pages import leading_columns
from genbench.report.tables import list_failures, make_leaderboards
from genbench.statistics.intervals import Estimate
from genbench.store import Record, Used


def made(model, seed, metrics, dataset="ring", taxonomy="implicit/direct", **changed):
    about = spec(model, dataset, seed, **changed)
    return Record(
        cell=about.cell,
        group=about.group,
        status="ok",
        spec=about,
        taxonomy=taxonomy,
        metrics=metrics,
        used=Used(seconds=4.0, seeds_sharing=2),
    )


def column(table, id, **wanted):
    found = [c for c in table.columns if c.id == id]
    found = [c for c in found if all(getattr(c, k) == v for k, v in wanted.items())]
    assert len(found) == 1
    return found[0]


def row(table, label):
    return next(g for g in table.groups if g.label == label)


def test_one_table_a_dataset(store):
    assert [t.name for t in make_leaderboards(store.records())] == ["digits", "grid", "ring"]


def test_two_protocols_of_one_id_are_two_columns():
    rows = [
        made("gan", 0, [measured("fid", 3.0, "inception, n=50k")]),
        made("vae", 0, [measured("fid", 5.0, "classifier, n=500")]),
    ]
    (table,) = make_leaderboards(rows)
    assert [(c.id, c.protocol) for c in table.columns] == [
        ("fid", "classifier, n=500"),
        ("fid", "inception, n=50k"),
    ]
    assert (
        table.cell(row(table, "gan"), column(table, "fid", protocol="classifier, n=500")).text
        == "–"
    )


@pytest.mark.parametrize(
    "changed",
    [
        {"kind": "bound"},
        {"kind": "estimate"},
        {"split": "train"},
        {"version": 2},
    ],
)
def test_what_differs_in_kind_split_or_version_never_shares_a_column(changed):
    rows = [
        made("gan", 0, [measured("nll", 3.0)]),
        made("vae", 0, [measured("nll", 5.0, **changed)]),
    ]
    (table,) = make_leaderboards(rows)
    assert len(table.columns) == 2
    for c in table.columns:
        assert sum(bool(table.cell(g, c).values) for g in table.groups) == 1


def test_best_respects_the_direction_and_leaves_out_references():
    def scores(x):
        return [
            measured("mmd", x),
            measured("recall", x, better="higher"),
            measured("width", x, better="none"),
        ]

    rows = [made("a", s, scores(1.0 + 0.01 * s)) for s in range(6)]
    rows += [made("b", s, scores(2.0 + 0.02 * s)) for s in range(6)]
    rows += [made("r", s, scores(x), taxonomy="reference") for s, x in enumerate([0.0, 9.0] * 3)]
    (table,) = make_leaderboards(rows)
    best = {c.id: [g.label for g in table.groups if table.cell(g, c).best] for c in table.columns}
    assert best == {"mmd": ["a"], "recall": ["b"], "width": []}
    assert table.cell(row(table, "r"), column(table, "mmd")).rank is None
    assert table.cell(row(table, "b"), column(table, "mmd")).rank == 2


def test_rows_of_few_seeds_have_no_rank():
    rows = [made("a", s, [measured("mmd", 1.0 + s)]) for s in range(6)]
    rows += [made("b", s, [measured("mmd", 9.0 + s)]) for s in range(3)]
    (table,) = make_leaderboards(rows)
    c = column(table, "mmd")
    assert table.cell(row(table, "a"), c).rank == 1
    assert table.cell(row(table, "b"), c).rank is None


def test_rows_are_ordered_by_fid_then_mmd_then_name():
    def rows(id):
        values = [("c", 1.0), ("a", 3.0), ("b", 2.0)]
        return [made(name, 0, [measured(id, value)]) for name, value in values]

    assert [g.label for g in make_leaderboards(rows("fid"))[0].groups] == ["c", "b", "a"]
    assert [g.label for g in make_leaderboards(rows("mmd"))[0].groups] == ["c", "b", "a"]
    assert [g.label for g in make_leaderboards(rows("other"))[0].groups] == ["a", "b", "c"]
    rows_ = [*rows("fid"), made("aa", 0, [measured("mmd", 0.0)])]
    assert [g.label for g in make_leaderboards(rows_)[0].groups] == ["c", "b", "a", "aa"]


def test_labels_name_only_what_differs():
    rows = [
        made("gan", 0, [], options={"lr": 0.1, "hidden": 64}),
        made("gan", 0, [], options={"lr": 0.2, "hidden": 64}),
        made("vae", 0, [], options={"lr": 0.3}),
    ]
    (table,) = make_leaderboards(rows)
    assert [g.label for g in table.groups] == ["gan (lr=0.1)", "gan (lr=0.2)", "vae"]


def test_failed_runs_give_no_number_and_a_row_of_failures(store):
    good = record(store, "gan", "ring", 0)
    bad = failed(record(store, "gan", "ring", 1), "diverged", "train", "loss is nan")
    bad = bad.model_copy(update={"metrics": [measured("mmd", 1e9)]})
    tables = make_leaderboards([good, bad])
    (group,) = tables[0].groups
    assert group.costs["ok"] == "1/2"
    assert all(1 not in cell.values for cell in tables[0].cells.values())
    (lost,) = list_failures(tables).to_dict("records")
    assert (lost["status"], lost["phase"], lost["reason"]) == ("diverged", "train", "loss is nan")
    assert (lost["seed"], lost["after"], lost["cell"]) == (1, "3.2 s", bad.cell)


def test_a_missing_value_says_why(store):
    (table,) = [t for t in make_leaderboards(store.records()) if t.name == "digits"]
    for c in table.columns:
        if c.id == "bits_per_dim":
            assert table.cell(row(table, "gan"), c).reasons == ("gan is no Density",)


def test_a_column_without_any_value_is_left_out():
    (table,) = make_leaderboards(
        [made("gan", 0, [measured("nll", None, "", reason="no density")])]
    )
    assert table.columns == ()
    assert list(table.reasons.values()) == [("no density",)]


def test_the_time_of_training_is_a_seeds_share_of_its_stack():
    (table,) = make_leaderboards([made("gan", s, []) for s in range(2)])
    assert table.costs(table.groups[0])["training, s per seed"] == "2"


def timed(model, seeds, seconds, sharing, *, fid=None, cpu="one"):
    """Rows of a stack; with a score, or trained for something else."""
    scores = [measured("other", 1.0), *([] if fid is None else [measured("fid", fid)])]
    used = Used(seconds=seconds, seeds_sharing=sharing, peak_memory_bytes=sharing * 10**6)
    environment = {"cpu": cpu}
    return [
        made(model, s, scores).model_copy(update={"used": used, "environment": environment})
        for s in seeds
    ]


def test_seconds_of_training_are_of_the_seeds_with_the_score_beside_them():
    rows = [
        *timed("gan", range(4), 40.0, 4, fid=1.0),
        *timed("gan", range(100, 116), 320.0, 16),
        *timed("vae", range(4), 48.0, 4, fid=2.0),
    ]
    (table,) = make_leaderboards(rows)
    gan = row(table, "gan")
    assert table.training(gan).mean == 10.0, "all seeds have 18 in the mean"
    assert table.costs(gan)["peak memory, MB"] == "4", "of that stack, not of the one of 16"
    cells = {c.id: (c, table.cell(gan, c)) for c in table.columns}
    assert cells["other"][1].estimate.n == 20
    frame = formats.make_frame([table]).query("model == 'gan'").set_index("id")
    assert tuple(frame.loc["fid", ["train_seconds", "seeds_sharing"]]) == (40.0, 4)
    assert tuple(frame.loc["other", ["train_seconds", "seeds_sharing"]]) == (40.0, 4), (
        "of the stacks that most rows share, never a mean of both"
    )


def test_seconds_of_other_stacks_and_machines_say_so():
    rows = [
        *timed("gan", range(4), 40.0, 4, fid=1.0),
        *timed("vae", range(4), 48.0, 4, fid=2.0),
        *timed("wgan_gp", range(4), 60.0, 2, fid=3.0),
        *timed("made", range(4), 60.0, 4, fid=4.0, cpu="another"),
    ]
    (table,) = make_leaderboards(rows)
    shown = {g.label: table.costs(g)["training, s per seed"] for g in table.groups}
    assert shown == {
        **{"gan": "10", "vae": "12"},
        **{"wgan_gp": "30 (stack of 2)", "made": "15 (other machine)"},
    }


def test_exports_hold_all_that_decides_a_row():
    rows = [
        made("gan", s, [measured("mmd", 1.0)], budget={"steps": n})
        for s in range(2)
        for n in (50, 400)
    ]
    tables = make_leaderboards(rows)
    frame = formats.make_frame(tables)
    assert sorted(frame["budget_steps"]) == [50, 400]
    assert set(frame["model_name"]) == {"gan"}
    assert set(formats.SETTINGS) <= set(frame.columns)
    settings = [row["settings"] for row in formats.to_dict(tables)["leaderboards"][0]["rows"]]
    assert sorted(s["budget_steps"] for s in settings) == [50, 400]
    assert ("budget_steps", "") in tables[0].to_frame().columns


def test_intervals_stay_within_what_is_possible():
    wild = [10.0, 12.0, 900.0, 11.0, 9.0, 14.0, 10.0, 13.0]
    shares = [0.0, 0.01, 0.9, 0.0, 0.02, 0.0, 0.0, 0.01]
    rows = [
        made("gan", s, [measured("fid", f), measured("recall", r, better="higher")])
        for s, (f, r) in enumerate(zip(wild, shares, strict=True))
    ]
    (table,) = make_leaderboards(rows)
    fid, recall = (table.cell(table.groups[0], column(table, id)) for id in ("fid", "recall"))
    assert 0 < fid.estimate.low < fid.estimate.mean < fid.estimate.high
    assert 0 <= recall.estimate.low < recall.estimate.mean < recall.estimate.high <= 1
    for cell in (fid, recall):
        assert "±" not in cell.text
        assert cell.text.endswith("]")


def test_frame_has_protocols_in_its_heads(store):
    frame = make_leaderboards(store.records())[0].to_frame()
    assert ("fid ↓", "classifier:digits@1, n=500/500 · test") in frame.columns
    assert frame.index[0] == "resampler"
    assert "±" in frame.iloc[1, 0]


def test_markdown_shows_hostile_text_as_text(store):
    page = formats.to_markdown(make_leaderboards(store.records()), title="Scores | a_b")
    assert HOSTILE not in page
    assert "&lt;script&gt;" in page
    assert "Scores \\| a\\_b" in page
    heads = [line for line in page.splitlines() if line.startswith("| model")]
    assert len(heads) == 3
    for head in heads:
        assert all("<br>" in cell for cell in head.split("|") if "mmd" in cell)


def test_csv_holds_every_number_with_its_protocol(store):
    tables = make_leaderboards(store.records())
    rows = list(csv.DictReader(io.StringIO(formats.to_csv(tables))))
    assert len(rows) == sum(len(t.groups) * len(t.columns) for t in tables)
    one = next(
        r
        for r in rows
        if r["dataset"] == "ring"
        and r["model"] == "wgan_gp"
        and r["id"] == "mmd"
        and r["split"] == "test"
    )
    assert float(one["low"]) <= float(one["mean"]) <= float(one["high"])
    assert one["n"] == "8"
    assert "bandwidth 0.3" in one["protocol"]


@pytest.mark.parametrize(
    ("estimate", "shown"),
    [
        (Estimate(0), "–"),
        (Estimate(1, 2.5), "2.5"),
        (Estimate(8, 0.12345, 0.11, 0.13, "bootstrap-t"), "0.123 ± 0.010"),
        (Estimate(8, 1234.5, 1134.0, 1334.0, "bootstrap-t"), "1234 ± 100"),
        (Estimate(8, 8.0, 8.0, 8.0, "constant"), "8 ± 0"),
        (Estimate(8, 1.5e-7, 1.4e-7, 1.6e-7, "bootstrap-t"), "(1.50 ± 0.10)e-07"),
        (Estimate(8, 1.5e200, 1.4e200, 1.6e200, "bootstrap-t"), "(1.50 ± 0.10)e+200"),
        (Estimate(8, 0.0, -0.02, 0.02, "bootstrap-t"), "0.000 ± 0.020"),
        (Estimate(8, 153.0, 18.0, 1200.0, "bootstrap-t", "log"), "153 [18, 1,200]"),
        (Estimate(8, 0.98, 0.9, 0.996, "bootstrap-t", "logit"), "0.98 [0.9, 0.996]"),
        (Estimate(8, 0.5, 0.4, 0.6, "bootstrap-t", "logit"), "0.50 ± 0.10"),
    ],
)
def test_plus_minus(estimate, shown):
    assert text.plus_minus(estimate) == shown


def test_no_records_make_empty_tables():
    assert make_leaderboards([]) == []
    assert list_failures([]).empty
    assert formats.to_csv([]).startswith("dataset,model,group")


def test_what_is_never_read_alone_stands_beside_what_decides():
    def row_of(model, seed, fid):
        scores = {"fid": fid, "psnr": 20 + seed, "ssim": 0.9, "latency_1_p50_ms": 1}
        return made(model, seed, [measured(id, v) for id, v in scores.items()], "edges")

    rows = [
        row_of(model, s, fid + s) for s in range(5) for model, fid in (("srgan", 9), ("gan", 5))
    ]
    (table,) = make_leaderboards(rows)
    assert [c.id for c in leading_columns(table)] == ["fid", "psnr", "latency_1_p50_ms"]


def test_a_distance_of_raw_points_is_hidden_with_the_reason():
    """PSNR must not stand alone without a word."""
    raw = [measured("psnr", 14.0, better="higher"), measured("fid", 3.0, "identity, n=500/500")]
    (table,) = make_leaderboards([made("gan", seed, raw) for seed in range(5)])
    (line,) = table.omissions
    assert line.startswith("fid is no headline here: it was measured on the points themselves")
    assert "identity, n=500/500" in line
    assert formats.make_sheet(table, [column(table, "psnr")], heads=[]).notes == [line]
    assert formats.make_sheet(table, table.columns, heads=[]).notes == []
    learned = [*raw, measured("fid", 3.0, "random_conv@1, n=500/500")]
    (table,) = make_leaderboards([made("gan", seed, learned) for seed in range(5)])
    assert table.omissions == []
    (table,) = make_leaderboards([made("gan", seed, raw[:1]) for seed in range(5)])
    assert table.omissions == []


@pytest.mark.parametrize(
    ("value", "shown"), [(999.4, "999"), (999.6, "1,000"), (-999.6, "-1,000"), (0.01234, "0.0123")]
)
def test_a_number_that_is_rounded_to_a_thousand_is_one(value, shown):
    assert text.number(value) == shown
