"""Which family wins: one row per family, by the declared column, of what passes the columns beside it."""

import re

import pytest

from genbench.core.quality import Beside, Quality
from genbench.core.spec import Budget, CellSpec, NoBudget
from genbench.report import declared
from genbench.report.leaderboard import read_leaderboard
from genbench.report.site.build import write_report
from genbench.report.site.fairness_page import NARROW, describe_contest, list_unfair
from genbench.report.site.front import summarise
from genbench.report.site.places import list_places
from genbench.report.site.samples import Gallery
from genbench.report.site.site import Page, Site
from genbench.report.tables import make_leaderboards
from genbench.report.winners import ALONE, describe_column, make_sheet, to_markdown
from genbench.store import EXTERNAL, Measurement, Record, Store, Used
from genbench.store.tuned import FILE, TunedChoice, TunedEntry, write_tuned

NOISE = (0.0, 0.3, -0.2, 0.1, -0.3, 0.2, -0.1, 0.4)
WILD = [9 * e for e in reversed(NOISE)]
TAXONOMIES = dict.fromkeys(("kde", "gaussian", "uniform", "copy"), "reference")


def make_records(model, columns, dataset="binary_digits", steps=9, labelled=None, options=None):
    count = max(len(values) for values in columns.values())
    for seed in range(count):
        spec = CellSpec(
            model=model,
            model_version=1,
            options=options or {},
            dataset=dataset,
            dataset_version=1,
            budget=Budget(steps=steps),
            batch=8,
            labelled=labelled,
            seed=seed,
        )
        rows = [
            Measurement(
                id=id,
                metric="prdc" if id in ("recall", "precision", "coverage") else id,
                version=1,
                key="k",
                protocol="classifier",
                value=values[seed],
                floor=0.9 if id in ("recall", "precision", "coverage") else 1.0,
                better="lower" if id in ("fid", "mmd") else "higher",
                kind="exact",
            )
            for id, values in columns.items()
            if seed < len(values)
        ]
        taxonomy = TAXONOMIES.get(model, "")
        yield Record(
            cell=spec.cell,
            group=spec.group,
            status="ok",
            spec=spec,
            used=Used(),
            metrics=rows,
            taxonomy=taxonomy,
        )


def from_elsewhere(model, columns):
    """The records as those of samples that were not made here."""
    for record in make_records(model, columns):
        digest = f"{model}{record.spec.seed}"
        about = {"budget": NoBudget(), "batch": 0, "samples": digest}
        spec = record.spec.model_copy(update=about)
        names = {"cell": spec.cell, "group": spec.group, "spec": spec, "taxonomy": EXTERNAL}
        yield record.model_copy(update=names)


def around(mean, noise=NOISE):
    # rows whose differences are all alike would tell nothing
    return [mean + (1 + mean / 1000) * e for e in noise]


def scores(fid, recall=0.8):
    return {"fid": around(fid), "recall": [recall + 0.01 * e for e in NOISE]}


CHOSEN = {"lr": 0.5}


def write_searches(trials, dataset="binary_digits"):
    """Writes a file of tuned options to the working folder: the trial that each model's search chose."""
    entries = [
        TunedEntry(
            model=model,
            model_version=1,
            dataset=dataset,
            budget={"steps": 9},
            batch=8,
            trials=5,
            sampler="random",
            trials_file="trials.json",
            trials_hash="",
            choices={
                "samples": TunedChoice(
                    column="fid", trial=trial, hash="", options=CHOSEN, validation=1.0
                )
            },
        )
        for model, trial in trials.items()
    ]
    write_tuned(FILE, entries)


def make_searched(trials, **rows):
    """The records of rows, with the options that a search chose where there was one."""
    write_searches(trials)
    return [
        r
        for model, row in rows.items()
        for r in make_records(model, row, options=CHOSEN if model in trials else None)
    ]


