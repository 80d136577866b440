"""Tuning plans: all that compete on a data set are in them, so that nobody fights tuned rivals untuned."""

from __future__ import annotations

from pathlib import Path

import pytest

from genbench.core.claim import CLAIMS
from genbench.core.dataset import DATASETS, open_named, resolve_options
from genbench.core.entrants import kind_of, list_models
from genbench.core.errors import DataError, GenbenchError, SpecError
from genbench.core.model import MODELS
from genbench.core.search import Choice, LogUniform, Uniform
from genbench.core.spec import Budget, Criteria, Part, Tuning
from genbench.running.tuning import make_campaign
from genbench.running.tuning_plans import find_obstacle, tuned_models
from genbench.running.tuning_rule import make_rule
from genbench.store.documents import load_suites, load_tuning
from genbench.store.tuned import FILE, read_tuned

ROOT = Path(__file__).parents[2]
PLANS = load_tuning(ROOT / "benchmarks.yaml")
RUNS = [run for name in CLAIMS.names() for run in CLAIMS.get(name).runs]


def criteria(samples, density=None):
    return Criteria(
        samples=Part(name=samples), density=None if density is None else Part(name=density)
    )


def own_options(dataset, options):
    """All options of a data set, as text."""
    return str(sorted(resolve_options(dataset, options).items()))


def list_tuned_data():
    """The data sets, with their options, on which claims read a tuned model."""
    return sorted({(r.dataset, tuple(sorted(r.dataset_options.items()))) for r in RUNS if r.tuned})


def plans_of(dataset, options):
    wanted = own_options(dataset, options)
    return [
        plan
        for name, plan in PLANS.items()
        if (plan.dataset or name) == dataset and own_options(dataset, plan.options) == wanted
    ]


def entrants_for(spec):
    """The entrants for data; none where points are made from sources, since no list names translators."""
    return set(list_models(kind_of(spec))) if spec.source is None else set()


def is_tunable(model, dataset, plan: Tuning):
    return find_obstacle(model, dataset, plan) is None


@pytest.mark.parametrize(("dataset", "options"), list_tuned_data(), ids=str)
def test_every_entrant_and_every_tuned_run_of_claims_is_in_the_plan(dataset, options):
    (plan,) = plans_of(dataset, dict(options))
    planned = set(tuned_models(dataset, plan))
    entrants = entrants_for(open_named(dataset, **dict(options)).spec)
    read = {
        run.model
        for run in RUNS
        if run.tuned
        and (run.dataset, tuple(sorted(run.dataset_options.items()))) == (dataset, options)
    }
    rivals = {model for model in entrants | read if is_tunable(model, dataset, plan)}
    assert sorted(rivals - planned) == []
    assert rivals


@pytest.mark.parametrize("name", PLANS)
def test_every_plan_of_data_with_entrants_tunes_all_of_them(name):
    dataset, plan = PLANS[name].dataset or name, PLANS[name]
    entrants = entrants_for(open_named(dataset, **plan.options).spec)
    able = {model for model in entrants if is_tunable(model, dataset, plan)}
    assert sorted(able - set(tuned_models(dataset, plan))) == []


def test_codes_without_labels_are_tuned_where_their_rivals_are():
    """bigan, ali and infogan stand beside gan and vae, which are tuned there."""
    for name in ("digits", "fashion_mnist"):
        planned = set(tuned_models(name, PLANS[name]))
        assert {"bigan", "ali", "infogan", "hinge_sn"} <= planned


@pytest.mark.parametrize("name", PLANS)
def test_what_a_plan_names_is_there(name):
    dataset, plan = PLANS[name].dataset or name, PLANS[name]
    named = [model for model in plan.models if find_obstacle(model, dataset, plan) is not None]
    assert named == []
    assert [model for model in plan.base if model not in MODELS] == []


SMALL = Tuning(budget=Budget(steps=4), batch=8, criteria=criteria("mmd"), samples=20, trials=5)


