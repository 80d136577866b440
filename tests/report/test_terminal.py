import io
import re
from dataclasses import replace

from report_records import HOSTILE
from rich.console import Console

from genbench.report.tables import make_leaderboards
from genbench.report.terminal import describe_first, print_leaderboards
from genbench.report.winners import WHY_LAX


def printed(tables, width=220, **how):
    out = io.StringIO()
    print_leaderboards(Console(file=out, width=width), tables, **how)
    return out.getvalue()


def test_headlines_are_printed_with_protocols_and_seeds(store):
    text = printed(make_leaderboards(store.records()))
    assert "fid ↓ [1]" in text
    assert "[1] fid: classifier:digits@1, n=500/500 · test" in text
    half = re.search(r"9\.7\d? ± (\d\.\d)", text)
    assert half is not None
    assert float(half[1]) > 1.5, "seeds alone leave 1.0, test set and extractor more"
    assert "resampler (reference)" in text
    assert "7/8" in text
    assert "density" not in text
    assert "! 1 of 139 runs did not complete" in text
    assert "refused" in text


def test_narrow_terminals_get_more_blocks_and_no_broken_number(store):
    tables = make_leaderboards(store.records())
    text = printed(tables, 80)
    assert max(len(line) for line in text.splitlines()) <= 80
    for table in tables:
        for group in table.groups:
            for column in table.columns:
                if column.headline:
                    assert table.cell(group, column).text in text


def test_markup_in_names_is_shown_as_text(store):
    assert HOSTILE in printed(make_leaderboards(store.records()), 4000)


def test_nothing_is_said_to_be_nothing():
    assert "no records yet" in printed([])


def test_who_is_first_and_how_sure_stands_above_the_table(store):
    for table in make_leaderboards(store.records()):
        lines = " ".join(printed([table], 80).partition("\u250f")[0].split())
        for standings in table.contests:
            assert standings.how_sure in lines
            first = standings.first
            assert first is None or f"{first.group.model} {first.cell.text};" in lines


def test_what_casts_doubt_on_the_first_is_said_beside_it(store):
    (table, *_) = make_leaderboards(store.records())
    standings = table.standings
    doubtful = replace(standings.first, unchecked=("recall",), loses_to=("kde", "noise"))
    lax = replace(standings.checks[0], lax=True)
    entrants = tuple(doubtful if e is standings.first else e for e in standings.entrants)
    told = describe_first(table, replace(standings, entrants=entrants, checks=(lax,)))
    assert "; recall not measured; but a simple fit is significantly better: kde, noise; " in told
    assert told.endswith(f"; ° {WHY_LAX}.")
