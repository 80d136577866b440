"""The claims' page and its tables, from fabricated evidence."""

import csv
import io
import json
import re

import pytest
from claim_records import write
from report_claims import RUN, plant, spread, uproot
from report_records import HOSTILE
from test_site import Outline

from genbench.claims import sample_quality
from genbench.core.claim import CLAIMS, Claim
from genbench.core.effect import Effect
from genbench.core.errors import DataError
from genbench.core.figure import Figure, Series
from genbench.report import claim_tables
from genbench.report.cards import make_cards
from genbench.report.cells import estimate_column
from genbench.report.leaderboard import read_leaderboard
from genbench.report.readme import markers
from genbench.report.site import claim_page, fairness_page
from genbench.report.site.build import write_report
from genbench.report.site.samples import Gallery
from genbench.report.site.site import Page, Site
from genbench.report.site.templating import file_name
from genbench.report.tables import make_leaderboards
from genbench.report.text import counted
from genbench.report.variations import Variation
from genbench.running.scale import Scale
from genbench.statistics.intervals import mean_interval
from genbench.statistics.verdicts import judge
from genbench.store import Store


@pytest.fixture(scope="module")
def claimed(site_of_claims):
    """A results folder with evidence, its report, and hostile claims while it lasts."""
    before = dict(CLAIMS._objects)
    plant()
    yield site_of_claims
    uproot()
    assert set(before) <= set(CLAIMS._objects)


@pytest.fixture(scope="module")
def made(claimed):
    return {card.claim.id: card for card in make_cards(claimed[0])}


@pytest.fixture(scope="module")
def html(claimed):
    """The index and every card's page, by name."""
    return {path.name: path.read_text() for path in claimed[1].glob("claim*.html")}


def section(html, id):
    page = html[file_name("claim", id)]
    return re.search(rf'<section class="card" id="claim-{id}">.*?</section>', page, re.S)[0]


def test_every_claim_has_a_row_and_a_page(html, made):
    for id, card in made.items():
        assert f'<a href="{file_name("claim", id)}">{id}</a>' in html["claims.html"]
        assert card.command in section(html, id)
    assert len(made) == len(CLAIMS.names()) == len(html) - 1
    for text in html.values():
        outline = Outline(text)
        assert len(outline.ids) == len(set(outline.ids))


def test_a_card_leads_to_its_neighbours(html, made):
    first, second, third = list(made)[:3]
    page = html[file_name("claim", second)]
    assert f'<a href="{file_name("claim", first)}" rel="prev">' in page
    assert f'<a href="{file_name("claim", third)}" rel="next">' in page
    assert 'rel="prev"' not in html[file_name("claim", first)]


def test_a_card_shows_the_verdict_its_effects_and_what_it_hangs_on(html, made):
    card, text = made["sample-quality"], section(html, "sample-quality")
    assert card.verdict.outcome == "supported"
    assert card.verdict.because in text
    for part in card.verdict.parts:
        assert claim_tables.numbers(part) in text
        assert part.effect.name.replace("'", "&#39;") in text
    for name in ("half", "default", "kid", "mmd", "recall"):
        assert f">{'budget' if name in ('half', 'default') else 'metric'} {name}<" in text
    assert "<td>not run</td>" in text
    assert "genbench run claims --claim sample-quality --budget-scale double" in text
    for words in (*card.claim.threats, *card.claim.literature):
        assert words.replace("'", "&#39;") in text


def test_cells_are_listed_with_status_and_values(html, made):
    text = section(html, "sample-quality")
    assert text.count(">8 ok<") == 2 * (len(sample_quality.GANS) + len(sample_quality.OTHERS))
    read, there = [r for r in made["sample-quality"].cells if r.run.model == "wgan_gp"]
    assert (read.run.dataset, there.run.dataset) == ("digits", "fashion_mnist")
    assert set(read.columns) >= {"fid", "precision", "recall"}
    assert all(record.cell in text for record in read.records)
    assert read.columns["fid"].mean == pytest.approx(10, rel=0.02)
    assert ">8 not run<" in section(html, "vae-blur")


def test_the_cells_of_a_card_have_the_intervals_of_leaderboards(claimed, made):
    tables = make_leaderboards(claimed[0].records())
    rows = {g.id: (t, g) for t in tables for g in t.groups}
    for read in made["sample-quality"].cells:
        table, group = rows[read.records[0].group]
        for id, estimate in read.columns.items():
            (column,) = (c for c in table.columns if (c.id, c.split) == (id, "test"))
            cell = table.cell(group, column)
            assert estimate == cell.estimate
            assert estimate.scale == column.meaning.interval_scale
    first = read.records[0].measurement("fid")
    score = first.model_copy(update={"protocol": "classifier:digits"})
    record = read.records[0].model_copy(update={"metrics": [score]})
    values = [float(v) for v in range(10, 18)]
    own = mean_interval(values, scale="log")
    assert estimate_column(values, "fid", read.records, {first.key}) == own
    assert estimate_column(values, "fid", [record], {first.key}).half > own.half, (
        "the classifier's"
    )