@pytest.mark.parametrize(
    ("plan", "named", "message"),
    [
        ({}, ["gan", "kde"], "kde cannot be tuned on ring, grid: it has no search space"),
        ({}, ["srresnet", "gan"], "srresnet cannot be tuned on ring"),
        ({"models": ["gan", "kde"]}, [], "kde cannot be tuned on ring, grid: it has no search"),
        ({"models": ["gan", "vea"]}, [], "unknown model 'vea'; did you mean 'vae'"),
        ({"base": {"vea": {}}}, [], "unknown model 'vea'; did you mean 'vae'"),
        ({"models": ["gan"], "base": {"vae": {}}}, [], "does not list it under models"),
        (
            {"criteria": criteria("nll")},
            ["gan", "vae"],
            "gan .*: it has no density, which the cri",
        ),
        ({"criteria": criteria("prdc")}, [], "several columns.*: precision, recall, density, cov"),
        ({"criteria": criteria("mmd", "fid")}, ["gan"], "needs a metric of densities.*got fid"),
        ({"criteria": criteria("caption_nll")}, [], "no model can be tuned by the plan ring"),
    ],
)
def test_what_is_named_and_cannot_be_is_refused_with_its_reason(plan, named, message):
    plans = dict.fromkeys(("ring", "grid"), SMALL.model_copy(update=plan))
    with pytest.raises(GenbenchError, match=message):
        make_campaign(plans, models=named)


def test_named_data_on_which_no_named_model_can_be_tuned_is_refused():
    plans = {"ring": SMALL, "super_resolution": SMALL}
    named = ["srresnet"]
    (rule,) = make_campaign(plans, models=named).rules
    assert rule.dataset == "super_resolution"
    with pytest.raises(SpecError, match="srresnet cannot be tuned on ring: "):
        make_campaign(plans, models=named, datasets=["ring", "super_resolution"])


def test_models_that_a_plan_does_not_name_are_left_out_as_ever():
    rules = make_campaign({"ring": SMALL.model_copy(update={"criteria": criteria("nll")})}).rules
    assert "vae" in {rule.model for rule in rules}
    assert "gan" not in {rule.model for rule in rules}


def test_a_criterion_of_one_column_is_the_same_rule_by_either_name():
    one, other = (
        make_rule("vae", "ring", SMALL.model_copy(update={"criteria": criteria(name)}), "random")
        for name in ("precision", "recall")
    )
    assert {one.criteria["samples"].metric, other.criteria["samples"].metric} == {"prdc"}
    assert one.file != other.file


def test_a_criterion_that_the_data_cannot_give_is_refused():
    plan = SMALL.model_copy(update={"criteria": criteria("js_to_truth")})
    assert make_campaign({"ring": plan}, models=["gan"]).rules
    with pytest.raises(
        SpecError, match="js_to_truth cannot choose on digits: digits has no known"
    ):
        make_campaign({"digits": plan}, models=["gan"])


def test_a_criterion_of_class_logits_is_refused_where_the_extractor_has_none():
    plan = SMALL.model_copy(update={"criteria": criteria("inception_score")})
    assert make_campaign({"digits": plan}, models=["gan"]).rules
    with pytest.raises(
        SpecError,
        match="inception_score cannot choose on ring: the extractor identity has no class logits",
    ):
        make_campaign({"ring": plan}, models=["gan"])


def keep_validation(monkeypatch, count, broken=0):
    """Leaves the ring so many validation points, of which some are broken."""
    cls = DATASETS.get("ring")
    points = cls.points

    def few(self, split):
        if split != "validation":
            return points(self, split)
        own = points(self, split)[:count].clone()
        own[:broken] = float("nan")
        return own

    monkeypatch.setattr(cls, "points", few)


def test_data_without_a_validation_split_are_refused_before_any_trial(monkeypatch):
    keep_validation(monkeypatch, 0)
    with pytest.raises(DataError, match="ring has no validation split"):
        make_campaign({"ring": SMALL}, models=["gan"])


@pytest.mark.parametrize(
    ("count", "broken", "message"),
    [
        (1, 0, "mmd cannot choose on ring by its validation split: mmd needs at least 2 real"),
        (60, 3, "ring has NaN or infinity in 3 of 60 validation points"),
    ],
)
def test_validation_points_that_no_trial_could_be_scored_by_are_refused_before_any(
    monkeypatch, count, broken, message
):
    """Every trial was trained and failed, and --retry-failed was named as the cure."""
    keep_validation(monkeypatch, count, broken)
    with pytest.raises(GenbenchError, match=message):
        make_campaign(
            {"ring": SMALL.model_copy(update={"criteria": criteria("mmd")})}, models=["gan"]
        )


