"""Tuning: the same trials whoever makes them, halving by one rule, and no test point ever."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest
import torch
from click.testing import CliRunner

from genbench import api
from genbench.cli import cli
from genbench.cli.progress import ending
from genbench.core.claim import Run
from genbench.core.dataset import DATASETS, open_named
from genbench.core.errors import DataError, GenbenchError, SpecError, UnknownName
from genbench.core.model import MODELS
from genbench.core.registry import load_plugin
from genbench.core.search import Choice, LogUniform, Uniform, draw_point
from genbench.core.spec import Budget, Cells, Criteria, Part, Suite, Training, Tuning
from genbench.evaluation.validation import WithoutTest
from genbench.running.cells import cell_specs
from genbench.running.claim_cells import resolve_tuned
from genbench.running.suites import RunOptions
from genbench.running.trials_check import check_trials
from genbench.running.tuning import make_campaign, run_tuning
from genbench.running.tuning_acceptance import accept_tuning
from genbench.running.tuning_choice import make_entry
from genbench.running.tuning_cost import CostBook
from genbench.running.tuning_filing import TuneFiling
from genbench.running.tuning_rule import (
    brackets,
    counted_scores,
    find_finalists,
    frontier,
    is_finished,
    make_rule,
    make_trial,
    pending,
    specs_of_trial,
    survivors,
)
from genbench.store import Store
from genbench.store.tuned import FILE, read_all_tuned, read_tuned, write_tuned
from genbench.store.tuned_options import HiddenTuning, find_tuned
from genbench.store.tuning import Rung, TuningFile, TuningResult
from genbench.store.tunings import Tunings, parse, to_bytes

ROOT = Path(__file__).parents[2]
PLAN = Tuning(
    budget=Budget(steps=8),
    batch=16,
    criteria=Criteria(samples=Part(name="mmd"), density=Part(name="nll", options={"points": 50})),
    samples=60,
)


def tune(root, dataset="ring", models=("vae",), trials=5, plan=PLAN, sampler="random", **how):
    campaign = make_campaign({dataset: plan}, models=models, trials=trials, sampler=sampler)
    return run_tuning(campaign, RunOptions(root=Path(root), device="cpu", **how))


def bits(root):
    """What trials of all files scored, without times."""
    return {
        (file.rule.model, trial.k): [
            (rung.step, rung.examples, rung.scores) for rung in trial.rungs
        ]
        for file in Tunings(Path(root)).files()
        for trial in file.trials
    }


@pytest.fixture(scope="module")
def tuned_folder(tmp_path_factory):
    root = tmp_path_factory.mktemp("tuned")
    tune(root)
    return root


def scored(rule, k, values):
    """A trial whose seeds score these at the first rung, by criterion."""
    trial = make_trial(rule, k)
    scores = {name: dict(zip(trial.seeds, row, strict=True)) for name, row in values.items()}
    rung = Rung(step=1, examples=1, seconds=0.0, scoring=0.0, scores=scores)
    return trial.model_copy(update={"rungs": [rung]})


def test_trials_depend_on_model_data_and_number_alone():
    rule = make_rule("gan", "ring", PLAN, "random")
    other = make_rule("gan", "ring", PLAN.model_copy(update={"batch": 32}), "random")
    assert make_trial(rule, 3).options == make_trial(other, 3).options
    assert make_trial(rule, 3).options != make_trial(rule, 4).options
    grid = make_rule("gan", "grid", PLAN, "random")
    assert make_trial(rule, 3).options != make_trial(grid, 3).options
    seeds = [seed for k in range(30) for seed in make_trial(rule, k).seeds]
    assert len(set(seeds)) == 60
    assert min(seeds) >= 1_000_000


def test_the_first_trial_is_the_default():
    rule = make_rule("gan", "ring", PLAN, "random")
    trial = make_trial(rule, 0)
    cells = Cells(models=["gan"], datasets=["ring"])
    suite = Suite(description="", metrics=["mmd"], budget=PLAN.budget, batch=16, cells=[cells])
    spec = cell_specs(suite, cells, cells.models[0], cells.datasets[0], autocast=False)[0]
    assert trial.hash == spec.group


def test_a_changed_rule_has_another_file():
    rule = make_rule("gan", "ring", PLAN, "random")
    changes = [
        {"keep": 0.25},
        {"rungs": [0.5, 1.0]},
        {"bracket": 8},
        {"samples": 61},
        {"seeds": 3},
        {"budget": Budget(steps=9)},
        {"criteria": Criteria(samples=Part(name="kid"))},
    ]
    names = {make_rule("gan", "ring", PLAN.model_copy(update=c), "random").file for c in changes}
    names.add(make_rule("gan", "ring", PLAN, "tpe").file)
    assert rule.file not in names
    assert len(names) == len(changes) + 1
    more = PLAN.model_copy(update={"trials": 41, "models": ["gan"]})
    assert make_rule("gan", "ring", more, "random").file == rule.file


def test_the_better_half_goes_on_and_what_diverged_does_not():
    rule = make_rule("gan", "ring", PLAN, "random")
    scores = [[3.0, 3.0], [1.0, None], [1.0, 2.0], [2.0, 2.0]]
    trials = [scored(rule, k, {"samples": row}) for k, row in enumerate(scores, 1)]
    assert survivors(rule, trials, 0) == [3, 4]


def test_criteria_choose_in_turn():
    rule = make_rule("vae", "ring", PLAN, "random")
    rows = [(1.0, 9.0), (2.0, 8.0), (3.0, 7.0), (4.0, 1.0)]
    trials = [
        scored(rule, k, {"samples": [a, a], "density": [b, b]}) for k, (a, b) in enumerate(rows, 1)
    ]
    assert survivors(rule, trials, 0) == [1, 4]


def finished(rule, rows):
    """Trials of one bracket, scored at the rungs that the rule sends them to, by criterion."""
    trials = {k: make_trial(rule, k) for k in range(1, 5)}
    members = [1, 2, 3, 4]
    for _ in rule.rungs:
        for k, _ in pending(rule, trials, members):
            before = scored(rule, k, {name: row[k - 1] for name, row in rows.items()})
            rungs = [*trials[k].rungs, before.rungs[0]]
            trials[k] = trials[k].model_copy(update={"rungs": rungs})
    assert pending(rule, trials, members) == []
    return trials


def test_each_criterion_has_a_finalist_of_its_own():
    """Turns of two would end with the first criterion's alone, and likelihood would never be chosen by."""
    rule = make_rule("vae", "ring", PLAN, "random")
    rows = {
        "samples": [[k, k] for k in (1.0, 2.0, 3.0, 4.0)],
        "density": [[k, k] for k in (9.0, 8.0, 7.0, 1.0)],
    }
    trials = finished(rule, rows)
    assert {k: len(t.rungs) for k, t in trials.items()} == {1: 3, 2: 1, 3: 1, 4: 3}
    assert find_finalists(rule, trials, "samples") == {0, 1}
    assert find_finalists(rule, trials, "density") == {0, 4}
    file = TuningFile(rule=rule, trials=list(trials.values()))
    entry = make_entry(file)
    assert (entry.choices["samples"].trial, entry.choices["density"].trial) == (1, 4)