def test_numbers_of_claims_agree_with_their_verbs(claimed, made):
    known = [card for card in made.values() if card.known]
    exploratory = [card for card in known if card.exploratory]
    others = [card for card in made.values() if card not in known]
    assert len(exploratory) > 1
    page = Page("data.html", make_leaderboards(claimed[0].records())[0], Gallery((), ()))
    for count, words in (
        (1, "1 was not, or has changed since, and is"),
        (2, "2 were not, or have"),
    ):
        claims = (*exploratory[:count], *others[:1])
        text = fairness_page.make_files(Site("r", (page,), (), {}, claims))[
            "fairness.html"
        ].decode()
        assert f"0 measured claims were registered before their first score; {words}" in text
    assert counted(1, "measured claim", "was", "were") == "1 measured claim was"


def test_a_second_data_set_has_its_plot_and_its_outcome(html, made):
    text = section(html, "sample-quality")
    assert 'data-section="claim-sample-quality"' in text
    assert 'data-section="claim-sample-quality-fashion_mnist"' in text
    assert "<h2>fid, lower is better, on fashion_mnist</h2>" in text
    assert "(supported on digits, supported on fashion_mnist)" in text
    assert made["sample-quality"].verdict.by_data.keys() == {"digits", "fashion_mnist"}


def test_verdicts_change_with_budget_and_metric_as_their_effects_do(made):
    card = made["sample-quality"]
    said = {each.name: each.verdict and each.verdict.outcome for each in card.budgets}
    assert said == {"quick": None, "half": "mixed", "default": "supported", "double": None}
    by = {each.name: each.verdict for each in card.metrics}
    again = sample_quality.by_metric(card.evidence)
    assert {name: judge(rows).outcome for name, rows in again.items()} == {
        name: "inconclusive" if verdict is None else verdict.outcome
        for name, verdict in by.items()
    }
    assert by["kid"].outcome == by["mmd"].outcome == "supported"
    assert by["recall"].outcome == "refuted"
    assert by["density"] is None
    assert card.changes == ["refuted by recall", "mixed at budget half"]
    assert set(card.without_seed.values()) == {"supported"}


def test_a_change_shows_the_part_that_turns_or_else_the_leading_one(html, made):
    half = next(each for each in made["sample-quality"].budgets if each.name == "half")
    first, second, there, _ = half.verdict.judged
    assert half.part == first
    assert half.changed_parts == [(first, "supported"), (there, "supported")]
    assert (first.outcome, second.outcome) == ("refuted", "supported")
    rows = section(html, "sample-quality").split("<tr>")
    (row,) = [row for row in rows if 'scope="row">budget half<' in row]
    assert "refuted, on the card supported" in row
    assert claim_tables.numbers(first) in row
    (same,) = [row for row in rows if 'scope="row">metric kid<' in row]
    assert "on the card" not in same


def test_a_later_part_that_turns_is_shown_before_the_leading_one():
    def said(*bars):
        return judge(
            [Effect(name, spread(1.0), bar) for name, bar in zip("abc", bars, strict=True)]
        )

    own = said(0.0, 0.0, 0.0)
    changed = Variation("budget", "double", said(0.0, 2.0, 3.0), False, "", own)
    assert changed.part == changed.verdict.parts[1]
    assert [now.effect.name for now, _ in changed.changed_parts] == ["b", "c"]
    assert Variation("budget", "half", own, False, "", own).part == own.parts[0]
    unmeasured = judge([Effect("a", {}, 0.0), *(part.effect for part in own.parts[1:])])
    assert Variation("budget", "half", unmeasured, True, "", own).changed_parts == []
    nothing = Variation("budget", "half", None, True, "", own)
    assert (nothing.part, nothing.changed_parts) == (None, [])


def test_an_experiment_has_budgets_where_it_has_rounds(made):
    assert [s.name for s in made["nash-oscillation"].budgets] == ["half", "default", "double"]
    scale, claim = Scale("half"), CLAIMS.get("nash_oscillation")
    assert scale.options(claim) == {"steps": 500, "dirac_steps": 250}
    assert [s.name for s in made["sampling-speed"].budgets] == ["quick", "default"]


