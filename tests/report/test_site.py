import csv
import io
import json
import re
from html.parser import HTMLParser

import pytest
import yaml
from report_records import HOSTILE, TITLE, record

from genbench.report import formats, reproduce
from genbench.report.leaderboard import read_leaderboard
from genbench.report.sheet import latex_text
from genbench.report.significance_groups import find_significance_groups
from genbench.report.site import templating
from genbench.report.site.build import write_report
from genbench.report.tables import make_leaderboards
from genbench.report.text import count_range
from genbench.running.cells import groups_of
from genbench.store import Store
from genbench.store.documents import load_suites


@pytest.fixture(scope="module")
def folder(site):
    return site


@pytest.fixture(scope="module")
def html(folder):
    return {path.name: path.read_text() for path in folder.glob("*.html")}


class Outline(HTMLParser):
    """Collects elements, ids, links and sources."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.ids, self.links, self.sources, self.here = [], [], [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        self.tags.append(tag)
        self.ids += [attrs["id"]] if "id" in attrs else []
        self.links += [attrs["href"]] if "href" in attrs else []
        self.sources += [attrs["src"]] if "src" in attrs else []
        self.here += [attrs["href"]] if attrs.get("aria-current") == "page" else []


def test_a_page_a_data_set_and_a_model(folder, html):
    models = ("gan", "wgan_gp", "vae", "real_nvp", "pixelcnn", "resampler")
    assert set(html) == {
        *("index.html", "compare.html", "fairness.html", "failures.html", "environment.html"),
        "sources.html",
        *(f"data-{name}.html" for name in ("ring", "grid", "digits")),
        *(f"model-{name}.html" for name in models),
    }
    for name in ("csv", "md", "json", "tex", "parquet"):
        assert (folder / f"leaderboard.{name}").stat().st_size > 1000
    assert sum(p.stat().st_size for p in folder.rglob("*") if p.is_file()) < 15e6


def test_every_link_and_source_is_in_the_folder(folder, html):
    for text in html.values():
        outline = Outline(text)
        assert len(outline.ids) == len(set(outline.ids))
        for link in outline.links + outline.sources:
            place, _, anchor = link.partition("#")
            if link.startswith("data:"):
                continue
            assert not re.match(r"[a-z]+:|/", place)
            assert (folder / place).is_file() if place else anchor in outline.ids


def test_the_menu_says_which_page_this_is(html):
    """Escaped quotes would be part of the values, which neither the styles nor a screen reader know."""
    for name in ("index.html", "compare.html", "data-ring.html"):
        assert Outline(html[name]).here == [name]
    assert not [name for name, page in html.items() if re.search("(class|current)=&#34;", page)]


def test_scripts_are_files_and_the_policy_allows_no_other(html):
    for text in html.values():
        policy = re.search(r'Content-Security-Policy" content="([^"]*)"', text)
        assert policy
        assert "default-src 'none'; script-src 'self' file:;" in policy[1]
        assert re.findall(r"<script(?! src=| type=\"application/json\" id=\"data\")", text) == []


def test_hostile_text_is_escaped_everywhere(html):
    for text in html.values():
        assert HOSTILE not in text
        assert TITLE not in text
        assert "A &lt;b&gt;title&lt;/b&gt;" in text
    assert "&lt;script&gt;window.hacked" in html["data-ring.html"]
    assert "\\u003cscript\\u003ewindow.hacked" in html["data-ring.html"]


def test_every_dataset_has_its_leaderboard_with_protocols_and_floor(html):
    for name in ("ring", "grid", "digits"):
        text = html[f"data-{name}.html"]
        assert f'aria-label="Leaderboard of {name}"' in text
        assert text.count("real vs real") == 1
        assert 'class="tag">reference' in text
    assert "classifier:digits@1, n=500/500 · test" in html["data-digits.html"]


def test_failures_are_rows_with_their_reasons(html):
    assert html["failures.html"].count('class="tag skipped"') == 8
    assert html["failures.html"].count('class="tag diverged"') == 1
    assert "pixelcnn needs images, got (2,)" in html["failures.html"]
    assert "loss is nan at step 17" in html["model-gan.html"]


def test_numbers_in_the_pages_are_those_of_the_tables(store, html):
    for table in make_leaderboards(store.records()):
        for group in table.groups:
            for column in table.columns:
                if table.cell(group, column).values:
                    shown = table.cell(group, column).text
                    assert shown in html[f"data-{table.name}.html"]
                    assert shown in html[f"model-{group.model}.html"]


def test_families_that_cannot_be_told_apart_share_a_letter(store, html):
    (table,) = [t for t in make_leaderboards(store.records()) if t.name == "digits"]
    (fid,) = [c for c in find_significance_groups(table) if c["column"].id == "fid"]
    above = table.rankings[fid["column"]].above
    by_label = {e.group.label: e for e in table.standings.entrants}
    assert [row["label"] for row in fid["rows"]] == [
        e.group.label for e in table.standings.entrants
    ]
    assert {row["family"] for row in fid["rows"]} == {e.family for e in by_label.values()}
    share = {
        frozenset((a["label"], b["label"]))
        for a in fid["rows"]
        for b in fid["rows"]
        if a is not b and any(x and y for x, y in zip(a["in"], b["in"], strict=True))
    }
    # of all rows fewer pairs are significant than of the few that stand for families
    for a in by_label.values():
        for b in by_label.values():
            if b.group.id in above[a.group.id]:
                assert frozenset((a.group.label, b.group.label)) not in share
    for row in fid["rows"]:
        shown = f'<th scope="row">{row["family"]}: {row["label"]}</th><td class="num">{row["mean"]}</td>'
        assert f'{shown}<td class="num">{row["rank"]}</td>' in html["data-digits.html"]


def test_every_family_has_one_row_on_the_overview(html):
    board = re.search(
        r'<div class="choice" data-name="digits".*?</table>', html["index.html"], re.S
    )
    assert board
    assert re.findall(r'<a href="model-\w+.html" title="\w+">(\w+)</a>', board[0]) == [
        *("pixelcnn", "real_nvp", "wgan_gp", "vae")
    ]


def test_without_samples_there_is_one_line_and_no_boxes(html):
    text = html["data-ring.html"]
    assert 'class="none"' not in text
    assert text.count("No samples of ") == 1
    assert "vae (no samples were stored)" in text


def test_every_data_set_is_in_the_navigation_of_every_page(html):
    for text in html.values():
        nav = re.search(r'<nav aria-label="Data sets".*?</nav>', text, re.S)[0]
        assert re.findall(r">(\w+)</a>", nav) == ["digits", "grid", "ring"]


def test_what_is_fair_and_what_is_not_is_said(html):
    text = html["fairness.html"]
    assert "digits: fid ↓ with recall" in text
    assert "without being on the list of entrants" in text
    assert "flow_matching" in text, "the list of entrants, with or without records"


def test_the_overview_says_how_its_first_best_row_is_made_again(html):
    shown = re.search(
        r"<code>(genbench run (row-\w+) -c reproduce.yaml)</code>", html["index.html"]
    )
    assert shown
    assert shown[1] in html["data-digits.html"]


def test_a_model_tells_its_paper_and_its_differences(html):
    text = html["model-wgan_gp.html"]
    assert "Gulrajani et al., 2017" in text
    assert "the penalty is 0.1 on points without a range" in text
    assert "not installed here" in html["model-resampler.html"]


def test_the_commands_make_the_same_cells_again(store, folder, tmp_path, monkeypatch):
    made = [
        record(store, "gan", "ring", seed, with_samples=False, options=options, labelled=labelled)
        for seed in (0, 3)
        for options, labelled in (({"lr": 1e-05}, None), ({"lr": 1e-3, "hidden": [32]}, 100))
    ]
    monkeypatch.setattr("genbench.core.options.resolve", lambda function, given, who: given)
    (table,) = make_leaderboards(made)
    (tmp_path / "again.yaml").write_text(reproduce.make_suite_file([table]))
    suites = load_suites(tmp_path / "again.yaml")
    for group in table.groups:
        suite = suites[reproduce.name_of(group)]
        assert suite.seed_list == [0, 3]
        (cells,) = suite.cells
        spec = group.first.spec
        assert suite.budget == spec.budget
        assert (suite.batch, suite.precision) == (spec.batch, spec.precision)
        assert (cells.labelled, cells.models[0].options) == (spec.labelled, spec.options)
        assert f"genbench run row-{group.id} -c reproduce.yaml" == reproduce.command_of(group)
    names = yaml.safe_load((folder / "reproduce.yaml").read_text())["suites"]
    shown = re.findall(r"genbench run (row-\w+)", (folder / "data-ring.html").read_text())
    assert len(set(shown)) == 7
    assert set(shown) <= set(names)


def test_the_suite_file_of_real_options_has_the_groups_of_the_records(tmp_path):
    from genbench.core.spec import Suite
    from genbench.running.cells import cell_specs

    cells = {"models": ["vae"], "datasets": ["ring"], "batch": 64}
    suite = Suite.model_validate({"description": "", "metrics": ["mmd"], "cells": [cells]})
    (part,) = suite.cells
    spec = cell_specs(suite, part, part.models[0], part.datasets[0], autocast=False)[0]
    store = Store(tmp_path)
    made = record(store, "vae", "ring", 0, with_samples=False)
    made = made.model_copy(update={"spec": spec, "cell": spec.cell, "group": spec.group})
    tables = make_leaderboards([made])
    (tmp_path / "again.yaml").write_text(reproduce.make_suite_file(tables))
    again = load_suites(tmp_path / "again.yaml")[f"row-{spec.group}"]
    assert groups_of(again) == {spec.group}


def test_latex_is_escaped_and_balanced(store):
    text = formats.to_latex(make_leaderboards(store.records()))
    assert text.count(r"\toprule") == text.count(r"\bottomrule") == text.count(r"\end{table}") == 3
    assert r"latency\_1\_p50\_ms" in text
    assert r"\textless{}script\textgreater{}" in text
    for line in text.splitlines():
        if line.endswith(r"\\") and "midrule" not in line:
            assert len(re.findall(r"(?<!\\)&", line)) >= 5
    assert latex_text("a_b & 100 % \\ {x} # $\n~^") == (
        r"a\_b \& 100 \% \textbackslash{} \{x\} \# \$ \textasciitilde{}\textasciicircum{}"
    )


def test_json_holds_every_seed(store, folder):
    found = json.loads((folder / "leaderboard.json").read_text())["leaderboards"]
    rows = {(t["dataset"], r["model"]): r for t in found for r in t["rows"]}
    scores = rows["ring", "wgan_gp"]["scores"]
    (mmd,) = [s for s in scores if (s["id"], s["split"]) == ("mmd", "test")]
    assert len(mmd["values"]) == mmd["n"] == 8
    assert sum(mmd["values"].values()) / 8 == pytest.approx(mmd["mean"])


def test_parquet_and_csv_agree(folder):
    pandas = pytest.importorskip("pandas")
    pytest.importorskip("pyarrow")
    frame = pandas.read_parquet(folder / "leaderboard.parquet")
    rows = list(csv.DictReader(io.StringIO((folder / "leaderboard.csv").read_text())))
    assert len(frame) == len(rows)
    assert [r["id"] for r in rows] == list(frame["id"])


def test_names_of_files_are_plain_and_never_shared():
    names = ["gan", "GAN", "../gan", "gan ", "<script>", "x" * 10_000, "\u202egan", "a/b", "a-b"]
    found = [templating.file_name("model", name) for name in names]
    assert len({name.lower() for name in found}) == len(names)
    assert found[0] == "model-gan.html"
    assert all(re.fullmatch(r"model-[a-z0-9_-]{1,60}\.html", name) for name in found)


def test_files_that_are_no_records_are_named(tmp_path):
    store = Store(tmp_path / "results")
    store.write(record(store, "gan", "ring", 0))
    (store.root / "ring" / "gan" / "broken.json").write_text("{")
    folder = write_report(read_leaderboard(store), tmp_path / "out").parent
    assert "Not read: ring/gan/broken.json is not a record" in (folder / "index.html").read_text()
    for path in folder.glob("*.html"):
        assert str(tmp_path) not in path.read_text()


def test_an_empty_store_makes_a_page_that_says_so(empty, tmp_path):
    page = write_report(read_leaderboard(empty), tmp_path)
    assert "There are no records yet" in page.read_text()
    for link in Outline(page.read_text()).links:
        assert link.startswith(("data:", "#")) or (tmp_path / link).is_file()


@pytest.fixture(scope="module")
def sparse(tmp_path_factory):
    """Pages of two models: the better has no samples, and one more score by another protocol."""
    store = Store(tmp_path_factory.mktemp("results"))
    for model in ("gan", "pixelcnn"):
        for seed in range(5):
            row = record(store, model, "digits", seed, with_samples=model == "gan")
            if model == "pixelcnn":
                fid = next(m for m in row.metrics if m.id == "fid")
                other = fid.model_copy(update={"protocol": "classifier:digits@2, n=500/500"})
                row = row.model_copy(update={"metrics": [*row.metrics, other]})
            store.write(row)
    folder = write_report(read_leaderboard(store), tmp_path_factory.mktemp("report")).parent
    return {path.name: path.read_text() for path in folder.glob("*.html")}


def test_a_score_by_another_protocol_is_not_said_to_be_lacking(sparse):
    (lacking,) = re.findall(r"Without a value:.*", sparse["model-gan.html"])
    assert "fid" not in lacking
    assert "bits_per_dim ↓" in lacking


def test_the_first_entrant_has_its_picture_or_the_reason_why_not(sparse):
    part = sparse["index.html"].partition("What the entrants draw")[2].partition("<section>")[0]
    assert '<div class="none">no samples were stored</div>' in part
    assert "genbench pictures" in part
    assert "No picture of pixelcnn (no samples were stored)." in sparse["model-pixelcnn.html"]


def test_many_rows_that_are_not_fair_are_all_in_a_list(html):
    rows = re.search(r'<details class="rows">.*?</details>', html["fairness.html"], re.S)[0]
    count = int(re.search(r"(\d+) rows stand for their families", html["fairness.html"])[1])
    assert rows.count("<li>") == count
    assert f"The {count} rows" in rows


def test_counts_go_from_the_fewest_to_the_most():
    assert count_range([8, 4, 6]) == "4–8"


def test_a_page_of_a_model_begins_with_where_it_stands(html, store):
    tables = {table.name: table for table in make_leaderboards(store.records())}
    top = html["model-vae.html"].partition("On this page")[0]
    rows = re.findall(
        r'<tr class="(\w*)"><th scope="row"><a href="data-(\w+).html">(.*?)</tr>', top, re.S
    )
    assert {name for _, name, _ in rows} == {
        name
        for name, table in tables.items()
        if any(
            g.model == "vae" and table.cell(g, s.column).values
            for s in table.contests[:1]
            for g in table.groups
        )
    }
    for leads, name, row in rows:
        standings = tables[name].contests[0]
        (entrant,) = [e for e in standings.entrants if e.group.model == "vae"]
        assert entrant.cell.text in row
        assert bool(leads) == (entrant is standings.first) == ("this row" in row)
        assert entrant is standings.first or standings.first.cell.text in row


def test_models_that_compete_are_the_first_to_compare(html):
    choice = html["compare.html"].partition('id="a"')[2].partition("</select>")[0]
    labels = re.findall(r"<option[^>]*>(.*?)</option>", choice)
    references = [i for i, label in enumerate(labels) if label.startswith("resampler")]
    others = [i for i, label in enumerate(labels) if label in ("gan", "vae", "wgan_gp")]
    assert min(references) > max(others)