def test_a_finalist_of_one_criterion_counts_for_another_as_far_as_that_sent_it():
    """A trial that likelihood alone sent to the end is no further draw for samples."""
    rule = make_rule("vae", "ring", PLAN, "random")
    rows = {"samples": [[k, k] for k in (2.0, 3.0, 4.0, 5.0)], "density": [[9.0, 9.0]] * 3}
    trials = finished(rule, rows | {"density": [*rows["density"], [1.0, 1.0]]})
    late = scored(rule, 4, {"samples": [0.0, 0.0], "density": [1.0, 1.0]}).rungs[0]
    trials[4] = trials[4].model_copy(update={"rungs": [*trials[4].rungs[:2], late]})
    assert counted_scores(rule, trials, "samples") == {1: 2.0, 2: 3.0, 3: 4.0, 4: 5.0}
    assert counted_scores(rule, trials, "density")[4] == 1.0
    entry = make_entry(TuningFile(rule=rule, trials=list(trials.values())))
    assert entry.choices["samples"].trial == 1


def test_a_failure_that_was_mended_leaves_the_choice_as_it_would_have_been():
    """Trial 2 went to the end in place of 1, which is better where both went on."""
    rule = make_rule("gan", "ring", PLAN, "random")
    rows = {1: [0.4, 0.3, 0.35], 2: [0.5, 0.4, 0.30], 3: [0.6, 0.5], 4: [0.9]}

    def trial(k, values):
        rungs = [scored(rule, k, {"samples": [v, v]}).rungs[0] for v in values]
        return scored(rule, k, {"samples": [0, 0]}).model_copy(update={"rungs": rungs})

    trials = {k: trial(k, values) for k, values in rows.items()}
    failed = trials[1].model_copy(update={"rungs": [], "failures": dict.fromkeys(trials[1].seeds)})
    assert frontier(rule, trials | {1: failed}, [1, 2, 3, 4]) == (3, [])
    assert find_finalists(rule, trials | {1: failed}, "samples") == {0, 2}
    assert frontier(rule, trials, [1, 2, 3, 4]) == (3, [])
    assert find_finalists(rule, trials, "samples") == {0, 1}
    assert counted_scores(rule, trials, "samples") == {1: 0.35, 2: 0.4, 3: 0.6, 4: 0.9}
    untroubled = {1: trials[1], 2: trial(2, [0.5, 0.4]), 3: trial(3, [0.6]), 4: trials[4]}
    entries = [
        make_entry(TuningFile(rule=rule, trials=[trial(0, [0.9] * 3), *some.values()]))
        for some in (trials, untroubled)
    ]
    assert entries[0] == entries[1]
    assert entries[0].choices["samples"].trial == 1


GAP = """
from genbench import metric
from genbench.core.metric import Column

@metric("edited_gap", view="points", columns={"edited_gap": Column("lower", "1", 0.0)})
def edited_gap(real, fake, *, rng):
    return float((real.mean(0) - fake.mean(0)).norm())
"""


