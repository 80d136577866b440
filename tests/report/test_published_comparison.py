"""Published numbers stand beside ours, say what differs, and never share a column with them."""

import re

import pytest
from report_records import measured, spec

from genbench.report.leaderboard import read_leaderboard, to_markdown, write_leaderboards
from genbench.report.published_comparison import NOT_HERE, compare_with_published
from genbench.report.site.build import write_report
from genbench.report.tables import make_leaderboards
from genbench.store import Record, Store

SAME = "samples=2500, within=3"


def made(model, protocol=SAME, id="modes", dataset="ring", kind="exact", **changed):
    for seed in range(5):
        about = spec(model, dataset, seed, **changed)
        score = measured(id, 5.0 + seed % 2, protocol, better="higher", kind=kind)
        yield Record(
            cell=about.cell,
            group=about.group,
            status="ok",
            spec=about,
            taxonomy="implicit/direct",
            metrics=[score],
        )


def rows(*records):
    (table,) = make_leaderboards([record for group in records for record in group])
    return compare_with_published(table)


def test_the_same_protocol_is_said_to_be_so():
    found = rows(made("gan"))
    gan = [row for row in found if row.here]
    assert gan == found[: len(gan)]
    assert {(row.model, row.published.text) for row in gan} >= {("GAN (gan)", "6.3 ± 0.5")}
    assert {row.published.differences for row in gan} == {()}
    (pacgan,) = [row for row in gan if row.published.source.year == 2018]
    assert pacgan.comparable.startswith("same protocol; trained there: 4 x 400 ReLU")
    assert pacgan.spread == "10 runs, standard error"
    assert pacgan.protocol == SAME
    assert pacgan.here[0].cell.text.startswith("5.4")


def test_what_differs_is_computed_from_the_records():
    found = [row for row in rows(made("gan", "samples=9, within=3")) if row.here]
    assert {row.published.differences for row in found} == {("samples 2500 there, 9 here",)}
    options = {"spread": 0.1}
    found = [row for row in rows(made("gan", dataset_options=options)) if row.here]
    assert {row.published.differences for row in found} == {("data set ring (spread=0.1) here",)}
    found = [row for row in rows(made("gan", kind="bound")) if row.here]
    assert {row.published.differences for row in found} == {("a bound here",)}


def test_the_closest_of_several_scores_stands_beside():
    far = made("gan", "samples=9, within=9", options={"hidden": [7]})
    near = [made("gan", options={"hidden": [size]}) for size in (8, 9)]
    found = [row for row in rows(far, *near) if row.here]
    assert {h.column.protocol for row in found for h in row.here} == {SAME}
    labels = {tuple(h.group.label for h in row.here) for row in found}
    assert labels == {("gan (hidden=[8])", "gan (hidden=[9])")}


def test_what_was_not_measured_is_said():
    found = rows(made("gan", id="recall"))
    assert {row.here for row in found} == {()}
    told = {row.model: row.comparable for row in found}
    assert told["VEEGAN"].startswith("no model of genbench")
    assert told["GAN (gan)"].startswith(NOT_HERE)
    assert rows(made("gan", dataset="moons")) == []


def test_numbers_of_other_data_stand_beside_the_same_task_with_what_differs():
    about = {"id": "class_kept", "dataset": "edges"}
    for reverse, expected in ((False, ["0.42"]), (True, ["0.86"])):
        here = {"reverse": reverse, "paired": True}
        found = rows(made("pix2pix", **about, dataset_options=here, options={"judge": "none"}))
        asked = [row for row in found if row.here and row.published.value.label == "L1"]
        assert [row.published.text for row in asked] == expected
        there = "cityscapes_reversed" if reverse else "cityscapes"
        assert f"data set {there} there, edges" in asked[0].comparable
        assert "not whole pictures" in asked[0].comparable
    here = {"reverse": False, "paired": False}
    found = [row for row in rows(made("cyclegan", **about, dataset_options=here)) if row.here]
    assert {row.published.source.cited for row in found} == {"Zhu et al., 2017 (quoted)"}
    assert rows(made("pix2pix", **{**about, "dataset": "quarter_turn"})) == []


@pytest.fixture
def pages(tmp_path):
    store = Store(tmp_path / "results")
    for record in made("gan"):
        store.write(record)
    tables = make_leaderboards(store.records())
    write_report(read_leaderboard(store), tmp_path / "report")
    write_leaderboards(tables, tmp_path / "public", title="public")
    return [
        (tmp_path / "report" / "data-ring.html").read_text(),
        (tmp_path / "public" / "index.html").read_text(),
    ]


def test_pages_show_them_in_columns_of_their_own(pages):
    for text in pages:
        (table,) = re.findall(r'<details class="published">.*?</details>', text, re.S)
        assert "6.3 ± 0.5" in table
        assert "same protocol; trained there" in table
        assert "Lin et al., 2018" in table
        assert "6.3 ± 0.5" not in text.replace(table, "")
        body = table.split("<tbody>")[1]
        for row in body.split("<tr>")[1:]:
            cells = re.findall(r"<td.*?</td>", row, re.S)
            assert len(cells) == 7
            assert re.search(r"^\s*(≤ )?[\d.e-]+", re.sub("<.*?>", "", cells[1]))


def test_the_readmes_table_has_none():
    assert "6.3 ± 0.5" not in to_markdown(make_leaderboards(made("gan")))