def make_table(dataset="binary_digits", **rows):
    records = [r for model, row in rows.items() for r in make_records(model, row, dataset)]
    (table,) = make_leaderboards(records)
    return table


@pytest.mark.parametrize(("other", "sure"), [(around(20.0), True), (around(10.5, WILD), False)])
def test_the_best_row_of_every_family_and_whether_the_first_is_sure(other, sure):
    vae = {**scores(0), "fid": other}
    table = make_table(gan=scores(10.0), lsgan=scores(30.0), vae=vae)
    entrants = table.standings.entrants
    assert [(e.family, e.group.model) for e in entrants] == [
        ("adversarial", "gan"),
        ("variational", "vae"),
    ]
    assert table.standings.sure == sure
    assert ("**adversarial: gan" in to_markdown([table])) == sure
    assert ("| yes |" if sure else "| not from variational |") in to_markdown([table])


def test_samples_from_elsewhere_compete_each_for_itself():
    """Beside families; what they were measured by does not choose the column that decides."""
    rows = {"vae": scores(10.0), "realnvp": scores(20.0)}
    records = [r for model, row in rows.items() for r in make_records(model, row)]
    for model, fid in (("mine", 5.0), ("theirs", 7.0), ("others", 30.0)):
        records += from_elsewhere(model, scores(fid))
    for k in range(6):  # without a FID
        records += from_elsewhere(f"odd{k}", {"mmd": around(1.0)})
    (table,) = make_leaderboards(records)
    entrants = table.standings.entrants
    assert table.standings.column.id == "fid"
    assert [(e.family, e.group.model) for e in entrants] == [
        ("external", "mine"),
        ("external", "theirs"),
        ("variational", "vae"),
        ("flow", "realnvp"),
        ("external", "others"),
    ]


@pytest.mark.parametrize(
    ("trials", "clear", "marked"),
    [
        ({}, "yes", []),
        ({"gan": 2, "vae": 0, "realnvp": 3}, "yes", []),
        ({"gan": 2}, "tuned unequally", ["vae", "realnvp"]),
        ({"gan": 0, "vae": 1}, "tuned unequally", ["realnvp"]),
        ({"vae": 2}, "tuned unequally", ["gan"]),
        ({"realnvp": 2}, "yes", []),
    ],
    ids=str,
)
def test_a_first_that_was_tuned_unlike_its_rivals_is_not_clear(
    tmp_path, monkeypatch, trials, clear, marked
):
    """A search that chose the defaults, trial 0, is tuning too; what helps a later rival counts nothing."""
    monkeypatch.chdir(tmp_path)
    rows = {"gan": scores(10.0), "vae": scores(20.0), "realnvp": scores(40.0)}
    (table,) = make_leaderboards(make_searched(trials, **rows))
    standings, text = table.standings, to_markdown([table])
    assert standings.clear == clear
    assert [e.group.model for e in standings.untuned] == marked
    assert standings.sure == (clear == "yes") == ("**adversarial: gan" in text)
    assert ("§ untuned beside a tuned rival: no clear win." in text) == bool(marked)
    assert len(re.findall(r"[\d)]§", text)) == len({"gan", "vae"} & {*marked})
    kind = "sure" if clear == "yes" else "shared"
    assert summarise([table], {table.name: "data"})[kind] == [("adversarial", ["data"])]
    families = ", ".join(e.family for e in standings.untuned)
    assert standings.how_sure == "significantly better than every other family" + (
        f", but tuned unequally: {families} untuned" if marked else ""
    )