def test_few_validation_points_that_suffice_are_taken(monkeypatch):
    keep_validation(monkeypatch, 2)
    plan = SMALL.model_copy(update={"criteria": criteria("mmd")})
    assert make_campaign({"ring": plan}, models=["gan"]).rules


@pytest.mark.parametrize(
    ("search", "message"),
    [
        (
            {"width": Choice((1, 2))},
            "model gan has no option 'width'; .*; correct the model's search",
        ),
        ({"latent": Uniform(4, 16)}, "model gan option 'latent' needs a whole number"),
        (
            {"beta1": Choice((0.5, 0.5, 0.5, "x"))},
            "model gan option 'beta1' needs a number of at least 0 and below 1, got 'x'",
        ),
        (
            {"training.rates.critic": Uniform(0.5, 2.0)},
            "model gan on ring: training.rates has no player 'critic'.*; correct the model's search",
        ),
    ],
    ids=str,
)
def test_a_search_space_that_the_model_does_not_take_is_refused_before_any_trial(
    monkeypatch, search, message
):
    """A value that no trial of the first models drew ended the campaign after hours of them."""
    monkeypatch.setattr(MODELS.get("gan"), "search", search)
    with pytest.raises(SpecError, match=message):
        make_campaign({"ring": SMALL}, models=["vae", "gan"], trials=1)


def test_a_model_that_cannot_be_built_is_refused_before_any_trial(monkeypatch):
    """Where a search had nothing of players no model was built, and every trial failed."""
    monkeypatch.setattr(MODELS.get("maf"), "search", {"lr": LogUniform(1e-4, 1e-2)})
    plan = SMALL.model_copy(update={"base": {"maf": {"hidden": []}}})
    with pytest.raises(SpecError, match="maf needs a hidden layer"):
        make_campaign({"ring": plan}, models=["maf"], trials=1)


def test_a_share_between_players_that_a_model_lacks_is_refused_before_any_trial(monkeypatch):
    monkeypatch.setattr(MODELS.get("vae"), "search", {"training.share": Uniform(0.2, 0.8)})
    with pytest.raises(
        SpecError, match=r"model vae on ring: training.share needs two players, got"
    ):
        make_campaign({"ring": SMALL}, models=["vae"])


@pytest.mark.parametrize(
    ("model", "message"),
    [("gan", "a model of one player"), ("rbm", "a loss that says how good the model is")],
)
def test_early_stopping_by_a_loss_that_says_nothing_is_refused_before_any_trial(
    monkeypatch, model, message
):
    monkeypatch.setattr(MODELS.get(model), "search", {"training.stopping": Choice((None, 4))})
    with pytest.raises(
        SpecError, match=rf"model {model} on ring: training.stopping needs {message}"
    ):
        make_campaign({"ring": SMALL}, models=[model])


def test_data_that_are_not_here_are_left_to_the_jobs(tmp_path):
    plans = {"cifar10": SMALL}
    assert make_campaign(plans, models=["gan"], data_dir=tmp_path).rules


def test_every_likelihood_choice_of_digits_has_cells_at_the_budget_of_its_samples_choice():
    """The suite digits_density holds them all, trained and measured as in the suites beside it.

    Those that overfit there are beside their defaults in as many rounds as trials had, too.
    """
    suites = load_suites(ROOT / "benchmarks.yaml")
    chosen = {
        entry.model
        for entry in read_tuned(ROOT / FILE).entries
        if entry.dataset == "digits" and "density" in entry.choices
    }
    budget = PLANS["digits"].budget
    short = [c for c in suites["digits_density"].cells if c.budget == budget]
    assert [c.tuned for c in short] == ["density", False]
    assert short[0].models == short[1].models
    whole = [c for c in suites["digits_density"].cells if c not in short]
    cells = {part.name: c for c in whole for part in c.models}
    assert set(cells) == chosen
    assert all(c.tuned == "density" for c in cells.values())
    for name, own in cells.items():
        (beside,) = (
            c
            for suite in ("images", "conditional")
            for c in suites[suite].cells
            if c.tuned is True and name in {part.name for part in c.models}
        )
        assert (own.batch, own.budget) == (beside.batch, beside.budget)
    one, two = suites["digits_density"], suites["images"]
    assert (one.seed_list, one.batch, one.budget) == (two.seed_list, two.batch, two.budget)
    assert [part.name for part in one.metrics] == ["nll"]
