"""Equal tuning: which searches are accepted into the file of tuned options, and which are named and left."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner
from held_cells import held_file

from genbench.cli import cli
from genbench.core.errors import SpecError, UnknownName, WriteError
from genbench.core.spec import Budget, Criteria, Part, Tuning
from genbench.running.tuning_acceptance import accept_tuning
from genbench.running.tuning_check import check_tuned
from genbench.running.tuning_rule import brackets, frontier, make_rule, make_trial
from genbench.store import locks
from genbench.store.documents import load_tuning
from genbench.store.equal_tuning import find_inequalities
from genbench.store.tuned import FILE, read_tuned, write_tuned
from genbench.store.tuning import Rung, TuningFile
from genbench.store.tunings import Tunings

ROOT = Path(__file__).parents[2]
PLAN = Tuning(
    budget=Budget(steps=8),
    batch=16,
    samples=60,
    criteria=Criteria(samples=Part(name="mmd")),
    trials=5,
)
PLANS = {"ring": PLAN}


def plant(root, model, *, trials=5, sampler="random", stop=99, plan=PLAN, size=1.0):
    """Writes a search to its end, or so many rungs of it: trial k scores k times a size."""
    rule = make_rule(model, plan.dataset or "ring", plan, sampler)
    file, written = TuningFile(rule=rule), 0
    for members in brackets(rule, trials):
        while True:
            rung, alive = frontier(rule, file.by_number, members)
            if not alive or written == stop:
                break
            for k in alive[: stop - written]:
                trial = file.by_number.get(k) or make_trial(rule, k)
                scores = {"samples": dict.fromkeys(trial.seeds, size * k)}
                new = Rung(step=rung, examples=1, seconds=0.0, scoring=0.0, scores=scores)
                grown = trial.model_copy(update={"rungs": [*trial.rungs, new]})
                others = [one for one in file.trials if one.k != k]
                file = file.model_copy(update={"trials": [*others, grown]})
                written += 1
    Tunings(root).save(file)


def accept(root, **how):
    return accept_tuning(root, root / "tuned.yaml", how.pop("plans", PLANS), **how)


def models(entries):
    return [entry.model for entry in entries]


def test_a_whole_search_is_accepted_and_a_dry_run_writes_nothing(tmp_path):
    plant(tmp_path, "gan")
    result = accept(tmp_path, write=False)
    assert (models(result.entries), result.refusals) == (["gan"], ())
    assert not (tmp_path / "tuned.yaml").exists()
    assert accept(tmp_path) == result
    assert read_tuned(tmp_path / "tuned.yaml").entries == list(result.entries)


@pytest.mark.parametrize("stop", [3, 4, 9], ids=["the default alone", "one rung", "all but one"])
def test_a_search_that_has_not_ended_is_refused_though_a_trial_has(tmp_path, stop):
    plant(tmp_path, "gan", stop=stop)
    plant(tmp_path, "vae")
    result = accept(tmp_path)
    assert models(result.entries) == models(read_tuned(tmp_path / "tuned.yaml").entries) == ["vae"]
    (refusal,) = result.refusals
    assert refusal.model == "gan"
    assert "not ended" in refusal.problem
    assert "type: genbench tune -m gan -d ring" in refusal.problem


def edit_trial(root, k, **change):
    """Changes a trial of the only search of a folder."""
    (file,) = Tunings(root).files()
    trials = [t.model_copy(update=change) if t.k == k else t for t in file.trials]
    Tunings(root).save(file.model_copy(update={"trials": trials}))


@pytest.mark.parametrize("k", [0, 4])
def test_a_search_with_trials_that_were_not_tried_is_refused(tmp_path, k):
    """Whatever stopped them: a time limit, memory, an error."""
    plant(tmp_path, "gan")
    reason = "stopped at 1 s; give more by --timeout and --retry-failed"
    failures = dict.fromkeys(make_trial(make_rule("gan", "ring", PLAN, "random"), k).seeds, reason)
    edit_trial(tmp_path, k, rungs=[], failures=failures)
    result = accept(tmp_path)
    assert result.entries == ()
    (refusal,) = result.refusals
    assert f"1 of 5 trials failed (trial {k}: {reason})" in refusal.problem
    assert "take out of what the model's search allows" in refusal.problem
    assert refusal.problem.endswith("type: genbench tune -m gan -d ring --retry-failed")
    assert not (tmp_path / "tuned.yaml").exists()


def test_a_model_that_diverges_was_tried(tmp_path):
    plant(tmp_path, "gan")
    (file,) = Tunings(tmp_path).files()
    lost = file.by_number[4]
    nothing = {"scores": {"samples": dict.fromkeys(lost.seeds)}}
    nothing |= {"reasons": dict.fromkeys(lost.seeds, "samples are not finite")}
    edit_trial(tmp_path, 4, rungs=[rung.model_copy(update=nothing) for rung in lost.rungs])
    assert models(accept(tmp_path).entries) == ["gan"]


def test_of_two_plans_of_one_budget_none_wins_by_its_file_s_name(tmp_path):
    other = PLAN.model_copy(update={"dataset": "ring", "samples": 80})
    plans = {**PLANS, "ring_more": other}
    for plan, size in ((PLAN, 1.0), (other, 2.0)):
        plant(tmp_path, "gan", plan=plan, size=size)
    plant(tmp_path, "vae")
    result = accept(tmp_path, plans=plans)
    assert models(result.entries) == ["vae"]
    (refusal,) = result.refusals
    assert refusal.model == "gan"
    assert "room for one; name a plan of its own name by -d PLAN" in refusal.problem
    (beside,) = accept(tmp_path, plans=plans, datasets=["ring_more"], models=["gan"]).refusals
    assert "samples 80, where" in beside.problem
    (tmp_path / "tuned.yaml").unlink()
    (entry,) = accept(tmp_path, plans=plans, datasets=["ring_more"], models=["gan"]).entries
    assert entry in read_tuned(tmp_path / "tuned.yaml").entries
    (entry,) = accept(tmp_path, models=["gan"]).entries
    assert entry in read_tuned(tmp_path / "tuned.yaml").entries


def test_more_trials_than_the_plan_are_refused_with_both_numbers(tmp_path):
    plant(tmp_path, "gan", trials=9)
    result = accept(tmp_path)
    assert result.entries == ()
    assert "9 trials, where the plan ring gives every model 5" in result.refusals[0].problem
    assert not (tmp_path / "tuned.yaml").exists()


@pytest.mark.parametrize(
    ("change", "fields"),
    [
        ({"budget": Budget(steps=9)}, "budget differs"),
        ({"samples": 61, "seeds": 3}, "samples, seeds differ"),
        ({"rungs": [1.0]}, "rungs differs"),
        ({"criteria": Criteria(samples=Part(name="kid"))}, "criteria differs"),
    ],
    ids=str,
)
def test_another_rule_is_refused_and_its_fields_are_named(tmp_path, change, fields):
    plant(tmp_path, "gan", plan=PLAN.model_copy(update=change))
    result = accept(tmp_path)
    assert result.entries == ()
    assert f"another rule than the plan ring ({fields})" in result.refusals[0].problem


def test_searches_of_other_rules_beside_the_plan_s_own_are_nobody_s_matter(tmp_path):
    plant(tmp_path, "gan")
    plant(tmp_path, "gan", plan=PLAN.model_copy(update={"samples": 61}))
    plant(tmp_path, "gan", sampler="tpe")
    result = accept(tmp_path)
    assert (len(result.entries), result.refusals) == (1, ())


def test_a_sampler_is_accepted_where_it_is_named_and_never_beside_another(tmp_path):
    plant(tmp_path, "gan", sampler="tpe")
    assert "add: --sampler tpe" in accept(tmp_path).refusals[0].problem
    plant(tmp_path, "vae")
    assert models(accept(tmp_path, models=["vae"]).entries) == ["vae"]
    result = accept(tmp_path, sampler="tpe", models=["gan"])
    assert result.entries == ()
    assert "5 trials by tpe, where" in result.refusals[0].problem
    plant(tmp_path, "vae", sampler="tpe")
    assert models(accept(tmp_path, sampler="tpe").entries) == ["gan", "vae"]
    assert {e.sampler for e in read_tuned(tmp_path / "tuned.yaml").entries} == {"tpe"}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"seeds": 4}, "5 trials by random, seeds 4, where"),
        ({"rungs": [1.0], "keep": 1.0}, "rungs [1.0], keep 1.0, where"),
        ({"samples": 61}, "another value of samples for other models"),
        ({"criteria": Criteria(samples=Part(name="kid"))}, 'criterion samples {"better"'),
    ],
    ids=str,
)
def test_another_rule_is_refused_beside_models_that_had_the_first(tmp_path, change, words):
    plant(tmp_path, "vae")
    accept(tmp_path)
    other = PLAN.model_copy(update=change)
    plant(tmp_path, "gan", plan=other)
    refusals = accept(tmp_path, plans={"ring": other}, models=["gan"]).refusals
    assert words in refusals[0].problem
    assert models(read_tuned(tmp_path / "tuned.yaml").entries) == ["vae"]
    plant(tmp_path, "vae", plan=other)
    assert len(accept(tmp_path, plans={"ring": other}).entries) == 2


def test_a_criterion_that_models_do_not_share_is_no_difference(tmp_path):
    likely = Criteria(samples=Part(name="mmd"), density=Part(name="nll"))
    both = {"ring": PLAN.model_copy(update={"criteria": likely})}
    rule = make_rule("vae", "ring", both["ring"], "random")
    plant(tmp_path, "gan", plan=both["ring"])
    (entry,) = accept(tmp_path, plans=both).entries
    other = entry.model_copy(update={"model": "vae", "rule": rule.shared})
    assert (entry.rule.version, other.rule.version) == (None, 2)
    assert find_inequalities([entry, other]) == []


def test_a_neighbouring_budget_is_no_way_round_equal_tuning(tmp_path):
    """A suite takes the nearest budget of each model."""
    near = {"ring": PLAN.model_copy(update={"budget": Budget(steps=9), "trials": 9})}
    plant(tmp_path, "vae")
    accept(tmp_path)
    plant(tmp_path, "gan", trials=9, plan=near["ring"])
    (refusal,) = accept(tmp_path, plans=near, models=["gan"]).refusals
    assert "9 trials by random at 9 steps, batch 16, where" in refusal.problem
    plant(tmp_path, "gan")
    assert models(accept(tmp_path, models=["gan"]).entries) == ["gan"]
    plant(tmp_path, "vae", trials=9, plan=near["ring"])
    both = accept(tmp_path, plans=near).entries
    assert models(both) == ["gan", "vae"], "of each budget a suite takes both"
    assert len(read_tuned(tmp_path / "tuned.yaml").entries) == 4


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"budget": Budget(steps=9)}, "9 steps, batch 16"),
        ({"batch": 4}, "8 steps, batch 4"),
        ({"budget": Budget(steps=9), "batch": 4}, "9 steps, batch 4"),
    ],
    ids=str,
)
def test_as_many_trials_at_another_budget_or_minibatch_are_unequal_tuning(tmp_path, change, place):
    other = {"ring": PLAN.model_copy(update=change)}
    plant(tmp_path, "vae")
    accept(tmp_path)
    plant(tmp_path, "gan", plan=other["ring"])
    (refusal,) = accept(tmp_path, plans=other, models=["gan"]).refusals
    assert f"5 trials by random at {place}, where" in refusal.problem
    assert (
        "genbench tune --accept -d ring, or those of one plan alone by -d PLAN" in refusal.problem
    )
    entries = accept(tmp_path, plans=other, models=["gan"], write=False).entries
    assert entries == ()
    plant(tmp_path, "vae", plan=other["ring"])
    plant(tmp_path, "gan")
    both = accept(
        tmp_path, plans={**PLANS, "other": other["ring"].model_copy(update={"dataset": "ring"})}
    )
    assert (len(both.entries), both.refusals) == (4, ()), "all models at both"
    assert check_tuned(tmp_path, tmp_path / "tuned.yaml") == []


def test_validate_finds_searches_of_other_budgets(tmp_path):
    """Whose numbers of trials and rules are the same."""
    entries = []
    for model, steps in (("gan", 10), ("vae", 600)):
        plan = PLAN.model_copy(update={"budget": Budget(steps=steps)})
        plant(tmp_path, model, plan=plan)
        entries += accept(tmp_path, plans={"ring": plan}, models=[model], write=False).entries
    write_tuned(tmp_path / "tuned.yaml", entries)
    (only,) = check_tuned(tmp_path, tmp_path / "tuned.yaml")
    assert "gan had 5 trials by random at 10 steps, batch 16; vae had" in only.problem
    assert "at 600 steps, batch 16" in only.problem


def test_a_model_without_a_scored_trial_is_refused_and_its_ways_out_are_named(tmp_path):
    plant(tmp_path, "gan")
    (file,) = Tunings(tmp_path).files()
    for trial in file.trials:
        nothing = {
            "scores": {"samples": dict.fromkeys(trial.seeds)},
            "reasons": dict.fromkeys(trial.seeds, "no sample is finite"),
        }
        edit_trial(tmp_path, trial.k, rungs=[r.model_copy(update=nothing) for r in trial.rungs])
    (refusal,) = accept(tmp_path).refusals
    assert "no trial was scored to the end (no sample is finite), so that" in refusal.problem
    assert "name the model in cells without tuned" in refusal.problem


def test_a_file_without_rules_is_read_and_its_entries_fit_any(tmp_path):
    plant(tmp_path, "vae")
    (entry,) = accept(tmp_path).entries
    path = tmp_path / "tuned.yaml"
    write_tuned(path, [entry.model_copy(update={"rule": None})])
    assert "rule" not in path.read_text()
    plant(tmp_path, "gan")
    assert models(accept(tmp_path, models=["gan"]).entries) == ["gan"]
    assert [e.rule is None for e in read_tuned(path).entries] == [False, True]
    assert check_tuned(tmp_path, path) == []


@pytest.mark.parametrize("known", [True, False], ids=["as written", "of its trials"])
def test_other_rules_are_unequal_tuning(tmp_path, known):
    """Also where an entry has no rule, as those of earlier versions, if its trials have."""
    plans = {m: PLAN.model_copy(update={"seeds": s}) for m, s in (("gan", 2), ("vae", 4))}
    entries = []
    for model, plan in plans.items():
        plant(tmp_path, model, plan=plan)
        (entry,) = accept(tmp_path, plans={"ring": plan}, models=[model], write=False).entries
        entries.append(entry if known else entry.model_copy(update={"rule": None}))
    write_tuned(tmp_path / "tuned.yaml", entries)
    (only,) = check_tuned(tmp_path, tmp_path / "tuned.yaml")
    assert (
        "gan had 5 trials by random, seeds 2; vae had 5 trials by random, seeds 4" in only.problem
    )


def test_a_longer_plan_waits_for_all_models_that_the_file_has(tmp_path):
    plant(tmp_path, "gan")
    plant(tmp_path, "vae")
    accept(tmp_path)
    longer = {"ring": PLAN.model_copy(update={"trials": 9})}
    plant(tmp_path, "gan", trials=9)
    result = accept(tmp_path, plans=longer)
    assert (result.entries, [r.model for r in result.refusals]) == ((), ["vae", "gan"])
    assert {entry.trials for entry in read_tuned(tmp_path / "tuned.yaml").entries} == {5}
    plant(tmp_path, "vae", trials=9)
    assert len(accept(tmp_path, plans=longer).entries) == 2


def test_a_named_model_without_trials_is_refused(tmp_path):
    plant(tmp_path, "gan")
    result = accept(tmp_path, models=["gan", "vae"])
    assert models(result.entries) == ["gan"]
    assert "has no trials of it; type: genbench tune -m vae" in result.refusals[0].problem
    (alone,) = accept(tmp_path, models=["vae"]).refusals
    assert alone == result.refusals[0]
    with pytest.raises(SpecError, match="has no finished trials"):
        accept(tmp_path / "empty", models=["vae"])


def test_searches_that_no_plan_is_about_are_told_and_fail_nothing(tmp_path):
    plant(tmp_path, "gan")
    plant(tmp_path, "gan", plan=PLAN.model_copy(update={"dataset": "grid"}))
    for named in ((), ("gan",)):
        result = accept(tmp_path, models=named)
        assert models(result.entries) == ["gan"]
        assert [refusal.foreign for refusal in result.refusals] == [True]
    suites, head = (
        tmp_path / "suites.yaml",
        "suites: {}\ntuning:\n  ring: {budget: {steps: 8}, batch: 16, ",
    )
    suites.write_text(head + "samples: 60, criteria: {samples: mmd}, trials: 5}\n")
    words = ["tune", "--accept", "-c", suites, "-o", tmp_path, "--tuned", tmp_path / "tuned.yaml"]
    for more in ((), ("-m", "gan")):
        done = CliRunner().invoke(cli, [*map(str, words), *more])
        assert (done.exit_code, "left out: gan on grid" in done.stderr) == (0, True)
    first = (tmp_path / "tuned.yaml").read_text().splitlines()[0]
    assert f"of {tmp_path / 'tuning'};" in first
    suites.write_text(
        head.replace("ring", "grid") + "samples: 60, criteria: {samples: mmd}, trials: 9}\n"
    )
    done = CliRunner().invoke(cli, [*map(str, words)])
    assert (done.exit_code, "refused: gan on grid" in done.stderr) == (1, True), (
        "nothing is accepted"
    )


def test_data_sets_without_a_plan_are_named(tmp_path):
    plant(tmp_path, "gan", plan=PLAN.model_copy(update={"dataset": "grid"}))
    assert "no plan" in accept(tmp_path).refusals[0].problem
    with pytest.raises(UnknownName, match="grid"):
        accept(tmp_path, datasets=["grid"])


def test_all_committed_entries_are_accepted_as_they_stand(tmp_path):
    """Several data sets, and two sets of pairs with options of their own."""
    committed = read_tuned(ROOT / FILE).entries
    result = accept_tuning(
        ROOT / "results", tmp_path / "tuned.yaml", load_tuning(ROOT / "benchmarks.yaml")
    )
    assert len(committed) > 40
    assert [e for e in committed if e not in result.entries] == []
    assert find_inequalities(committed) == []


def test_small_scores_keep_their_digits(tmp_path):
    """An unbiased MMD is 1e-6 and less, of which six decimals leave nothing."""
    plant(tmp_path, "gan", size=-1.2345e-7)
    (choice,) = accept(tmp_path).entries[0].choices.values()
    assert (choice.trial, choice.default) == (4, 0)
    assert choice.validation == pytest.approx(-4 * 1.2345e-7, rel=1e-3)
    assert choice.gain == -choice.validation


def test_two_that_accept_at_once_wait_for_one_another(tmp_path, monkeypatch):
    plant(tmp_path, "gan")
    monkeypatch.setattr(locks, "PATIENCE", 0.1)
    with held_file(tmp_path / "tuned.yaml"):
        assert models(accept(tmp_path, write=False).entries) == ["gan"]
        with pytest.raises(WriteError, match="another process has had it in hand"):
            accept(tmp_path)
    assert not (tmp_path / "tuned.yaml").exists()
