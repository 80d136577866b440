"""How many seeds a number is of: said where a column was measured of fewer than completed, in all formats."""

import io

import pytest
from report_records import failed, measured, spec
from rich.console import Console

from genbench.cli.run_text import score_text
from genbench.metrics.modes import NO_HIGH_QUALITY
from genbench.report import formats, leaderboard
from genbench.report.counts import FEWER, count_text, describe_counts
from genbench.report.site.pages import make_board
from genbench.report.tables import make_leaderboards
from genbench.report.terminal import print_leaderboards
from genbench.store import Record


def make_record(model, seed, **scores):
    own = spec(model, "ring", seed)
    metrics = [
        measured(id, None, reason=value)
        if isinstance(value, str)
        else measured(id, value * (1 + 0.01 * seed))
        for id, value in scores.items()
    ]
    return Record(
        cell=own.cell, group=own.group, status="ok", spec=own, taxonomy="implicit/direct", metrics=metrics
    )  # fmt: skip


def make_table(records):
    (table,) = make_leaderboards(records)
    return table


@pytest.fixture
def table():
    """A GAN of 24 seeds, of which a column was asked of eight, and a VAE of eight that has both."""
    gan = [make_record("gan", s, mmd=1.0, **({"fid": 3.0} if s < 8 else {})) for s in range(24)]
    vae = [make_record("vae", s, mmd=2.0, fid=5.0) for s in range(8)]
    return make_table([*gan, *vae])


def find(table, model, id):
    (group,) = [g for g in table.groups if g.model == model]
    (column,) = [c for c in table.columns if c.id == id]
    return group, table.cell(group, column)


def test_a_count_stands_where_seeds_that_completed_were_not_measured(table):
    assert count_text(*find(table, "gan", "fid")) == " n=8"
    assert count_text(*find(table, "gan", "mmd")) == ""
    assert count_text(*find(table, "vae", "fid")) == ""
    assert describe_counts(table, table.columns, table.groups) == [FEWER]
    others = [group for group in table.groups if group.model != "gan"]
    assert describe_counts(table, table.columns, others) == []


def test_every_format_has_it(table):
    out = io.StringIO()
    print_leaderboards(Console(file=out, width=80), [table])
    plain = {"terminal": out.getvalue(), "latex": formats.to_latex([table])}
    plain["markdown"] = leaderboard.to_markdown([table], whole=True)
    for name, text in plain.items():
        assert text.count(" n=8") == 1, name
        assert "were never measured by the column" in " ".join(text.split()), name
    assert max(map(len, plain["terminal"].splitlines())) <= 80
    whole = formats.to_markdown([table], title="all")
    assert "(n=8)" in whole
    assert FEWER in whole
    assert make_board(table)["remarks"] == [FEWER]
    frame = table.to_frame()
    assert [text.endswith(" n=8") for text in frame.filter(like="fid").iloc[:, 0]].count(True) == 1
    group, _ = find(table, "gan", "fid")
    fid, mmd = (next(c for c in table.columns if c.id == id) for id in ("fid", "mmd"))
    assert " n=8" in score_text(table, group, fid)
    assert " n=8" not in score_text(table, group, mmd).split(", ")[0]


def test_seeds_that_failed_are_marked_and_not_counted_so():
    """Neither a run that diverged nor a number that the model leaves undefined was not asked for."""
    gan = [make_record("gan", s, mmd=1.0) for s in range(8)]
    gan[7] = failed(gan[7], "diverged", "train", "loss is nan")
    table = make_table([*gan, *(make_record("vae", s, mmd=2.0) for s in range(8))])
    group, cell = find(table, "gan", "mmd")
    assert (count_text(group, cell), cell.marked, group.costs["ok"]) == ("", True, "7/8")
    lost = [make_record("gan", s, reverse_kl=1.0 if s < 6 else NO_HIGH_QUALITY) for s in range(8)]
    table = make_table([*lost, *(make_record("vae", s, reverse_kl=2.0) for s in range(8))])
    group, cell = find(table, "gan", "reverse_kl")
    assert (count_text(group, cell), cell.marked, cell.estimate.n) == ("", True, 6)


def test_what_could_not_be_measured_says_why():
    rows = [make_record("gan", s, fid=1.0 if s < 6 else "no extractor") for s in range(8)]
    table = make_table(rows)
    assert count_text(*find(table, "gan", "fid")) == " n=6"
    assert describe_counts(table, table.columns, table.groups) == [f"{FEWER}, or: no extractor"]