def test_plots_have_words_and_the_values_that_were_measured(html, made):
    plot = claim_page.make_plot(made["nash-oscillation"].figure)
    first, law = plot["series"][:2]
    assert first["mid"] == pytest.approx(law["mid"], rel=1e-4)
    assert (law["law"], first["x"][-1], plot["levels"][0][0]) == (True, 1000, "start")
    text = section(html, "nash-oscillation")
    assert 'role="img" aria-label="distance from the equilibrium, medians. xy, simult' in text
    strip = claim_page.make_plot(made["sample-quality"].figure)
    values = dict(zip(strip["series"][0]["x"], strip["series"][0]["mid"], strict=True))
    assert values["wgan_gp"] == pytest.approx(10, rel=0.02)
    assert claim_page.describe_plot(strip).startswith("fid, lower is better, medians. GANs: 2")


def test_places_without_values_are_left_out_and_nothing_is_no_plot():
    series = [Series("a", ["x", "y"], [{0: 1.0, 1: 3.0, 2: 2.0}, {}]), Series("b", ["x"], [{}])]
    plot = claim_page.make_plot(Figure("strip", "", "y", series))
    (drawn,) = plot["series"]
    assert (drawn["x"], drawn["mid"], drawn["low"], drawn["high"]) == (["x"], [2], [1.5], [2.5])
    assert sorted(drawn["dots"][0]) == [("x", 1), ("x", 2), ("x", 3)]
    law = Series("law", [0.0], [{0: 1.0}], law=True)
    assert claim_page.make_plot(Figure("lines", "", "", [law, series[1]])) is None
    by_seed = Series("s", [{0: 1.0, 1: 5.0}], [{0: 2.0, 1: 4.0, 2: 6.0}])
    (drawn,) = claim_page.make_plot(Figure("scatter", "", "", [by_seed]))["series"]
    assert (drawn["x"], drawn["dots"]) == ([3], [[(1, 2), (5, 4)]])


def test_intervals_are_drawn_to_scale_and_alike_effects_share_one():
    rows = [Effect("a", spread(3.0), 1.0), Effect("b", spread(1.5), 1.0, "below")]
    rows += [Effect("c", {}, 1.0), Effect("d", spread(0.2), 0.0)]
    verdict = judge(rows)
    a, b, c, d = claim_page.make_forest(verdict.parts)
    assert a["bar"] == b["bar"] < b["low"] < b["mean"] < b["high"] < a["low"] < a["high"]
    part = verdict.parts[0].estimate
    ratio = (a["mean"] - a["bar"]) / (b["mean"] - b["bar"])
    assert ratio == pytest.approx((part.mean - 1) / 0.5, rel=0.02)
    assert (a["side"], b["side"]) == ((a["bar"], claim_page.WIDTH), (0, b["bar"]))
    assert (c["mean"], c["low"]) == (None, None)
    assert d["high"] == claim_page.WIDTH - claim_page.EDGE


def test_hostile_text_is_escaped_everywhere(claimed, html):
    assert not any(HOSTILE in text for text in html.values())
    for name in ("hostile-cloud", "hostile-strip"):
        text = section(html, name)
        assert text.count("&lt;script&gt;window.hacked") > 10
        assert "{{ 7*7 }}" in text
    assert HOSTILE not in (claimed[1] / "claims.md").read_text()
    assert HOSTILE not in (claimed[1] / "index.html").read_text()


def test_the_overview_leads_to_the_claims(claimed):
    text = (claimed[1] / "index.html").read_text()
    assert f'<a href="{file_name("claim", "sample-quality")}">' in text
    for file in claim_page.FILES:
        assert f'<a href="{file}">' in text
        assert (claimed[1] / file).stat().st_size > 500


def test_tables_agree_with_the_verdicts(claimed, made):
    rows = list(csv.DictReader(io.StringIO((claimed[1] / "claims.csv").read_text())))
    assert [row["id"] for row in rows] == list(made)
    row = next(row for row in rows if row["id"] == "sample-quality")
    lead = made["sample-quality"].lead
    assert float(row["mean"]) == pytest.approx(lead.estimate.mean)
    assert (row["verdict"], row["parts_supported"], row["seeds"]) == ("supported", "4", "8")
    assert row["turned"] == "refuted by recall; mixed at budget half"
    (other,) = [row for row in rows if row["id"] == "vae-blur"]
    assert (other["verdict"], other["mean"]) == ("not measured", "")
    tex = (claimed[1] / "claims.tex").read_text()
    lines = [line for line in tex.splitlines() if line.endswith(r"\\")]
    assert len(lines) == len(made) + 1
    assert {len(re.findall(r"(?<!\\)&", line)) for line in lines} == {7}
    assert tex.isascii()
    table = claim_tables.to_markdown(list(made.values()))
    assert "| sample-quality |" in table
    assert len({len(re.findall(r"(?<!\\)\|", t)) for t in table.splitlines() if t[:1] == "|"}) == 1


