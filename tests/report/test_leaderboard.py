import json
from pathlib import Path
from xml.etree import ElementTree

import pytest
from report_records import HOSTILE, record

from genbench.core.errors import DataError
from genbench.core.spec import Budget
from genbench.report.leaderboard import (
    BEGIN,
    END,
    MOST,
    count_sources,
    load_leaderboard,
    to_markdown,
    update_readme,
    write_leaderboards,
)
from genbench.report.site.picture import draw_picture
from genbench.report.tables import make_leaderboards
from genbench.store import Store

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def tables(store):
    return make_leaderboards(store.records())


def rows(text, model):
    return [line for line in text.splitlines() if line.startswith(f"| {model}")]


def test_protocols_never_share_a_column_and_stand_below(tables):
    text = to_markdown(tables)
    head = next(line for line in text.splitlines() if line.startswith("| model"))
    assert head.count("bits\\_per\\_dim") == 2
    assert "bits\\_per\\_dim: uniform dequantisation · test · bound" in text
    (row,) = rows(text.split("### grid")[0], "vae")
    cells = [cell.strip() for cell in row.split("|")]
    heads = [cell.strip() for cell in head.split("|")]
    shown = [c for c, h in zip(cells, heads, strict=True) if h.startswith("bits")]
    assert sorted(c == "–" for c in shown) == [False, True]


def test_ranks_have_intervals_and_references_none(tables):
    text = to_markdown(tables)
    assert "± " in rows(text, "wgan")[0]
    assert "#2–3" in rows(text, "wgan")[0]
    assert "#" not in rows(text, "*resampler* (reference)")[0]
    assert "too few seeds" in "".join(rows(text, "gan"))


def test_hostile_names_are_text(tables, tmp_path):
    assert HOSTILE not in to_markdown(tables)
    page = write_leaderboards(tables, tmp_path, title="<i>t</i>")
    assert HOSTILE not in page.read_text()
    assert "&lt;i&gt;t&lt;/i&gt;" in page.read_text()


def test_the_page_needs_no_other_place(tables, tmp_path):
    page = write_leaderboards(tables, tmp_path, title="public")
    assert {p.name for p in tmp_path.iterdir()} == {
        *("index.html", "leaderboard.md", "style.css", "script.js")
    }
    assert "http" not in page.read_text().replace("http-equiv", "")
    assert page.read_text().count('aria-label="Leaderboard of') == len(tables)


def test_rows_say_where_their_numbers_come_from(store, tables, tmp_path):
    here = record(store, "gan", "ring", 0, with_samples=False)
    environment = {**here.environment, "device": "another machine"}
    guest = record(store, "vae", "ring", 0, with_samples=False)
    mixed = make_leaderboards([here, guest.model_copy(update={"environment": environment})])
    assert len(count_sources(tables)) == 1
    assert [n for _, n in count_sources(mixed)] == [1, 1]
    text = to_markdown(mixed)
    marks = {rows(text, name)[0].split("|")[-2].strip() for name in ("gan", "vae")}
    assert marks == {"[1]", "[2]"}
    assert "device another machine" in text
    page = write_leaderboards(mixed, tmp_path, title="t").read_text()
    assert '<td class="num" data-v="[1]">[1]</td>' in page
    assert '<td class="num" data-v="[2]">[2]</td>' in page


def test_only_what_stands_between_the_markers_is_rewritten(tables, tmp_path):
    path = tmp_path / "README.md"
    path.write_text(f"before\n{BEGIN}\nold\n{END}\nafter\n")
    assert update_readme(path, tables)
    text = path.read_text()
    assert text.startswith(f"before\n{BEGIN}\n")
    assert text.endswith(f"{END}\nafter\n")
    assert "old\n" not in text
    assert not update_readme(path, tables)


def test_a_file_without_markers_is_refused(tables, tmp_path):
    path = tmp_path / "README.md"
    path.write_text("no table")
    with pytest.raises(DataError, match="needs the lines"):
        update_readme(path, tables)
    path.write_text(f"{END} {BEGIN}")
    with pytest.raises(DataError, match="got 1 and 1 the other way round"):
        update_readme(path, tables)
    with pytest.raises(DataError, match="needs a text file"):
        update_readme(tmp_path / "none.md", tables)
    assert path.read_text() == f"{END} {BEGIN}"


def test_long_tables_are_cut_and_say_so(store):
    many = []
    for i in range(MOST + 2):
        options = {"hidden": [i]}
        many.append(record(store, "gan", "ring", 0, with_samples=False, options=options))
    text = to_markdown(make_leaderboards(many), most=MOST)
    assert len(rows(text, "gan")) == MOST
    assert "2 more rows: see `genbench report`." in text


def test_the_verb_prints_writes_and_says_what_is_missing(store, tmp_path, genbench):
    code, out, _ = genbench("leaderboard", "-o", store.root, "--format", "markdown")
    assert code == 0
    assert "### digits" in out
    _, out, _ = genbench("leaderboard", "-o", store.root, "--to", tmp_path / "a", "--json")
    assert json.loads(out)["page"] == str(tmp_path / "a" / "index.html")
    assert (tmp_path / "a" / "index.html").is_file()
    code, _, err = genbench("leaderboard", "-o", tmp_path / "none")
    assert (code, "is not a folder; make records with" in err) == (2, True)


@pytest.fixture(scope="module")
def committed():
    return make_leaderboards(Store(ROOT / "results").records())


@pytest.mark.parametrize("name", ["README.md", "results/README.md"])
def test_documents_show_the_results(name, committed, tmp_path):
    copy = tmp_path / "copy.md"
    copy.write_text((ROOT / name).read_text())
    assert not update_readme(copy, committed), (
        f"{name} is not current; run: genbench leaderboard -o results --readme {name}"
    )


def test_the_picture_of_the_readme_shows_the_results(committed, tmp_path):
    name = "docs/families.svg"
    assert draw_picture(committed).decode() == (ROOT / name).read_text(), (
        f"{name} is not current; run: genbench leaderboard -o results --picture {name}"
    )
    root = ElementTree.fromstring((ROOT / name).read_bytes())
    inner = root.findall(".//{http://www.w3.org/2000/svg}svg")
    assert len(inner) == 6
    assert "url(" not in (ROOT / name).read_text(), "it stands alone"


def test_a_board_is_an_object_with_tables_frame_and_html(store, tmp_path):
    board = load_leaderboard(store.root)
    assert [table.name for table in board.tables] == ["digits", "grid", "ring"]
    assert board.to_markdown() == to_markdown(board.tables) == repr(board)
    assert board._repr_html_().count("<table>") == 3
    assert HOSTILE not in board._repr_html_()
    frame = board.to_frame()
    assert len(frame) == sum(len(t.groups) * len(t.columns) for t in board.tables)
    assert len(board.to_dict()["leaderboards"]) == 3
    assert board.write(tmp_path).is_file()


def test_scales_of_claims_stand_apart(store):
    own, other = (
        record(store, "gan", "ring", 0, with_samples=False, budget=Budget(steps=steps))
        for steps in (400, 50)
    )
    quick = other.model_copy(update={"scale": "quick"})

    def steps(records, **scale):
        tables = make_leaderboards(records, **scale)
        return sorted(g.first.spec.budget.steps for t in tables for g in t.groups)

    assert steps([own, other]) == [50, 400]
    assert steps([own, quick]) == [400], "they would compete with themselves"
    assert steps([quick]) == [50], "alone they are all there is to show"
    assert steps([own, quick], scale="all") == [50, 400]
    assert steps([own, quick], scale="quick") == [50]