def test_trials_of_two_sources_of_a_plugin_never_mix(tmp_path, registered):
    """Trials that an edited metric had scored before were ranked beside those it scores now."""
    path, root = tmp_path / "edited_gap.py", tmp_path / "r"
    path.write_text(GAP)
    load_plugin(str(path))
    plan = PLAN.model_copy(update={"criteria": Criteria(samples=Part(name="edited_gap"))})
    tune(root, trials=1, plan=plan)
    tune(root, trials=1, plan=plan)
    path.write_text(GAP.replace("float(", "2 * float("))
    load_plugin(str(path))
    with pytest.raises(SpecError, match="another source of metric edited_gap than there is now"):
        tune(root, trials=5, plan=plan)


def test_a_rung_waits_for_all_of_its_bracket():
    rule = make_rule("gan", "ring", PLAN, "random")
    trials = {k: scored(rule, k, {"samples": [k, k]}) for k in (1, 2, 3)}
    assert pending(rule, trials, [1, 2, 3, 4]) == [(4, 0)]
    trials[4] = scored(rule, 4, {"samples": [0.0, 0.0]})
    assert pending(rule, trials, [1, 2, 3, 4]) == [(1, 1), (4, 1)]


def test_brackets_are_whole():
    rule = make_rule("gan", "ring", PLAN, "random")
    assert brackets(rule, 9) == [[0], [1, 2, 3, 4], [5, 6, 7, 8]]
    with pytest.raises(SpecError, match="take 17 or 21"):
        brackets(rule, 20)


def test_a_search_runs_its_rungs_and_repeating_it_does_nothing(tuned_folder):
    file = Tunings(tuned_folder).files()[0]
    assert len(file.trials[0].rungs) == 3
    whole = set.union(*(find_finalists(file.rule, file.by_number, c) for c in file.rule.criteria))
    rungs = sorted(len(t.rungs) for t in file.trials[1:])
    assert rungs == ([1, 1, 2, 3] if len(whole) == 2 else [1, 1, 3, 3])
    assert {r.step for t in file.trials for r in t.rungs} == {2, 4, 8}
    assert {r.examples for t in file.trials for r in t.rungs} == {32, 64, 128}
    assert set(file.rule.criteria) == {"samples", "density"}
    assert tune(tuned_folder).results == []
    assert not list((tuned_folder / ".checkpoints").glob("*"))


def test_more_trials_extend_a_search_and_change_nothing(tuned_folder, tmp_path):
    (tmp_path / "tuning").mkdir()
    source = next((tuned_folder / "tuning").glob("*.json"))
    (tmp_path / "tuning" / source.name).write_bytes(source.read_bytes())
    before = bits(tmp_path)
    tune(tmp_path, trials=9)
    after = bits(tmp_path)
    assert len(after) == 9
    assert {key: after[key] for key in before} == before


@pytest.mark.parametrize("executor", ["processes"])
def test_executors_and_lost_states_give_the_same_bits(tuned_folder, tmp_path, executor):
    tune(tmp_path, executor=executor, jobs=2)
    assert bits(tmp_path) == bits(tuned_folder)


def test_a_killed_search_goes_on_to_the_same_bits(tuned_folder, tmp_path):
    tune(tmp_path, trials=1)
    campaign = make_campaign({"ring": PLAN}, models=["vae"], trials=5)
    from genbench.running.suites import Listener

    class Kill(Listener):
        done = 0

        def finished(self, index, results):
            self.done += 1
            if self.done == 5:  # one trial has its second rung
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_tuning(campaign, RunOptions(root=tmp_path, device="cpu"), listener=Kill())
    for state in (tmp_path / ".checkpoints").glob("*.safetensors"):
        state.unlink()  # another machine
    tune(tmp_path)
    assert bits(tmp_path) == bits(tuned_folder)


@pytest.mark.parametrize(
    ("dataset", "criterion"),
    [
        ("ring", "js_to_truth"),
        ("digits", "mmd"),
        pytest.param("digits", "fid", marks=pytest.mark.slow),
    ],
)
def test_no_test_point_is_read(tmp_path, monkeypatch, dataset, criterion):
    for name in ("ring", "digits"):
        cls = DATASETS.get(name)
        points, labels = cls.points, cls.labels

        def guarded(self, split, points=points):
            assert split != "test", "a test point was read"
            return points(self, split)

        def guarded_labels(self, split, labels=labels):
            assert split != "test", "a test label was read"
            return labels(self, split)

        monkeypatch.setattr(cls, "points", guarded)
        monkeypatch.setattr(cls, "labels", guarded_labels)
        with pytest.raises(AssertionError, match="test point"):
            open_named(name).points("test")
    criteria = Criteria(samples=Part(name=criterion), density=Part(name="nll"))
    plan = PLAN.model_copy(update={"criteria": criteria})
    result = tune(tmp_path, dataset, trials=1, plan=plan)
    assert not result.failed
    scores = [r.scores for r in result.results[-1].trial.rungs]
    assert all(v is not None for by in scores[-1].values() for v in by.values())


def test_scores_are_of_the_validation_split():
    data = open_named("digits")
    view = WithoutTest(data)
    assert torch.equal(view.points("test"), data.points("validation"))
    assert not torch.equal(view.points("test")[:100], data.points("test")[:100])
    assert view.to_data(view.to_model(data.points("train")[None, :5])).shape == (1, 5, 1, 8, 8)