def test_other_options_than_a_search_chose_are_untuned_and_samples_from_elsewhere_neither(
    tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    rows = make_searched({"gan": 2}, gan=scores(10.0))
    write_searches({"gan": 2, "vae": 0})
    rows += [*make_records("vae", scores(20.0)), *from_elsewhere("mine", scores(40.0))]
    (table,) = make_leaderboards(rows)
    assert [e.group.tuned for e in table.standings.entrants] == [True, False, None]
    assert [e.group.model for e in table.standings.untuned] == ["vae"]


def test_a_model_that_is_tuned_stands_by_its_tuned_options_whatever_its_defaults_score(
    tmp_path, monkeypatch
):
    """The better of two rows by test scores would be a choice on test points."""
    monkeypatch.chdir(tmp_path)
    rows = make_searched({"gan": 2, "realnvp": 3}, gan=scores(10.0), realnvp=scores(40.0))
    rows += make_records("realnvp", scores(20.0))
    (table,) = make_leaderboards(rows)
    flow = next(e for e in table.standings.entrants if e.group.model == "realnvp")
    assert flow.group.tuned
    assert flow.standing == pytest.approx(40.0, abs=0.5)
    assert table.standings.untuned == ()
    # a model that nobody tuned still stands by its defaults
    (table,) = make_leaderboards([*rows, *make_records("nice", scores(15.0))])
    flow = next(e for e in table.standings.entrants if e.family == "flow")
    assert flow.group.model == "nice"
    # and on its own page a tuned model stands by its tuned options though another stands for the family
    site = Site("report", (Page("data.html", table, Gallery(())),), (), {})
    (place,) = list_places(site, "realnvp")
    assert place.group.tuned
    assert place.cell.estimate.mean == pytest.approx(40.0, abs=0.5)


def test_a_rival_that_is_not_distinguished_is_named_though_it_is_untuned(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    vae = {**scores(0), "fid": around(10.5, WILD)}
    (table,) = make_leaderboards(make_searched({"gan": 2}, gan=scores(10.0), vae=vae))
    assert table.standings.clear == "not from variational"
    assert "§ |" in to_markdown([table])


def test_pages_say_where_tuned_options_met_none(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    store = Store(tmp_path / "results")
    for record in make_searched({"gan": 2}, gan=scores(10.0), vae=scores(20.0)):
        store.write(record)
    folder = write_report(read_leaderboard(store), tmp_path / "report").parent
    overview, fairness = ((folder / f"{name}.html").read_text() for name in ("index", "fairness"))
    assert "Ahead, but not clearly:</b> adversarial on binary_digits" in overview
    assert "but tuned unequally: variational untuned." in overview
    assert overview.count('title="untuned beside a tuned rival: no clear win">untuned</span>') == 1
    assert "what wins there is not called clear" in fairness
    assert "The 1 row</summary><ul><li>vae on binary_digits</li>" in fairness
    row = re.search(r'<th scope="row">variational</th><td>[^<]*</td><td>(\w+)</td>', fairness)
    assert row
    assert row[1] == "no"


@pytest.mark.parametrize("recall", [0.8, 0.01], ids=["all pass", "the five seeds fail"])
def test_a_lucky_seed_does_not_stand_for_a_family_that_has_enough(recall):
    """Four runs of one seed took the place of a row of five, and undid a clear win."""
    rows = [*make_records("vae", scores(10.0)), *make_records("gan", scores(30.0, recall))]
    for k in range(4):
        rows += make_records("gan", {"fid": [9.0 + k], "recall": [0.8]}, options={"lr": k})
    (table,) = make_leaderboards(rows)
    assert [len(e.cell.values) for e in table.standings.entrants] == [8, 8]
    assert table.standings.first.family == "variational"
    assert table.standings.sure
    assert "too few seeds" not in to_markdown([table])


def test_a_listed_entrant_of_too_few_seeds_gives_way_to_a_row_of_enough(monkeypatch):
    few = [*make_records("gan", {"fid": [1.0, 1.1]}, steps=10)]
    monkeypatch.setattr("genbench.report.contests.find_listed", lambda spec: {few[0].group})
    rows = [
        *few,
        *make_records("lsgan", {"fid": around(30.0)}),
        *make_records("vae", {"fid": around(20.0)}),
    ]
    (table,) = make_leaderboards(rows)
    assert [e.group.model for e in table.standings.entrants] == ["vae", "lsgan"]


def test_a_family_of_too_few_seeds_alone_comes_behind_and_says_so():
    """Its mean is the best, but has no rank; neither is it shaded, nor the first clear."""
    table = make_table(
        gan={"fid": [1.0, 1.1], "recall": [0.8, 0.8]}, vae=scores(20.0), realnvp=scores(40.0)
    )
    standings = table.standings
    assert [e.family for e in standings.entrants] == ["variational", "flow", "adversarial"]
    assert standings.clear == "not from adversarial (too few seeds)"
    assert [e.family for e in standings.leaders] == ["variational"]
    (fid,) = [c for c in table.columns if c.id == "fid"]
    assert {g.model for g in table.groups if table.cell(g, fid).leading} == {"vae"}
    two = make_table(gan={"fid": [1.0, 1.1], "recall": [0.8, 0.8]}, vae=scores(20.0))
    assert re.search(
        r"adversarial: gan 1\.05\S* (\S+ \S+ )?\(too few seeds\) \|", to_markdown([two])
    )


def test_rivals_of_the_same_family_make_the_family_no_less_sure():
    lsgan = {**scores(0), "fid": around(10.0, WILD)}
    table = make_table(gan=scores(9.9), lsgan=lsgan, vae=scores(90.0))
    assert table.standings.sure


def test_a_row_that_does_not_pass_beside_is_never_first():
    table = make_table(gan=scores(1.5, recall=0.01), vae=scores(20.0), realnvp=scores(40.0))
    assert [e.family for e in table.standings.entrants] == ["variational", "flow", "adversarial"]
    collapsed = table.standings.entrants[-1]
    assert collapsed.failed == ("recall",)
    assert not collapsed.leading
    two = make_table(gan=scores(1.5, recall=0.01), vae=scores(20.0))
    assert re.search(r"adversarial: gan 1.55 ± [\d.]+ \(fails recall\)", to_markdown([two]))


def test_a_family_alone_or_without_a_rival_that_passes_is_said_to_be():
    alone = make_table(gan=scores(5.0)).standings
    assert (alone.sure, alone.how_sure) == (False, "no other family was measured")
    rest = make_table(gan=scores(5.0), vae=scores(2.0, recall=0.01)).standings
    assert (rest.sure, rest.how_sure) == (
        True,
        "no other family passes what must be passed beside it",
    )
    none = make_table(gan=scores(5.0, recall=0.01)).standings
    assert (none.first, none.leaders) == (None, ())
    few = make_table(gan={"fid": [1.0, 1.1]}, vae={"fid": [9.0, 9.1]}).standings
    assert (few.sure, few.how_sure) == (False, "too few seeds to tell")


def test_a_family_is_stood_for_by_a_row_that_passes():
    table = make_table(gan=scores(1.5, recall=0.01), lsgan=scores(8.0), vae=scores(20.0))
    assert table.standings.first.group.model == "lsgan"


def test_where_the_column_beside_was_not_measured_a_mark_says_so():
    table = make_table(gan={"fid": around(10.0)}, vae={"fid": around(20.0)})
    assert table.standings.first.unchecked == ("recall",)
    text = to_markdown([table])
    assert re.search(r"gan 10.05 ± [\d.]+\?", text)
    assert "? the column beside the primary one has not been measured." in text


def test_a_row_whose_interval_alone_reaches_the_bar_passes_and_is_named():
    """Of 0.9 that real points score a row needs half."""
    wild = {"fid": around(1), "recall": [0.43 + 0.2 * e for e in NOISE]}
    steady = {"fid": around(0.5), "recall": [0.43 + 0.001 * e for e in NOISE]}
    tables = make_leaderboards(
        [
            *make_records("gan", wild),
            *make_records("vae", steady),
            *make_records("made", scores(3)),
        ]
    )
    entrants = {e.group.model: e for e in tables[0].standings.entrants}
    assert [entrants[m].failed for m in ("gan", "vae", "made")] == [(), ("recall",), ()]
    page = Page("ring.html", tables[0], Gallery((), ()))
    remarks = {r.sentence: r.rows for r in list_unfair(Site("x", (page,), (), {}, ()))}
    (row,) = remarks[NARROW]
    assert row.startswith("gan on binary_digits: recall 0.4")
    assert row.endswith("bar 0.45")
    assert "whose interval reaches 50% of what real points score (0.45)" in str(
        describe_contest(tables[0], tables[0].standings)["checks"]
    )


def test_what_fails_a_column_that_noise_passes_is_never_first_and_a_mark_says_what_passing_is_worth():
    noise = scores(90.0, recall=0.9)
    table = make_table(
        gan=scores(1.5, recall=0.01), vae=scores(20.0), realnvp=scores(40.0), uniform=noise
    )
    (recall,) = [c for c in table.columns if c.id == "recall"]
    assert not table.judges(recall)
    assert table.standings.first.family == "variational"
    assert table.standings.entrants[-1].failed == ("recall",)
    assert not any(e.unchecked for e in table.standings.entrants)
    text = to_markdown([table])
    assert "fid ↓ with recall°" in text
    assert "° a null row passes this column, too" in text


def test_shaded_is_what_is_near_the_best_and_not_worse_than_it():
    wild = {**scores(0), "fid": around(150.0, [50 * e for e in WILD])}
    table = make_table(
        gan=scores(10.0), lsgan=scores(10.1), vae=scores(10.5), gmmn=wild, realnvp=scores(12.0)
    )
    (fid,) = [c for c in table.columns if c.id == "fid"]
    shaded = {g.model for g in table.groups if table.cell(g, fid).leading}
    assert shaded == {"gan"}, "vae is near and worse, gmmn too wild to be told apart and not near"
    assert {e.group.model for e in table.standings.leaders} == shaded


def test_rows_that_lose_to_a_simple_fit_are_marked():
    table = make_table(gan=scores(10.0), vae=scores(30.0), kde=scores(20.0), uniform=scores(90.0))
    marks = {e.group.model: e.loses_to for e in table.standings.entrants}
    assert marks == {"gan": (), "vae": ("kde",)}
    text = to_markdown([table])
    assert re.search(r"variational: vae 30.05 ± [\d.]+‡", text)
    assert "a simple fit" in text


def test_models_that_learn_from_labels_compete_apart():
    table = make_table(cgan=scores(5.0), vae_m2=scores(9.0), gan=scores(10.0), vae=scores(20.0))
    assert [e.group.model for e in table.standings.entrants] == ["gan", "vae"]
    assert [e.group.model for e in table.labelled.entrants] == ["cgan", "vae_m2"]
    rows = [row[0].text for row in make_sheet([table]).rows]
    assert rows == ["binary_digits", "binary_digits, with labels"]


def test_a_contest_with_labels_is_decided_by_the_features_of_the_one_beside_it():
    """Where older rows by another network's features are more."""
    older = []
    for record in (
        r for fid in (5.0, 6.0) for r in make_records("cgan", scores(fid), steps=int(fid))
    ):
        rows = [m.model_copy(update={"protocol": "older"}) for m in record.metrics]
        older.append(record.model_copy(update={"metrics": rows}))
    newer = [*make_records("acgan", {"fid": around(8.0)}), *make_records("gan", scores(9.0))]
    (table,) = make_leaderboards([*older, *newer])
    assert table.labelled.column == table.standings.column
    assert [e.group.model for e in table.labelled.entrants] == ["acgan"]
    assert table.labelled.entrants[0].unchecked == ("recall",)
    (alone,) = make_leaderboards(older)
    assert alone.labelled.column.protocol == "older"
    (without,) = make_leaderboards([*older, *make_records("gan", scores(9.0))])
    assert without.labelled.column.protocol == "older", (
        "nobody with labels was measured by the other"
    )


def test_a_row_that_was_measured_by_the_check_stands_for_its_family_before_one_that_was_not():
    rows = [
        *make_records("vae", scores(20.0)),
        *make_records("vae", {"fid": around(5.0)}, options={"lr": 0.5}),
        *make_records("gan", {"fid": around(9.0)}),
        *make_records("gan", scores(2.0, recall=0.1), options={"lr": 0.5}),
    ]
    (table,) = make_leaderboards(rows)
    shown = {e.family: (e.cell.estimate.mean, e.unchecked) for e in table.standings.entrants}
    assert shown["variational"] == (pytest.approx(20.0, abs=0.1), ())
    assert shown["adversarial"] == (pytest.approx(2.0, abs=0.1), ()), "though it fails it"


def test_on_data_of_pairs_every_row_stands_for_itself():
    rows = [
        *make_records("pix2pix", scores(10.0), options={"l1": 0.0}),
        *make_records("pix2pix", scores(30.0), options={"l1": 100.0}),
        *make_records("regression", scores(20.0)),
        *make_records("copy", scores(25.0)),
    ]
    hashes = {"test": "points", "test sources": "sources"}
    (table,) = make_leaderboards([r.model_copy(update={"data_hashes": hashes}) for r in rows])
    names = ["pix2pix (l1=0.0)", "regression", "pix2pix (l1=100.0)"]
    assert [e.name for e in table.standings.entrants] == names
    assert table.standings.sure
    assert table.standings.how_sure == "significantly better than every other row"
    assert [e.loses_to for e in table.standings.entrants] == [(), (), ("copy",)]
    first = make_sheet([table]).rows[0][2].text
    assert re.fullmatch(r"pix2pix \(l1=0.0\) 10.05 ± [\d.]+", first)
    (alone,) = make_leaderboards(rows)
    assert [e.name for e in alone.standings.entrants] == ["translation"]
    lines = to_markdown([table, make_table(gan=scores(10.0), vae=scores(20.0))])
    assert "pix2pix" not in lines
    assert "adversarial: gan" in lines
    assert "Translators compete on other data, in the whole table: `binary_digits`." in lines
    assert ALONE not in lines


def test_tables_name_options_of_data_sets_that_are_not_defaults():
    """With all of them names took most of a line, the longer the more options a data set got."""
    names = []
    for options in ({}, {"of": "digits", "scale": 2}, {"of": "binary_digits", "scale": 4}):
        rows = list(make_records("copy", scores(10.0), dataset="super_resolution"))
        specs = [r.spec.model_copy(update={"dataset_options": options}) for r in rows]
        moved = [r.model_copy(update={"spec": s}) for r, s in zip(rows, specs, strict=True)]
        (table,) = make_leaderboards(moved)
        names.append(table.name)
    usual = "super_resolution"
    assert names == [usual, usual, f'{usual} (of="binary_digits", scale=4)']


def test_rows_that_were_shown_some_labels_are_in_no_contest():
    few = [*make_records("acgan", scores(1.0), labelled=100)]
    all_ = [*make_records("gan", scores(10.0)), *make_records("vae", scores(20.0))]
    (table,) = make_leaderboards([*few, *all_])
    assert table.labelled is None
    assert [e.group.model for e in table.standings.entrants] == ["gan", "vae"]


@pytest.mark.parametrize(
    ("dataset", "measured", "column"),
    [
        ("circle", ("precision", "coverage", "manifold_distance"), "manifold_distance"),
        ("ring", ("mmd", "high_quality", "modes_strict"), "high_quality"),
        ("ring", ("mmd", "high_quality", "js_to_truth"), "js_to_truth"),
        ("markov_text", ("nll", "n_gram_js_4"), "n_gram_js_4"),
    ],
)
def test_the_declared_column_decides(dataset, measured, column):
    better = {"precision": "higher", "coverage": "higher", "high_quality": "higher"}
    rows = {}
    for k, model in enumerate(("gan", "vae")):
        rows[model] = {id: [0.5 + 0.1 * k + 0.01 * e for e in NOISE] for id in measured}
    records = [
        r.model_copy(
            update={
                "metrics": [
                    m.model_copy(
                        update={
                            "better": better.get(m.id, "lower"),
                            "metric": OWNERS.get(m.id, m.metric),
                        }
                    )
                    for m in r.metrics
                ]
            }
        )
        for model, row in rows.items()
        for r in make_records(model, row, dataset)
    ]
    (table,) = make_leaderboards(records)
    assert table.standings.column.id == column
    assert table.standings.declared
    assert describe_column(table.standings).startswith(column)


OWNERS = {
    "precision": "prdc",
    "coverage": "prdc",
    "high_quality": "modes",
    "modes_strict": "modes",
    "n_gram_js_4": "n_gram_divergence",
}


def test_the_first_column_that_half_of_the_families_have_decides(monkeypatch):
    monkeypatch.setattr(
        "genbench.report.contests.find_quality",
        lambda name: Quality(("fid", "mmd"), (Beside("recall"),)),
    )
    table = make_table(
        gan={**scores(1.0), "mmd": around(1.0)},
        vae={"mmd": around(2.0)},
        realnvp={"mmd": around(3.0)},
    )
    assert table.standings.column.id == "mmd"


def test_a_data_set_without_a_declaration_says_so(monkeypatch):
    monkeypatch.setattr("genbench.report.contests.find_quality", lambda name: None)
    table = make_table(gan=scores(1.0), vae=scores(2.0))
    assert "fid ↓ (not declared)" in to_markdown([table])


def test_entrants_on_the_list_stand_for_their_family_though_another_row_is_better():
    (run,) = [r for r in make_list("image", "binary_digits") if r.model == "vae"]
    spec = specs_of(run)[0]
    listed = [
        r.model_copy(update={"spec": own, "cell": own.cell, "group": own.group})
        for r in make_records("vae", scores(20.0))
        for own in (spec.model_copy(update={"seed": r.spec.seed}),)
    ]
    rows = [*listed, *make_records("vae", scores(5.0)), *make_records("gan", scores(10.0))]
    (table,) = make_leaderboards(rows)
    first, second = table.standings.entrants
    assert (first.group.model, first.listed) == ("gan", False)
    assert (second.group.id, second.listed) == (spec.group, True)


def make_list(kind, dataset):
    from genbench.core.entrants import make_runs, read_entrants

    families = list(read_entrants().kinds[kind].families)
    return make_runs(kind, families, dataset, ("fid",)).values()


def specs_of(run):
    from genbench.running.claim_cells import specs_of

    return specs_of(run)


def test_every_shipped_data_set_declares_columns_that_there_are():
    from genbench.core.dataset import DATASETS
    from genbench.core.metric import columns

    known = columns()
    names = [n for n, cls in DATASETS.all().items() if cls.__module__.startswith("genbench.")]
    declared_ = {name: declared.find_quality(name) for name in names}
    assert {"circle", "ring", "grid", "digits", "markov_text"} <= {
        n for n, q in declared_.items() if q
    }
    for name, quality in declared_.items():
        for id in (*quality.primary, *(b.column for b in quality.beside)) if quality else ():
            assert id in known, (name, id)
            assert known[id][1].better != "none"


def test_the_first_screen_has_room_for_fifteen_panels_and_those_without_a_rival_go_first():
    from genbench.report.site.front import PANELS, split_panels

    panels = [{"name": k, "points": [0] * (1 if k == 2 else 3)} for k in range(PANELS + 2)]
    first, rest = split_panels(panels)
    assert [p["name"] for p in rest] == [2, PANELS + 1]
    assert [p["name"] for p in first] == [k for k in range(PANELS + 1) if k != 2]
    assert split_panels(panels[:PANELS]) == (panels[:PANELS], [])
