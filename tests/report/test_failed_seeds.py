"""Leaderboards of models some of whose seeds failed: no row looks better for it."""

import re

import pytest
from report_records import failed, measured, spec

from genbench.metrics.modes import NO_HIGH_QUALITY
from genbench.report import formats
from genbench.report.failed_seeds import NOTE, UNASKED, UNDEFINED
from genbench.report.tables import make_leaderboards
from genbench.report.winners import to_markdown
from genbench.store import Record, Used

SEEDS = 8
STATUSES = ("diverged", "error", "oom", "timeout")


def make_record(model, seed, value, taxonomy="implicit/direct"):
    own = spec(model, "ring", seed)
    metrics = [
        measured("mmd", value),
        measured("recall", 1 - value / 10, "k=5, identity", better="higher"),
        measured("latency_1_p50_ms", value, unit="ms"),
    ]
    about = {"cell": own.cell, "group": own.group, "spec": own, "taxonomy": taxonomy}
    return Record(status="ok", metrics=metrics, used=Used(seconds=4.0), **about)


def make_rows(model, level, failures=0, **about):
    """Records of a model around a level, of which the last seeds failed."""
    good = [make_record(model, s, level * (1 + 0.01 * (s % 3)), **about) for s in range(SEEDS)]
    kept = SEEDS - failures
    return good[:kept] + [
        failed(record, STATUSES[k % len(STATUSES)], "train", "loss is nan")
        for k, record in enumerate(good[kept:])
    ]


def find(table, model, id):
    (group,) = [g for g in table.groups if g.model == model]
    (column,) = [c for c in table.columns if c.id == id]
    return table.cell(group, column)


@pytest.fixture
def table():
    """A GAN that is best where it completes, half of the time, a steady VAE, a worse flow, and noise."""
    rows = [
        *make_rows("gan", 1.0, failures=4),
        *make_rows("vae", 1.5),
        *make_rows("realnvp", 3.0),
        *make_rows("uniform", 90.0, taxonomy="reference"),
    ]
    (table,) = make_leaderboards(rows)
    return table


def test_a_failed_seed_counts_as_the_worst_completed_one_of_the_models(table):
    cell = find(table, "gan", "mmd")
    assert dict(cell.failed) == dict.fromkeys(range(4, 8), pytest.approx(3.06))
    assert (cell.estimate.n, cell.standing.n) == (4, 8)
    assert cell.standing.mean == pytest.approx((4 * 3.06 + sum(cell.values.values())) / 8)
    assert find(table, "gan", "recall").failed[7] == pytest.approx(1 - 0.306)


def test_rows_are_ordered_and_shaded_by_all_seeds(table):
    assert [g.model for g in table.groups][:3] == ["vae", "gan", "realnvp"]
    assert [find(table, m, "mmd").best for m in ("gan", "vae")] == [False, True]
    assert [find(table, m, "recall").best for m in ("gan", "vae")] == [False, True]
    assert [e.group.model for e in table.standings.entrants] == ["vae", "gan", "realnvp"]
    assert not find(table, "gan", "mmd").leading


def test_the_rank_is_of_all_seeds(table):
    """With its completed seeds alone, which are too few, the GAN would have none."""
    cell = find(table, "gan", "mmd")
    assert cell.estimate.too_few
    assert (cell.rank, cell.last) == (1, 3)
    assert (find(table, "vae", "mmd").rank, find(table, "realnvp", "mmd").rank) == (1, 2)


def test_a_model_that_fails_more_often_ranks_no_better():
    def mean_of(failures):
        rows = [*make_rows("gan", 1.0, failures), *make_rows("vae", 1.5), *make_rows("made", 3.0)]
        return find(make_leaderboards(rows)[0], "gan", "mmd").standing.mean

    means = [mean_of(k) for k in range(SEEDS)]
    assert means == sorted(means)
    assert means[0] < 1.5 < means[4]


def test_costs_are_those_of_completed_runs(table):
    assert find(table, "gan", "latency_1_p50_ms").failed == {}
    assert find(table, "gan", "latency_1_p50_ms").best


def test_the_printed_mean_is_of_completed_seeds_and_marked(table):
    assert re.fullmatch(r"1\.0\d* ± [\d.]+†", find(table, "gan", "mmd").text)
    assert "†" not in find(table, "vae", "mmd").text
    text = formats.to_markdown([table], title="a title")
    assert f"† {NOTE}: gan (4 of 8)" in text
    assert "(n=4 of 8)" in text
    assert f"† Seeds failed: {NOTE}." in to_markdown([table])
    scores = formats.to_dict([table])["leaderboards"][0]["rows"][1]["scores"]
    (mmd,) = [score for score in scores if score["id"] == "mmd"]
    assert set(mmd["values"]) == {"0", "1", "2", "3"}
    assert set(mmd["failed_count_as"]) == {"4", "5", "6", "7"}


