"""A share that must not be read alone is printed nowhere without its spread."""

import io

import pytest
from report_records import measured, spec
from rich.console import Console

from genbench.cli.run_text import score_text
from genbench.core.metric import columns
from genbench.report.formats import to_latex
from genbench.report.leaderboard import to_markdown
from genbench.report.leaderboard_changes import find_changes
from genbench.report.significance_groups import find_significance_groups
from genbench.report.site.front import list_beside
from genbench.report.site.pages import leading_columns
from genbench.report.tables import make_leaderboards
from genbench.report.terminal import print_leaderboards
from genbench.store import Record

BOUND = sorted((id, other) for id, (_, c) in columns().items() for other in c.beside)
PROTOCOL = "classifier:digits@1, n=500/500"
SOURCES = {"test": "0" * 16, "test sources": "1" * 16}


def record(model, seed, dataset, *rows):
    own = spec(model, dataset, seed, options={})
    return Record(
        cell=own.cell,
        group=own.group,
        status="ok",
        spec=own,
        taxonomy="implicit/direct",
        data_hashes=SOURCES,
        metrics=list(rows),
    )


def make_table(share, spread, dataset="edges", shift=0.0):
    """Two models that translate, by FID, by a share and by its spread."""
    records = []
    for place, model in enumerate(("pix2pix", "cyclegan")):
        for seed in range(8):
            value = 0.7 + 0.1 * place + 0.002 * seed + shift
            rows = [
                measured("fid", 20 - 5 * place - 0.1 * seed, PROTOCOL, floor=1.0),
                measured(share, value, PROTOCOL, better="higher", unit="share", floor=0.9),
                measured(spread, 0.4 + value, PROTOCOL, better="none", unit="ratio"),
            ]
            records.append(record(model, seed, dataset, *rows))
    (table,) = make_leaderboards(records)
    return table


@pytest.fixture(params=BOUND, ids=lambda pair: pair[0])
def pair(request):
    return request.param


def printed(table):
    out = io.StringIO()
    print_leaderboards(Console(file=out, width=300), [table])
    return out.getvalue()


def test_the_accuracies_of_classes_and_captions_are_bound():
    assert BOUND == [
        ("caption_accuracy", "caption_spread"),
        ("class_kept", "class_kept_spread"),
        ("target_class", "target_class_spread"),
    ]
    for share, spread in BOUND:
        assert columns()[share][0] is columns()[spread][0]


@pytest.mark.parametrize(
    "write",
    [printed, lambda table: to_markdown([table]), lambda table: to_latex([table])],
    ids=["terminal", "markdown", "latex"],
)
def test_compact_tables_have_the_spread_behind_its_share(pair, write):
    table = make_table(*pair)
    text = write(table).replace("\\", "")
    head = next(line for line in text.splitlines() if pair[1] in line and "model" in line)
    assert head.index("fid") < head.index(f"{pair[0]} ") < head.index(pair[1])
    headlines = [c.id for c in table.columns if c.headline]
    assert headlines == ["fid", *pair]


def test_a_site_s_leading_columns_and_first_screen_have_both(pair):
    dataset = {
        "class_kept": "edges",
        "target_class": "attribute",
        "caption_accuracy": "captioned_digits",
    }[pair[0]]
    table = make_table(*pair, dataset)
    assert [c.id for c in leading_columns(table)] == ["fid", *pair]
    assert list(list_beside(table, table.standings)) == list(pair)


def test_groups_and_last_lines_name_the_spread(pair):
    table = make_table(*pair)
    (column,) = [c for c in table.columns if c.id == pair[0]]
    assert f"{pair[1]} 1.1" in score_text(table, table.groups[1], column)
    (entry,) = [e for e in find_significance_groups(table) if e["column"] == column]
    assert all(pair[1] in row["mean"] for row in entry["rows"])


def test_changes_of_a_share_come_with_those_of_its_spread(pair):
    changes = find_changes([make_table(*pair)], [make_table(*pair, shift=0.05)])
    assert {change.column.split()[0] for change in changes} == set(pair)