def test_a_data_set_without_validation_is_refused():
    class Bare(type(open_named("digits"))):
        def points(self, split):
            return super().points(split)[: 0 if split == "validation" else None]

    with pytest.raises(DataError, match="no validation split"):
        WithoutTest(Bare())


def test_a_model_that_fails_is_a_row_and_comes_last(tmp_path, monkeypatch):
    from genbench.models.variational.vae import VAE

    def broken(self, batch, rng):
        if batch.progress > 0 and self.autoencoder.latent == 2:
            raise RuntimeError("planted")
        return ORIGINAL(self, batch, rng)

    ORIGINAL = VAE.loss
    monkeypatch.setattr(VAE, "loss", broken)
    result = tune(tmp_path)
    assert result.failed
    file = Tunings(tmp_path).files()[0]
    failed = [t for t in file.trials if t.failures]
    assert failed
    assert all("planted" in why for t in failed for why in t.failures.values())
    assert tune(tmp_path).results == []
    monkeypatch.setattr(VAE, "loss", ORIGINAL)
    tune(tmp_path, redo="failed")
    assert not any(t.failures for t in Tunings(tmp_path).files()[0].trials)


def test_what_retrying_takes_is_expected(tuned_folder, tmp_path):
    """As many rungs as trials that failed may need again, and nothing where none failed."""
    file = Tunings(tuned_folder).files()[0]
    costs = CostBook(Store(tuned_folder))
    assert costs.estimate(file.rule, 5, "failed").seconds == 0.0
    lost = [t.model_copy(update={"failures": dict.fromkeys(t.seeds, "x")}) for t in file.trials]
    Tunings(tmp_path).save(file.model_copy(update={"trials": lost}))
    costs = CostBook(Store(tmp_path))
    assert costs.estimate(file.rule, 5).seconds == 0.0
    fresh = CostBook(Store(tmp_path)).estimate(file.rule, 9).seconds
    rungs = [costs.expect(file.rule, at) for at in range(3)]
    whole = rungs[0] * 5 + rungs[1] * 3 + rungs[2] * 2
    assert costs.estimate(file.rule, 5, "failed").seconds == pytest.approx(whole)
    assert fresh == pytest.approx(rungs[0] * 4 + rungs[1] * 2 + rungs[2])
    one = [*file.trials[:-1], lost[-1]]
    Tunings(tmp_path).save(file.model_copy(update={"trials": one}))
    assert 0.0 < costs.estimate(file.rule, 5, "failed").seconds <= sum(rungs) * 1.001


def test_a_score_that_is_not_there_has_its_reason(tmp_path, monkeypatch):
    """As of a metric that cannot be computed: such a seed is not one that went well."""
    from genbench.evaluation.validation import ValidationScorer

    def broken(self, fake, trained, rng):
        rows = ORIGINAL(self, fake, trained, rng)
        lost = {"value": None, "reason": "planted"}
        return [row.model_copy(update=lost) if row.id == "nll" else row for row in rows]

    ORIGINAL = ValidationScorer.score
    monkeypatch.setattr(ValidationScorer, "score", broken)
    result = tune(tmp_path, trials=1).results[0]
    assert set(result.unscored.values()) == {"nll: planted"}
    assert sorted(result.unscored) == result.trial.seeds
    assert result.failures == {}
    assert ending([result]).startswith("0 of 2 ok")
    rung = Tunings(tmp_path).files()[0].trials[0].rungs[0]
    assert rung.reasons == result.unscored
    assert all(value is not None for value in rung.scores["samples"].values())


def test_a_damaged_file_is_set_aside_and_made_anew(tuned_folder, tmp_path):
    source = next((tuned_folder / "tuning").glob("*.json"))
    content = json.loads(source.read_text())
    content["trials"][0]["rungs"][0]["scores"]["samples"] = {"1": 0.0}
    (tmp_path / "tuning").mkdir()
    target = tmp_path / "tuning" / source.name
    target.write_text(json.dumps(content))
    assert parse(target) is None
    tune(tmp_path)
    assert bits(tmp_path) == bits(tuned_folder)
    assert list((tmp_path / ".set-aside").rglob("*.json.0"))


def test_files_are_compact_and_read_back_as_written(tuned_folder):
    path = next((tuned_folder / "tuning").glob("*.json"))
    file = parse(path)
    assert file is not None
    assert to_bytes(file) == path.read_bytes()
    assert sum(line.startswith('  {"k"') for line in path.read_text().splitlines()) == 5
    assert path.stat().st_size < 6_000


