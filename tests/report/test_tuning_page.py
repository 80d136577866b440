"""The table and the page of tuning, from planted trials."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from genbench.core.errors import StoreError
from genbench.core.spec import Budget, Criteria, Part, Tuning
from genbench.report.sheet import to_markdown
from genbench.report.site.site import Site
from genbench.report.site.tuning_page import make_figure, make_files
from genbench.report.tuned_scores import TunedScore
from genbench.report.tuning import read_searches, require
from genbench.report.tuning_sheet import make_sheet, to_rows
from genbench.running.tuning_rule import make_rule, make_trial
from genbench.store.tuned import TunedChoice
from genbench.store.tuning import Rung, TuningFile, TuningResult
from genbench.store.tunings import Tunings

PLAN = Tuning(
    budget=Budget(steps=8), batch=16, samples=60, criteria=Criteria(samples=Part(name="mmd"))
)


def plant(root, model, scores, *, sampler="random", **change):
    """Writes a search whose seeds both score these at every rung that they reach; None: diverged."""
    rule = make_rule(model, "ring", PLAN.model_copy(update=change), sampler)
    best = min(range(1, len(scores)), key=lambda k: (scores[k] is None, scores[k]), default=0)
    for k, value in enumerate(scores):
        trial = make_trial(rule, k, {} if sampler == "tpe" else None)
        for place in range(min(len(rule.rungs), 3 if k in (0, best) else 2)):
            rung = Rung(
                step=2,
                examples=2,
                seconds=30.0,
                scoring=1.0,
                scores={"samples": dict.fromkeys(trial.seeds, value)},
            )
            result = trial.model_copy(update={"rungs": [rung]})
            floors = {"samples": 0.001}
            Tunings(root).add(TuningResult(rule=rule, trial=result, rung=place, floors=floors))


@pytest.fixture
def search(tmp_path):
    plant(tmp_path, "gan", [0.3, 0.8, 0.4, None, 0.2])
    plant(tmp_path, "vae", [0.5, 0.6, 0.6, 0.6, 0.6])
    plant(tmp_path, "lsgan", [0.25, 0.8, 0.8, 0.8, 0.8])
    (only,) = read_searches(tmp_path)
    return only


def test_lines_hold_the_trials_without_the_default(search):
    gan, lsgan, vae = search.models
    assert gan.values == (0.8, 0.4, 0.8, 0.2)  # one that diverged is as the worst of all
    assert (gan.default, gan.lost, vae.lost) == (0.3, 1, 0)
    assert [one.value for one in vae.curve] == pytest.approx([0.6] * 4)
    assert gan.curve[0].value == pytest.approx(0.55)
    assert gan.curve[3].value == pytest.approx(0.2)
    assert gan.seconds == 4 * 32 + 33 + 1
    family = {line.name: line for line in search.families}["adversarial"]
    assert sorted(family.values) == sorted(gan.values + lsgan.values)
    assert family.default == 0.25


def test_naming_models_changes_no_number(search, tmp_path):
    (part,) = read_searches(tmp_path, ["gan"])  # whose worst is that of another of its family
    assert [line.name for line in part.models] == ["gan"]
    assert part.models[0] == search.models[0]
    assert part.families == tuple(one for one in search.families if one.name == "adversarial")


def test_a_search_that_has_not_ended_is_marked_and_never_bold(tmp_path):
    plant(tmp_path, "vae", [0.5, 0.6, 0.6, 0.6, 0.6])
    plant(tmp_path, "gan", [0.3, 0.4, 0.4, 0.4, 0.2])
    (file,) = Tunings(tmp_path).files(["gan"])
    short = [one.model_copy(update={"rungs": one.rungs[:1]}) for one in file.trials]
    Tunings(tmp_path).save(file.model_copy(update={"trials": short}))
    (search,) = read_searches(tmp_path)
    rows = [row for row in to_markdown(make_sheet(search)) if row.startswith("|")]
    by_name = {row.split("|")[1].strip(): row for row in rows}
    for name in ("adversarial (unfinished)", "gan (unfinished)"):
        assert "**" not in by_name[name]
    assert "**" in by_name["variational"]
    assert "Unfinished: " in search.note
    page = make_files(Site("r", (), (), {}, (), (search,)))["tuning.html"].decode()
    assert "but for those of ring (not ended: gan)" in page
    assert '"name":"gan (unfinished)"' in page.replace('": "', '":"')
    assert {row["name"] for row in to_rows([search]) if not row["finished"]} == {
        "gan",
        "adversarial",
    }
    plant(tmp_path, "lsgan", [0.25, 0.8, 0.8, 0.8, 0.8])
    (search,) = read_searches(tmp_path)
    family = {line.name: line for line in search.families}["adversarial"]
    assert (family.finished, family.values) == (True, (0.8,) * 4)


def test_the_winner_changes_with_the_number_of_trials(search):
    text = "\n".join(to_markdown(make_sheet(search)))
    names = ("| adversarial", "| variational")
    adversarial, variational = (row for row in text.splitlines() if row.startswith(names))
    assert [cell.strip().startswith("**") for cell in variational.split("|")[3:5]] == [True, False]
    assert [cell.strip().startswith("**") for cell in adversarial.split("|")[3:5]] == [False, True]


def test_rows_and_figures_say_the_same(search):
    rows = {(row["kind"], row["name"]): row for row in to_rows([search])}
    figure = make_figure(search, search.models)
    gan = next(one for one in figure["series"] if one["name"] == "gan")
    best = rows["model", "gan"]["expected_best"]
    assert gan["x"] == [k for k, *_ in best] == [1, 2, 3, 4]
    assert gan["mid"] == pytest.approx([value for _, value, _, _ in best], rel=1e-4)
    assert figure["levels"] == [("training points", 0.001)]


def test_the_page_holds_curves_tables_and_its_link(search):
    site = Site("report", (), (), {}, (), (search,))
    page = make_files(site)["tuning.html"].decode()
    assert '<a href="tuning.html" aria-current' in page
    assert 'data-section="tuning-0-families"' in page
    assert "<strong>" in page
    assert "&lt;table" not in page
    assert make_files(Site("report", (), (), {})) == {}


def test_intervals_of_many_models_are_left_to_the_table(search):
    (line, *_) = search.models
    few = make_figure(search, [replace(line, name=f"m{i}") for i in range(9)])
    many = make_figure(search, [replace(line, name=f"m{i}") for i in range(10)])
    assert few["series"][0]["low"] != few["series"][0]["mid"]
    assert many["series"][0]["low"] == many["series"][0]["mid"] == many["series"][0]["high"]
    page = make_files(Site("r", (), (), {}, (), (replace(search, models=(line,) * 10),)))
    assert "Intervals over trials are in the table" in page["tuning.html"].decode()


def test_the_page_tells_what_tuning_gained_by_data_set(search):
    choice = TunedChoice(trial=1, hash="1" * 12, column="fid", default=3.0, validation=2.0)
    seeds = {i: 3.0 + i / 100 for i in range(8)}

    def score(dataset, tuned):
        return TunedScore(
            "gan", dataset, choice, "lower", 9, 60.0, "8 steps, batch 4", seeds, tuned
        )

    lower = {seed: value - 1 for seed, value in seeds.items()}
    site = Site("r", (), (), {}, (), (search,), (score("ring", lower), score("grid", {})))
    page = make_files(site)["tuning.html"].decode()
    ring, grid = page.split('id="gained"')[1].split("<h3>grid</h3>")
    assert "beside those with defaults: 1 better." in ring
    assert "1 not run" in grid
    assert "4 trials each" in page.split("<section")[0]
    assert 'id="gained"' not in make_files(replace(site, tuned_scores=()))["tuning.html"].decode()


def test_the_page_says_where_models_were_not_searched_alike(tmp_path):
    def say(root):
        site = Site("r", (), (), {}, (), tuple(read_searches(root)))
        return make_files(site)["tuning.html"].decode()

    plant(tmp_path, "gan", [0.3, 0.8, 0.4, 0.2, 0.6])
    plant(tmp_path, "vae", [0.3, 0.8, 0.4, 0.2, 0.6])
    assert "Every model has the same number of trials and rounds" in say(tmp_path)
    plant(tmp_path, "lsgan", [0.3, 0.8])
    assert "but for those of ring (between 1 and 4 trials so far)" in say(tmp_path)
    other = {"budget": Budget(steps=4)}
    plant(tmp_path / "b", "gan", [0.3, 0.8, 0.4, 0.2, 0.6])
    plant(tmp_path / "b", "vae", [0.3, 0.8, 0.4, 0.2, 0.6], **other)
    budgets = "4 steps, batch 16; 8 steps, batch 16"
    assert f"ring (not every model at each budget: {budgets})" in say(tmp_path / "b")
    plant(tmp_path / "b", "gan", [0.3, 0.8], **other)
    plant(tmp_path / "b", "vae", [0.3, 0.8])
    assert "but for those of ring (between" in say(tmp_path / "b")


def test_a_folder_without_trials_names_the_command(tmp_path):
    with pytest.raises(StoreError, match="genbench tune -o"):
        require(read_searches(tmp_path), tmp_path)


def test_an_empty_file_gives_empty_lines(tmp_path):
    rule = make_rule("gan", "ring", PLAN, "random")
    from genbench.report.tuning import make_search

    search = make_search([TuningFile(rule=rule)], "samples")
    assert search.models[0].curve == ()
    assert to_markdown(make_sheet(search))


def test_trials_of_a_sampler_that_learns_are_the_best_so_far_and_in_no_pool(tmp_path):
    """Proposals depend on the trials before: neither exchangeable, nor to be pooled with random ones."""
    plant(tmp_path, "gan", [0.3, 0.8, 0.4, 0.2, 0.6])
    plant(tmp_path, "gan", [0.3, 0.7, 0.9, 0.1, 0.5], sampler="tpe")
    random, ordered = sorted(read_searches(tmp_path), key=lambda search: search.sampler)
    assert [search.models[0].values for search in (random, ordered)] == [
        (0.8, 0.4, 0.2, 0.6),
        (0.7, 0.9, 0.1, 0.5),
    ]
    assert random.families[0].values == random.models[0].values
    assert ordered.families == ()
    curve = ordered.models[0].curve
    assert [(one.k, one.value, one.low, one.high) for one in curve] == [
        (1, 0.7, 0.7, 0.7),
        (2, 0.7, 0.7, 0.7),
        (3, 0.1, 0.1, 0.1),
        (4, 0.1, 0.1, 0.1),
    ]
    assert "trials by tpe" in ordered.heading
    assert "tpe" not in random.heading
    text = "\n".join(to_markdown(make_sheet(ordered)))
    assert "best so far of 4" in text
    assert "[" not in text
    page = make_files(Site("r", (), (), {}, (), (random, ordered)))["tuning.html"].decode()
    assert 'data-section="tuning-1-models"' in page
    assert 'data-section="tuning-1-families"' not in page
    assert "each trial depends on those before" in page
    assert "1 model, 4 trials each." in page


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"rungs": [0.5, 1.0]}, "rungs [0.5, 1.0]"),
        ({"samples": 61}, "samples 61"),
        ({"seeds": 3}, "seeds 3"),
        ({"keep": 0.25}, "keep 0.25"),
        (
            {"criteria": Criteria(samples=Part(name="mmd", options={"estimator": "biased"}))},
            "estimator",
        ),
    ],
    ids=lambda value: str(value)[:20],
)
def test_trials_of_different_rules_never_mix(tmp_path, change, said):
    plant(tmp_path, "gan", [0.3, 0.8, 0.4, 0.2, 0.6])
    plant(tmp_path, "lsgan", [0.3, 0.7, 0.9, 0.1, 0.5], **change)
    searches = {search.models[0].name: search for search in read_searches(tmp_path)}
    assert [len(search.families[0].values) for search in searches.values()] == [4, 4]
    assert said in searches["lsgan"].heading
    assert searches["gan"].heading != searches["lsgan"].heading


def test_an_earlier_search_space_of_a_model_is_not_pooled_with_the_later(tmp_path):
    plant(tmp_path, "gan", [0.3, 0.8, 0.4, 0.2, 0.6])
    plant(tmp_path, "gan", [0.3, 0.7, 0.9, 0.1, 0.5], base={"gan": {"latent": 3}})
    searches = read_searches(tmp_path)
    assert [len(search.models) for search in searches] == [1, 1]
    assert sorted(bool(search.about) for search in searches) == [False, True]


def test_where_every_trial_diverged_nothing_is_expected(tmp_path):
    plant(tmp_path, "gan", [None] * 5)
    searches = read_searches(tmp_path)
    row, _ = to_rows(searches)
    assert (row["trials"], row["lost"], row["expected_best"]) == (4, 4, [])
    assert json.dumps(to_rows(searches), allow_nan=False)
    assert "0 [0, 0]" not in "\n".join(to_markdown(make_sheet(searches[0])))


def test_families_with_and_without_a_density_stand_in_one_table(tmp_path):
    """Rules of one criterion and of several have other versions, which say nothing of the one they share."""
    both = Criteria(samples=Part(name="mmd"), density=Part(name="nll"))
    plant(tmp_path, "gan", [0.3, 0.8, 0.4, 0.2, 0.6], criteria=both)
    plant(tmp_path, "vae", [0.3, 0.7, 0.9, 0.1, 0.5], criteria=both)
    assert len({file.rule.version for file in Tunings(tmp_path).files()}) == 2
    by_samples, by_density = sorted(
        read_searches(tmp_path), key=lambda s: s.criterion, reverse=True
    )
    assert [line.name for line in by_samples.models] == ["gan", "vae"]
    assert [line.name for line in by_density.models] == ["vae"]
    assert by_samples.about == ""
    page = make_files(Site("r", (), (), {}, (), (by_samples, by_density)))["tuning.html"].decode()
    assert "ring: 2 models, 4 trials each." in page


def test_what_diverged_is_no_better_than_the_worst_default(tmp_path):
    plant(tmp_path, "gan", [0.9, None, None, None, None])
    plant(tmp_path, "vae", [0.3, 0.2, 0.2, 0.2, 0.2])
    (search,) = read_searches(tmp_path)
    assert search.models[0].values == (0.9,) * 4