def test_json_is_what_the_verb_prints(claimed, genbench):
    store, folder = claimed
    (row,) = json.loads(genbench("claims", "-o", store.root, "sample-quality", "--json")[1])
    rows = json.loads((folder / "claims.json").read_text())["claims"]
    (same,) = [r for r in rows if r["id"] == "sample-quality"]
    assert {k: v for k, v in row.items() if k != "by_budget"} == {
        k: v for k, v in same.items() if k != "by_budget"
    }
    assert row["by_metric"]["kid"]["verdict"] == "supported"
    assert row["by_budget"]["double"]["verdict"] is None
    assert row["by_budget"]["double"]["command"].endswith(f"--budget-scale double -o {store.root}")


def test_the_readme_is_rewritten_between_its_markers(claimed, tmp_path, genbench):
    path, (begin, end) = tmp_path / "README.md", markers("claims")
    path.write_text(f"before\n{begin}\nold\n{end}\nafter\n")
    call = ["claims", "-o", claimed[0].root, "--readme", path]
    assert "rewritten" in genbench(*call)[1]
    text = path.read_text()
    assert text.startswith(f"before\n{begin}\n")
    assert text.endswith(f"{end}\nafter\n")
    assert "\nold\n" not in text
    assert "| nash-oscillation |" in text
    assert "is current" in genbench(*call)[1]
    path.write_text("no table")
    code, _, err = genbench(*call)
    assert (code, "needs the lines" in err) == (2, True)


def test_a_pass_at_another_budget_alone_is_shown_as_such(tmp_path, monkeypatch):
    def effects(evidence):
        return [Effect("mmd", evidence.scores(RUN, "mmd"), 1.0)]

    claim = Claim("only_quick", effects, "It is so.", "someone", "because", runs=(RUN,))
    monkeypatch.setitem(CLAIMS._objects, "only_quick", claim)
    store = Store(tmp_path)
    (card,) = make_cards(store, ["only-quick"])
    assert (card.scale.budget, card.kind) == ("default", "not measured")
    write(store, RUN, Scale("quick"), mmd=2.0)
    (card,) = make_cards(store, ["only-quick"])
    assert (card.scale.budget, card.kind) == ("quick", "supported")
    assert card.command == "genbench run claims --claim only-quick --budget-scale quick"
    write(store, RUN, Scale("quick"), mmd=0.5)
    (card,) = make_cards(store, ["only-quick"])
    assert card.kind == "inconclusive", "a quick pass refutes nothing"


def test_reports_without_evidence_or_of_one_suite_have_no_claims(claimed, empty, tmp_path):
    assert "claims.html" not in write_report(read_leaderboard(empty), tmp_path / "a").read_text()
    one = Store(claimed[0].root, groups={"none"})
    assert "claims.html" not in write_report(read_leaderboard(one), tmp_path / "b").read_text()
    assert not (tmp_path / "b" / "claims.html").exists()


def test_a_claim_that_cannot_be_used_is_told_and_the_others_shown(claimed, tmp_path, monkeypatch):
    def broken(evidence):
        raise DataError("it is broken")

    claim = Claim("hostile_broken", broken, "It is so.", "someone", "because")
    monkeypatch.setitem(CLAIMS._objects, "hostile_broken", claim)
    page = write_report(read_leaderboard(claimed[0]), tmp_path)
    assert "claim hostile_broken: it is broken" in page.read_text()
    assert (tmp_path / "claims.html").is_file()


def test_a_column_of_commands_stands_only_where_something_is_to_run(html, made):
    for id, card in made.items():
        settings = (
            section(html, id).partition('<table class="settings">')[2].partition("</table>")[0]
        )
        lacking = any(s.verdict is None or s.missing for s in (*card.budgets, *card.metrics))
        assert ("to run</th>" in settings) == lacking == ("<code>" in settings)


def test_the_overview_has_a_column_of_budgets_only_where_they_differ(html, made):
    assert len({card.scale.budget for card in made.values()}) == 1
    head = html["claims.html"].partition('id="overview"')[2].partition("</thead>")[0]
    row = re.search(r'<tr id="claim-.*?</tr>', html["claims.html"], re.S)[0]
    assert ">budget<" not in head
    assert ">what changes it<" in head
    assert head.count("<th ") == row.count("<td ") + 1