def test_the_best_of_finished_trials_is_accepted_and_cells_take_it(
    tuned_folder, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    to = tmp_path / "baselines" / "tuned.yaml"
    plans = {"ring": PLAN.model_copy(update={"trials": 5})}
    entry = accept_tuning(tuned_folder, to, plans).entries[0]
    file = Tunings(tuned_folder).files()[0]
    finished = {t.k: t for t in file.trials if len(t.rungs) == 3}
    means = {k: math.fsum(t.rungs[2].scores["samples"].values()) / 2 for k, t in finished.items()}
    chosen = entry.choices["samples"]
    assert chosen.trial == min(means, key=means.__getitem__)
    assert chosen.gain == pytest.approx(means[0] - means[chosen.trial], abs=2e-6)
    assert entry.trials_hash == file.seal
    own = read_tuned(to).entries
    assert read_tuned().entries[: len(own)] == own
    shipped = read_tuned(ROOT / FILE).entries
    others = [e for e in shipped if e.dataset != "ring"]
    assert read_tuned().entries[len(own) :] == others, "of ring those of the working folder alone"
    cells = Cells(models=["vae"], datasets=["ring"], tuned=True)
    suite = Suite(description="", metrics=["mmd"], budget=Budget(steps=8), batch=16, cells=[cells])
    spec = cell_specs(suite, cells, cells.models[0], cells.datasets[0], autocast=False)[0]
    trial = specs_of_trial(file.rule, finished[chosen.trial])[0]
    assert spec.model_copy(update={"seed": 0}).cell == trial.model_copy(update={"seed": 0}).cell
    named = Cells(
        models=[Part(name="vae", options={"lr": 0.5})], datasets=["ring"], tuned="density"
    )
    other = cell_specs(suite, named, named.models[0], named.datasets[0], autocast=False)[0]
    assert other.options["lr"] == 0.5
    with pytest.raises(SpecError, match="gan was not tuned on circle by samples"):
        cell_specs(suite, cells, Part(name="gan"), Part(name="circle"), autocast=False)
    control = cell_specs(suite, cells, Part(name="gaussian"), Part(name="ring"), autocast=False)
    assert control[0].training is None


@pytest.fixture
def own_file(tuned_folder, tmp_path, monkeypatch):
    """A working folder whose file has one entry, of vae on ring."""
    monkeypatch.chdir(tmp_path)
    plans = {"ring": PLAN.model_copy(update={"trials": 5})}
    accept_tuning(tuned_folder, tmp_path / FILE, plans)
    return tmp_path / FILE


def test_what_is_taken_together_was_tuned_together(own_file):
    """Whatever the budgets: of the same as the shipped ones an entry was mixed with these."""
    (entry,) = read_tuned(own_file).entries
    shipped = next(e for e in read_tuned(ROOT / FILE).entries if e.dataset == "ring")
    write_tuned(own_file, [entry.model_copy(update={"budget": shipped.budget, "batch": 128})])
    assert find_tuned("vae", "ring", Budget(steps=3000), 128, "samples")
    with pytest.raises(HiddenTuning, match="wgan_gp was not tuned on ring by samples together"):
        find_tuned("wgan_gp", "ring", Budget(steps=3000), 128, "samples")
    assert find_tuned("wgan_gp", "digits", Budget(steps=3000), 128, "samples")
    run = Run("wgan_gp", "ring", ("mmd",), steps=3000, batch=128, tuned=True, untuned="default")
    assert resolve_tuned(run) is True, "its defaults do not stand in unsaid"
    assert "wgan_gp" in {entry.model for entry in read_all_tuned() if entry.dataset == "ring"}


def test_of_other_data_set_options_shipped_entries_stay(own_file):
    (entry,) = read_tuned(own_file).entries
    own_file.unlink()
    write_tuned(own_file, [entry.model_copy(update={"dataset_options": {"modes": 3}})])
    assert find_tuned("wgan_gp", "ring", Budget(steps=3000), 128, "samples")


@pytest.mark.parametrize(
    ("model", "dataset", "budget", "criterion", "words"),
    [
        ("gmmn", "digits", {"steps": 9}, "density", "it has no likelihood; say tuned: true"),
        (
            "vae",
            "spiral",
            {"steps": 9},
            "samples",
            "give the data a plan under tuning in the suite",
        ),
        ("vae", "ring", {"seconds": 9}, "samples", "at a budget of seconds, but of steps alone"),
        ("vae", "grid", {"steps": 9}, "density", "but by samples alone; say tuned: samples"),
        (
            "bigan",
            "ring",
            {"steps": 9},
            "samples",
            "where others were; type: genbench tune -m bigan",
        ),
    ],
)
def test_every_cause_of_no_tuned_options_is_told(
    own_file, monkeypatch, model, dataset, budget, criterion, words
):
    # whatever is shipped by now
    monkeypatch.setattr("genbench.store.tuned.list_shipped", lambda *_: [own_file])
    (entry,) = read_tuned(own_file).entries
    by_samples = {"samples": entry.choices["samples"]}
    write_tuned(own_file, [entry.model_copy(update={"dataset": "grid", "choices": by_samples})])
    with pytest.raises(
        SpecError, match=f"{model} was not tuned on {dataset} by {criterion}.*{words}"
    ):
        find_tuned(model, dataset, Budget(**budget), 16, criterion)


def test_training_that_is_named_holds_and_the_rest_stays_tuned(own_file):
    (entry,) = read_tuned(own_file).entries
    tuned = {"rates": {"a": 2.0, "b": 3.0}, "share": 0.25, "decay": "linear", "average": 0.9}
    choice = entry.choices["samples"].model_copy(update={"training": tuned})
    write_tuned(own_file, [entry.model_copy(update={"choices": {"samples": choice}})])

    def train(**named):
        cells = Cells(models=["vae"], datasets=["ring"], tuned=True, **named)
        about = {"budget": Budget(steps=8), "batch": 16, "cells": [cells]}
        suite = Suite(description="", metrics=["mmd"], **about)
        return cell_specs(suite, cells, cells.models[0], cells.datasets[0], autocast=False)[
            0
        ].training

    assert train() == Training(**tuned)
    assert train(training={"average": 0.5}) == Training(**{**tuned, "average": 0.5})
    both = train(training={"rates": {"b": 1.0}, "stopping": 4})
    assert both == Training(**{**tuned, "rates": {"a": 2.0, "b": 1.0}, "stopping": 4})


def test_without_a_tuned_file_the_command_is_named(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("genbench.store.documents.PACKAGE", tmp_path / "genbench")
    with pytest.raises(SpecError, match="genbench tune --accept"):
        read_tuned()
    with pytest.raises(GenbenchError, match="no finished trials"):
        accept_tuning(tmp_path, tmp_path / "tuned.yaml", {"ring": PLAN})


def test_costs_come_from_recorded_seconds_and_go_down(tuned_folder, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # where there are no committed results
    campaign = make_campaign({"ring": PLAN}, models=["vae"], trials=5)
    rule = campaign.rules[0]
    fresh = CostBook(Store(tmp_path)).estimate(rule, 5)
    assert (fresh.source, fresh.full, fresh.seconds) == ("nothing", None, None)
    timed = rule.model_copy(update={"budget": Budget(seconds=3.0)})
    assert CostBook(Store(tmp_path)).estimate(timed, 1).full == 3.0
    done = CostBook(Store(tuned_folder)).estimate(rule, 5)
    assert (done.source, done.seconds) == ("trials", 0.0)
    more = CostBook(Store(tuned_folder)).estimate(rule, 9)
    assert more.full is not None
    each = 4 * 0.25 + 2 * 0.25 + 0.5  # of a trial's whole training, of four trials
    assert more.seconds == pytest.approx(each * more.full + 7 * more.scoring)


def test_times_of_a_stack_that_was_cut_in_halves_are_those_of_both(tmp_path):
    rule = make_rule("gan", "ring", PLAN, "random")
    whole = scored(rule, 1, {"samples": [0.5, 0.6]})

    def add(seconds, *seeds):
        scores = {"samples": dict.fromkeys(seeds, 0.5)}
        rung = Rung(step=8, examples=8, seconds=seconds, scoring=seconds / 10, scores=scores)
        trial = whole.model_copy(update={"rungs": [rung]})
        Tunings(tmp_path).add(TuningResult(rule=rule, trial=trial, rung=0))
        (rung,) = Tunings(tmp_path).read(rule).by_number[1].rungs
        return rung.seconds, rung.scoring

    first, second = whole.seeds
    assert add(100.0, first) == (100.0, 10.0)
    assert add(50.0, second) == (150.0, 15.0)
    assert Tunings(tmp_path).read(rule).seconds == 165.0
    assert add(70.0, first, second) == (70.0, 7.0), "which was tried again as a whole"


def test_a_rung_that_went_on_from_its_checkpoint_spent_the_rest_alone(tuned_folder):
    """Its seconds are those of all training so far."""
    for trial in Tunings(tuned_folder).files()[0].trials:
        seconds = [rung.seconds for rung in trial.rungs]
        assert sum(rung.spent for rung in trial.rungs) == pytest.approx(seconds[-1])
        assert sum(rung.scoring for rung in trial.rungs) + seconds[-1] == pytest.approx(
            trial.seconds
        )


def test_a_rung_whose_checkpoint_was_lost_spent_all_of_its_seconds(tmp_path, monkeypatch):
    monkeypatch.setattr(TuneFiling, "_read", lambda self, job: None)
    tune(tmp_path)
    (file,) = Tunings(tmp_path).files()
    rungs = [rung for trial in file.trials for rung in trial.rungs]
    assert [rung.spent for rung in rungs] == pytest.approx([rung.seconds for rung in rungs])
    assert file.seconds == pytest.approx(sum(rung.seconds + rung.scoring for rung in rungs))


def test_a_job_s_line_tells_what_it_took_and_not_what_led_there():
    rule = make_rule("gan", "ring", PLAN, "random")
    trial = scored(rule, 1, {"samples": [0.5, 0.6]})
    changed = {"seconds": 9.0, "spent": 4.0, "scoring": 1.0}
    rung = trial.rungs[0].model_copy(update=changed)
    result = TuningResult(rule=rule, trial=trial.model_copy(update={"rungs": [rung]}), rung=1)
    assert ending([result]) == "2 of 2 ok, 5.0 s"


def test_seconds_that_fell_were_of_a_training_made_anew():
    """Of older files, which do not tell what a rung's own job trained."""
    rule = make_rule("gan", "ring", PLAN, "random")
    (rung,) = scored(rule, 1, {"samples": [0.5, 0.6]}).rungs

    def total(*seconds):
        rungs = [rung.model_copy(update={"seconds": s, "scoring": 1.0}) for s in seconds]
        trial = scored(rule, 1, {"samples": [0, 0]}).model_copy(update={"rungs": rungs})
        return TuningFile(rule=rule, trials=[trial]).seconds

    assert total(272.0, 2338.0, 399.0) == 2338.0 + 399.0 + 3.0
    assert total(10.0, 20.0, 40.0) == 43.0
    assert total() == 0.0


def test_what_both_halves_of_a_stack_spent_is_summed_and_unknown_where_one_does_not_tell():
    about = {"step": 1, "examples": 1, "scoring": 0.0, "seconds": 9.0}
    one, other = (Rung(**about, spent=4.0, scores={"samples": {s: 0.5}}) for s in (1, 2))
    assert one.joined(other).spent == 8.0
    assert one.joined(other.model_copy(update={"spent": None})).spent is None
    assert one.joined(one.model_copy(update={"spent": 7.0})).spent == 7.0
    assert "spent" not in other.model_copy(update={"spent": None}).model_dump()


def test_a_search_is_finished_when_whole_brackets_went_as_far_as_they_go(tuned_folder):
    (file,) = Tunings(tuned_folder).files()
    assert is_finished(file)
    shorter = file.model_copy(update={"trials": file.trials[:4]})
    first = file.trials[0].model_copy(update={"rungs": file.trials[0].rungs[:1]})
    early = file.model_copy(update={"trials": [first, *file.trials[1:]]})
    empty = file.model_copy(update={"trials": []})
    assert not any(map(is_finished, (shorter, early, empty)))


def test_the_front_door_reads_the_suite_file(tmp_path):
    config = tmp_path / "mine.yaml"
    config.write_text(
        "suites: {}\ntuning:\n  ring: {budget: {steps: 4}, batch: 8, samples: 20, "
        "criteria: {samples: mmd}, trials: 1}\n"
    )
    about = {"models": ["vae"], "config": config, "results": tmp_path / "r"}
    assert [e.rule.model for e in api.tuning_costs(**about)] == ["vae"]
    result = api.tune(**about, device="cpu")
    assert len(result.results) == 3
    with pytest.raises(GenbenchError, match="tuning plan"):
        api.tune(datasets=["rings"], **about)


def test_parzen_proposals_are_the_same_again(tmp_path):
    pytest.importorskip("optuna")
    tune(tmp_path / "a", sampler="tpe", trials=9)
    tune(tmp_path / "b", sampler="tpe", trials=5)
    tune(tmp_path / "b", sampler="tpe", trials=9)
    assert bits(tmp_path / "a") == bits(tmp_path / "b")


def test_parzen_proposals_take_lists_and_ranges_of_many_digits(tmp_path, monkeypatch):
    """What a file holds of a value, a list for a tuple or four digits, may not equal it."""
    pytest.importorskip("optuna")
    shapes = Choice(([8, 8], (4,), [4, 4]))
    space = {"hidden": shapes, "lr": LogUniform(0.0012345, 0.0012349)}
    monkeypatch.setattr(MODELS.get("vae"), "search", space)
    for sampler in ("random", "tpe"):
        result = tune(tmp_path / sampler, sampler=sampler, trials=13)
        assert result.results
        (file,) = Tunings(tmp_path / sampler).files()
        assert sorted(file.by_number) == [*range(13)]
        chosen = [trial.options for trial in file.trials[1:]]
        assert all(0.0012345 <= options["lr"] <= 0.0012349 for options in chosen)
        assert {json.dumps(options["hidden"]) for options in chosen} <= {"[8, 8]", "[4]", "[4, 4]"}


def test_numbers_are_rounded_within_their_range():
    narrow = Uniform(1.23446, 1.23456)
    assert [narrow.at(share) for share in (0.0, 0.999)] == [1.23446, 1.23456]
    assert LogUniform(0.0012346, 0.0012349).at(0.5) == 0.0012349
    assert Uniform(0, 1).at(0.123456) == 0.1235


def test_a_trial_keeps_its_options_though_the_sampler_would_propose_others(tmp_path):
    """As where a failed trial is tried again, or another version of Optuna goes on with a search."""
    pytest.importorskip("optuna")
    plan = PLAN.model_copy(update={"criteria": Criteria(samples=Part(name="mmd"))})
    tune(tmp_path, plan=plan, sampler="tpe", trials=9)
    before = Tunings(tmp_path).files()[0]
    other = []
    for trial in before.trials:
        scores = {"samples": dict.fromkeys(trial.seeds, 5.0 - trial.k)}
        first = trial.rungs[0]
        first = first.model_copy(update={"scores": scores}) if 0 < trial.k < 5 else first
        other.append(trial.model_copy(update={"rungs": [first]}))
    Tunings(tmp_path).save(before.model_copy(update={"trials": other}))
    result = tune(tmp_path, plan=plan, sampler="tpe", trials=9)
    begun = {trial.k: (trial.hash, trial.options) for trial in other}
    assert {r.trial.k for r in result.results} & {5, 6, 7, 8}
    assert all((r.trial.hash, r.trial.options) == begun[r.trial.k] for r in result.results)


def test_other_defaults_of_the_same_version_do_not_go_on_with_a_search(tuned_folder, tmp_path):
    """The hash of a trial is of all options, also of those that are not searched."""
    file = Tunings(tuned_folder).files()[0]
    trials = [trial.model_copy(update={"hash": "0" * 16}) for trial in file.trials]
    path = Tunings(tmp_path).save(file.model_copy(update={"trials": trials}))
    (problem,) = check_trials(tmp_path)
    assert (problem.bad, problem.path) == (True, str(path))
    assert "5 of 5 trials (first trial 0) were made with other defaults" in problem.problem
    before, plan = path.read_bytes(), PLAN.model_copy(update={"trials": 5})
    with pytest.raises(
        SpecError, match=r"5 of 5 trials .* other defaults than version \d+ of vae"
    ):
        tune(tmp_path, trials=9)
    (refusal,) = accept_tuning(tmp_path, tmp_path / "tuned.yaml", {"ring": plan}).refusals
    assert "raise its version" in refusal.problem
    assert path.read_bytes() == before


def test_options_that_are_not_those_of_the_hash_are_found(tuned_folder, tmp_path):
    file = Tunings(tuned_folder).files()[0]
    edited = file.trials[1].model_copy(update={"options": file.trials[2].options})
    trials = [file.trials[0], edited, *file.trials[2:]]
    Tunings(tmp_path).save(file.model_copy(update={"trials": trials}))
    assert check_trials(tuned_folder) == []
    result = CliRunner().invoke(cli, ["validate", str(tmp_path)])
    assert result.exit_code == 1
    assert "1 of 5 trials (first trial 1)" in result.stdout


@pytest.mark.parametrize("edit", ["point", "seeds", "doubled"])
def test_trials_that_no_search_draws_are_found_though_they_hash(tuned_folder, tmp_path, edit):
    """Options that somebody liked better, with a hash and a seal of their own, passed for drawn ones."""
    file = Tunings(tuned_folder).files()[0]
    rule, own = file.rule, file.trials[1]
    chosen = make_trial(rule, 1, {**draw_point(MODELS.get(rule.model).search, "mine"), "lr": 0.01})
    edited = {
        "point": [chosen.model_copy(update={"rungs": own.rungs})],
        "seeds": [own.model_copy(update={"seeds": [seed + 1 for seed in own.seeds]})],
        "doubled": [own, own],
    }[edit]
    trials = [file.trials[0], *edited, *file.trials[2:]]
    Tunings(tmp_path).save(file.model_copy(update={"trials": trials}))
    (problem,) = check_trials(tmp_path)
    assert problem.bad
    assert "(first trial 1)" in problem.problem


def test_trials_of_an_option_that_is_gone_are_named(tuned_folder, tmp_path):
    file = Tunings(tuned_folder).files()[0]
    gone = file.trials[1].model_copy(update={"options": {"widht": 3}})
    Tunings(tmp_path).save(file.model_copy(update={"trials": [file.trials[0], gone]}))
    (problem,) = check_trials(tmp_path)
    assert problem.bad
    assert "vae has no option 'widht'" in problem.problem


def test_a_seed_that_was_scored_after_all_has_no_reason():
    about = {"step": 1, "examples": 1, "seconds": 1.0, "scoring": 0.0}
    lost = Rung(**about, scores={"samples": {1: None, 2: None}}, reasons={1: "x", 2: "y"})
    again = Rung(**about, scores={"samples": {1: 0.5}})
    assert lost.joined(again).reasons == {2: "y"}


def test_trials_of_another_version_are_only_mentioned(tuned_folder, monkeypatch):
    monkeypatch.setattr(MODELS.get("vae"), "version", 99)
    (problem,) = check_trials(tuned_folder)
    assert (problem.kind, problem.bad) == ("stale", False)


def test_two_plans_that_say_the_same_are_one_search_of_the_longer():
    plans = {"ring": PLAN.model_copy(update={"trials": 5})}
    plans["again"] = PLAN.model_copy(update={"trials": 9, "dataset": "ring"})
    campaign = make_campaign(plans, models=["vae"])
    assert [campaign.trials[rule.file] for rule in campaign.rules] == [9]


def test_plans_may_name_their_data_set_and_its_options_decide_what_is_taken(tmp_path):
    criteria = Criteria(samples=Part(name="mmd"))
    own = {
        "dataset": "super_resolution",
        "criteria": criteria,
        "base": {"srresnet": {"blocks": 1}},
    }
    plans = {
        "one": PLAN.model_copy(update=own),
        "other": PLAN.model_copy(update={**own, "options": {"kernel": "bicubic"}, "trials": 1}),
    }
    campaign = make_campaign(plans, models=["srresnet"], datasets=["super_resolution"], trials=1)
    assert [rule.dataset_options["kernel"] for rule in campaign.rules] == ["box", "bicubic"]
    assert make_campaign(plans, models=["srresnet"], datasets=["other"]).trials == {
        campaign.rules[1].file: 1
    }
    with pytest.raises(UnknownName, match="super_resolution"):
        make_campaign(plans, datasets=["super_resolutions"])
    assert not run_tuning(campaign, RunOptions(root=tmp_path, device="cpu")).failed
    to = tmp_path / "tuned.yaml"
    plans = {name: plan.model_copy(update={"trials": 1}) for name, plan in plans.items()}
    assert len(accept_tuning(tmp_path, to, plans).entries) == 2
    where = "srresnet", "super_resolution", PLAN.budget, PLAN.batch, "samples", to
    options = campaign.rules[1].dataset_options
    assert find_tuned(*where, dataset_options=options)[0]["blocks"] == 1
    with pytest.raises(SpecError, match="not tuned on super_resolution with"):
        find_tuned(*where, dataset_options={**options, "scale": 4})