def test_without_failures_all_is_as_it_was():
    rows = [*make_rows("gan", 1.0), *make_rows("vae", 1.5)]
    (table,) = make_leaderboards(rows)
    cell = find(table, "gan", "mmd")
    assert cell.outcomes is cell.values
    assert cell.standing is cell.estimate
    assert table.footnotes == []


def test_a_number_that_the_model_leaves_undefined_counts_as_the_worst():
    """Of noise-like samples there is no histogram of modes; what does not apply to a model stays out."""

    def lacking(record, reason):
        null = measured("reverse_kl", None, metric="modes", kind="estimate", reason=reason)
        return record.model_copy(update={"metrics": [null]})

    def row(model, level):
        rows = make_rows(model, level)
        for record in rows:
            (record.metrics[0],) = [
                measured("reverse_kl", record.metrics[0].value, metric="modes")
            ]
        return rows

    gan, vae, flow = row("gan", 0.1), row("vae", 0.2), row("realnvp", 0.3)
    gan[4:] = [lacking(record, NO_HIGH_QUALITY) for record in gan[4:]]
    vae[7] = lacking(vae[7], "ring has no known modes")
    (table,) = make_leaderboards([*gan, *vae, *flow])
    cell = find(table, "gan", "reverse_kl")
    assert dict(cell.failed) == dict.fromkeys(range(4, 8), pytest.approx(0.306))
    assert (cell.estimate.n, cell.standing.n, cell.marked) == (4, 8, True)
    assert (find(table, "vae", "reverse_kl").failed, cell.rank, cell.last) == ({}, 1, 3)
    assert table.footnotes == [f"† {UNDEFINED}: reverse_kl of gan (4 of 8)"]


LATER = "2026-03-02T10:00:00"


def add_stack(
    failing, seeds=range(100, 104), started=lambda seed: LATER, ids=("sliced_wasserstein",)
):
    """A GAN's seeds of another run, which asked for another column, and of which some fail."""
    records = []
    for seed in seeds:
        record = make_record("gan", seed, 1.0)
        record.started = started(seed)
        record.metrics = [measured(id, 2.0 + 0.01 * seed) for id in ids]
        if seed in failing:
            record = failed(record, "diverged", "train", "loss is nan")
        records.append(record)
    return records


def make_table(stack):
    others = [*make_rows("vae", 1.5), *make_rows("realnvp", 3.0)]
    return make_leaderboards([*make_rows("gan", 1.0), *stack, *others])[0]


def test_a_seed_that_failed_in_another_run_counts_only_in_the_columns_of_that_run():
    table = make_table(add_stack({102}))
    cell = find(table, "gan", "mmd")
    assert (dict(cell.failed), cell.marked, cell.seeds_text) == ({}, False, "8")
    assert cell.standing == cell.estimate
    assert find(make_table([]), "gan", "mmd").rank_text == cell.rank_text
    asked = find(table, "gan", "sliced_wasserstein")
    assert (dict(asked.failed), asked.marked) == ({102: pytest.approx(3.03)}, True)
    assert table.footnotes == [f"† {NOTE}: gan (1 of 12)", f"{UNASKED}: gan (1 of 12)"]


def test_where_all_seeds_of_a_run_failed_they_count_everywhere():
    """Nobody knows what was asked of them, and failing throughout is worst."""
    table = make_table(add_stack(range(100, 104)))
    assert sorted(find(table, "gan", "mmd").failed) == [100, 101, 102, 103]
    assert table.footnotes == [f"† {NOTE}: gan (4 of 12)"]


def test_of_a_seed_that_was_tried_alone_its_neighbours_tell_what_was_asked():
    def start(seed):
        return f"2026-03-02T10:00:{seed - 90}"

    table = make_table(add_stack({102}, started=start))
    assert find(table, "gan", "mmd").failed == {}
    assert sorted(find(table, "gan", "sliced_wasserstein").failed) == [102]
    beside = make_table(add_stack({102}, started=start, ids=("sliced_wasserstein", "mmd")))
    assert sorted(find(beside, "gan", "mmd").failed) == [102]
    untold = make_table(add_stack({101, 102, 103}, started=start))
    assert sorted(find(untold, "gan", "mmd").failed) == [102, 103]


def test_a_column_whose_number_none_of_a_run_has_was_asked_all_the_same():
    stack = add_stack({102})
    null = measured("mmd", None, "another protocol", reason="too few points")
    for record in stack:
        record.metrics = [null] if record.status == "ok" else []
    assert sorted(find(make_table(stack), "gan", "mmd").failed) == [102]


def test_a_failed_seed_that_is_tried_again_stays_beside_the_stack_that_it_began_in():
    stack = add_stack({102})
    (bad,) = [record for record in stack if record.status != "ok"]
    bad.started, bad.first_started = "2026-03-05T10:00:00", LATER
    table = make_table([record for record in stack if record.spec.seed in (100, 102)])
    assert find(table, "gan", "mmd").failed == {}
