"""Tuned options by their trials: the committed file passes, and an edit by hand does not."""

from __future__ import annotations

import json
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner

from genbench.cli import cli
from genbench.core.claim import Claim, Run
from genbench.core.dataset import DATASETS
from genbench.core.errors import SpecError
from genbench.core.model import MODELS
from genbench.core.spec import Budget
from genbench.report.declared import find_listed
from genbench.report.groups import Group
from genbench.running.cells import groups_of
from genbench.running.claim_cells import resolve_tuned, specs_of
from genbench.running.claim_terms import describe_run
from genbench.running.evidence import ClaimEvidence
from genbench.running.null_gates import NullRows
from genbench.running.tuning_check import check_tuned, find_tuned_file
from genbench.store import Record, Store, Used
from genbench.store.documents import load_suites
from genbench.store.tuned import FILE, read_tuned, write_tuned
from genbench.store.tuned_options import HiddenTuning, OutdatedTuning, find_tuned
from genbench.store.tunings import Tunings

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / FILE).read_text()
#: of the first entry
ENTRY = TEXT.split("\n- model: ")[1]


def line(key):
    """The first line that gives a key, of the first entry where it has one."""
    return next(line for line in TEXT.splitlines() if line.strip().startswith(f"{key}:"))


def check(path, text):
    path.write_text(text)
    return check_tuned(ROOT / "results", path)


def test_the_committed_file_is_what_its_trials_give():
    assert find_tuned_file(ROOT / "results") == ROOT / FILE
    assert check_tuned(ROOT / "results", ROOT / FILE) == []


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("lr", "0.5"),
        ("trial", "3"),
        ("validation", "0.5"),
        ("gain", "99.0"),
        ("average", "0.5"),
        ("trials_hash", "0123456789abcdef"),
        ("sampler", "tpe"),
        ("batch", "64"),
    ],
)
def test_an_edit_by_hand_is_found_and_named(tmp_path, key, value):
    own = line(key)
    problems = check(
        tmp_path / "tuned.yaml", TEXT.replace(own, f"{own.partition(':')[0]}: {value}", 1)
    )
    assert [problem.kind for problem in problems][:1] == ["tuned"]
    named = "seal" if key == "trials_hash" else key
    assert any(named in problem.problem for problem in problems)
    assert "genbench tune --accept" in problems[0].problem


@pytest.mark.parametrize(("registry", "place"), [(MODELS, "model"), (DATASETS, "dataset")])
def test_another_version_is_mentioned_and_its_options_are_refused(monkeypatch, registry, place):
    name = line("dataset").split()[1] if place == "dataset" else ENTRY.split()[0]
    monkeypatch.setattr(registry.get(name), "version", 7)
    kinds = {problem.kind for problem in check_tuned(ROOT / "results", ROOT / FILE)}
    assert kinds == {"stale"}
    own = next(e for e in read_tuned(ROOT / FILE).entries if getattr(e, place) == name)
    budget, about = Budget(**own.budget), {"dataset_options": own.dataset_options}
    with pytest.raises(OutdatedTuning, match=rf"at version \d of {name}, which is at version 7"):
        find_tuned(own.model, own.dataset, budget, own.batch, "samples", ROOT / FILE, **about)


def test_a_suite_refuses_options_of_another_version_and_reports_leave_their_cells_out(
    tmp_path, monkeypatch
):
    version = MODELS.get("vae").version
    monkeypatch.setattr(MODELS.get("vae"), "version", 7)
    run = ["run", "images", "-m", "vae", "-d", "digits", "-o", str(tmp_path), "--dry-run"]
    result = CliRunner().invoke(cli, run, env={"COLUMNS": "300"})
    assert isinstance(result.exception, OutdatedTuning)
    assert f"vae was tuned on digits at version {version} of vae" in str(result.exception)
    assert groups_of(load_suites(ROOT / "benchmarks.yaml")["images"])
    one = Run("vae", "digits", ("fid",), steps=2000, batch=128, tuned=True, untuned="default")
    assert resolve_tuned(one) is True, "its defaults do not stand in"
    assert f"at version {version} of vae" in describe_run(one)["tuned_options"]
    held = ClaimEvidence(Claim("x", list, "s.", "x", "y", runs=(one,)), Store(ROOT / "results"))
    assert (held.records(one), len(held.missing())) == ([], 1)


def test_an_own_file_of_one_model_stops_no_report(tmp_path, monkeypatch):
    """Whose other rivals have no cells then, among them entrants and runs of claims."""
    own = [e for e in read_tuned(ROOT / FILE).entries if (e.model, e.dataset) == ("gan", "digits")]
    monkeypatch.chdir(tmp_path)
    write_tuned(FILE, own)
    one = Run("r1_gan", "digits", ("fid",), steps=2000, batch=128, tuned=True, untuned="default")
    with pytest.raises(HiddenTuning):
        specs_of(one)
    store = Store(ROOT / "results")
    held = ClaimEvidence(Claim("x", list, "s.", "x", "y", runs=(one,)), store)
    assert held.records(one) == []
    assert NullRows(store).gate(held, one, "fid").rows
    specs = [specs_of(replace(one, model=name, steps=3000))[0] for name in ("gan",)]
    specs += [s.model_copy(update={"model": "r1_gan"}) for s in specs]
    rows = [Record(cell=s.cell, group=s.group, status="ok", spec=s, used=Used()) for s in specs]
    groups = [Group(record.group, record.spec.model, (record,)) for record in rows]
    assert find_listed(groups) == {groups[0].id}, "the other entrants stay listed"


class Renamed(MODELS.get("vae")):
    """A VAE whose step size has another name, at the same version."""

    def __init__(self, spec, rng, *, rate: float = 1e-3):
        super().__init__(spec, rng, lr=rate)


def test_a_renamed_option_is_one_problem_of_many_and_a_suite_names_the_file(tmp_path, monkeypatch):
    """The version of the model was not raised."""
    monkeypatch.setitem(MODELS._objects, "vae", Renamed)
    edited = TEXT.replace(line("lr"), "        lr: 0.5", 1)
    problems = [problem.problem for problem in check(tmp_path / "tuned.yaml", edited)]
    assert any("model vae has no option '" in text for text in problems)
    assert any(text.startswith(ENTRY.split()[0]) for text in problems), "other checks go on"
    assert all(p.kind == "tuned" for p in check(tmp_path / "tuned.yaml", edited))
    place = rf"{FILE}, vae on digits: the model has no option '.* type: genbench tune -m vae"
    with pytest.raises(OutdatedTuning, match=place):
        find_tuned("vae", "digits", Budget(steps=2000), 128, "samples")


def test_an_entry_of_trials_that_failed_is_a_fault(tmp_path):
    shutil.copytree(ROOT / "results" / "tuning", tmp_path / "results" / "tuning")
    trials, own = Tunings(tmp_path / "results"), read_tuned(ROOT / FILE).entries[0]
    file = next(f for f in trials.files() if f.rule.file == own.trials_file)
    lost = file.trials[-1].model_copy(update={"failures": {file.trials[-1].seeds[0]: "no memory"}})
    trials.save(file.model_copy(update={"trials": [*file.trials[:-1], lost]}))
    seal = next(f for f in trials.files() if f.rule.file == own.trials_file).seal
    (tmp_path / "tuned.yaml").write_text(TEXT.replace(own.trials_hash, seal))
    (only,) = check_tuned(tmp_path / "results", tmp_path / "tuned.yaml")
    assert "1 of 21 trials failed (trial 20: no memory)" in only.problem
    assert "--retry-failed, then accept them again: genbench tune --accept" in only.problem


def test_unequal_tuning_is_one_sentence_per_data_set(tmp_path):
    problems = check(tmp_path / "tuned.yaml", TEXT.replace(line("trials"), "  trials: 41", 1))
    (unequal,) = (p for p in problems if "not tuned alike" in p.problem)
    assert "had 41 trials by random; " in unequal.problem


def test_a_rule_that_its_trials_do_not_have_is_found(tmp_path):
    problems = check(tmp_path / "tuned.yaml", TEXT.replace("seeds: 2", "seeds: 3", 1))
    assert "rule.seeds 3 for 2 is not what its trials give" in problems[0].problem
    name = ENTRY.split()[0]
    assert f"not tuned alike: {name} had 21 trials by random, seeds 3" in problems[1].problem


def test_trials_that_are_not_there_are_a_fault_beside_others(tmp_path):
    """Else an entry that names none may say anything."""
    edited = TEXT.replace(line("trials_file"), "  trials_file: gone.json", 1)
    edited = edited.replace(line("lr"), "        lr: 0.5", 1)
    (only,) = check(tmp_path / "tuned.yaml", edited)
    assert (only.kind, only.bad) == ("tuned", True)
    assert "its trials, gone.json, are not in" in only.problem


def test_without_any_trials_it_is_said_that_nothing_can_be_checked(tmp_path):
    (tmp_path / "runs").mkdir()
    (only,) = check_tuned(tmp_path / "runs", ROOT / FILE)
    assert (only.kind, only.bad) == ("absent", False)
    assert "cannot be checked" in only.problem
    assert find_tuned_file(tmp_path / "runs") is None


def test_a_file_that_cannot_be_read_is_a_problem(tmp_path):
    (only,) = check(tmp_path / "tuned.yaml", "entries: 3")
    assert (only.kind, only.bad) == ("tuned", True)


def test_a_committed_file_that_was_deleted_is_a_fault_until_a_commit_says_so(
    tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@b", "-c", "commit.gpgsign=false"]
    FILE.parent.mkdir()
    FILE.write_text(TEXT)
    for words in (["init", "-q"], ["add", "-f", str(FILE)], ["commit", "-qm", "tuned"]):
        subprocess.run([*git, *words], check=True)
    FILE.unlink()
    found = find_tuned_file(tmp_path / "results")
    assert found == FILE.resolve()
    (only,) = check_tuned(tmp_path / "results", found)
    assert (only.kind, only.bad) == ("tuned", True)
    assert only.problem.startswith("it was deleted, and git has it")
    assert find_tuned_file(tmp_path / "runs") is None
    subprocess.run([*git, "commit", "-qam", "not tuned"], check=True)
    assert find_tuned_file(tmp_path / "results") is None


def test_validate_checks_the_file_beside_results(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    shutil.copytree(ROOT / "results" / "tuning", "results/tuning")
    Path("baselines").mkdir()
    shutil.copy(ROOT / FILE, FILE)
    sound = CliRunner().invoke(cli, ["validate", "results", "--json"])
    assert (sound.exit_code, json.loads(sound.stdout)["findings"]) == (0, [])
    FILE.write_text(TEXT.replace(line("validation"), "      validation: 0.5", 1))
    edited = CliRunner().invoke(cli, ["validate", "results"])
    assert edited.exit_code == 1
    assert "WRONG tuned" in edited.stdout
    shutil.move("results", "runs")
    assert CliRunner().invoke(cli, ["validate", "runs", "--tuned", str(FILE)]).exit_code == 1


def test_validate_checks_the_file_that_was_accepted_from_another_folder(tmp_path, monkeypatch):
    """It looked beside a folder named results alone, and an edit of what `runs` gave passed unseen."""
    monkeypatch.chdir(tmp_path)
    shutil.copytree(ROOT / "results" / "tuning", "runs/tuning")
    assert find_tuned_file(Path("runs")) is None
    FILE.parent.mkdir()
    FILE.write_text(TEXT.replace(line("validation"), "      validation: 0.5", 1))
    assert find_tuned_file(Path("runs")) == FILE.resolve()
    assert CliRunner().invoke(cli, ["validate", "runs"]).exit_code == 1
    shutil.move("runs", "elsewhere/runs")
    assert find_tuned_file(Path("elsewhere/runs")) == FILE.resolve()
    FILE.write_text("entries: 3")
    assert find_tuned_file(Path("elsewhere/runs")) == FILE.resolve()
    shutil.copytree("elsewhere/runs", "results")  # whose file it is then
    assert find_tuned_file(Path("elsewhere/runs")) is None


@pytest.mark.parametrize(
    ("edit", "place"),
    [
        ({"budget": {}}, "budget: .*exactly one of steps"),
        ({"budget": {"steps": "many"}}, "budget.steps"),
        ({"budget": {"steps": 0}}, "budget.steps"),
        ({"batch": 0}, "batch"),
        ({"trials": 0}, "trials"),
        ({"choices": {"likelihood": {}}}, "choices.likelihood"),
        ({"choices": {"samples": {"training": {"share": 3}}}}, "choices.samples.training.share"),
        ({"choices": {"samples": {"validation": ".nan"}}}, "choices.samples.validation"),
    ],
    ids=str,
)
def test_an_edit_that_nothing_could_be_trained_by_is_one_sentence(tmp_path, edit, place):
    content = yaml.safe_load(TEXT)
    entry, path = content["entries"][0], tmp_path / "tuned.yaml"
    for criterion, change in edit.pop("choices", {}).items():
        own = entry["choices"].setdefault(criterion, dict(entry["choices"]["samples"]))
        own.update(change)
    entry.update(edit)
    path.write_text(yaml.safe_dump(content))
    with pytest.raises(SpecError, match=rf"tuned.yaml:\d+: entries\.0\.{place}"):
        read_tuned(path)
    assert [problem.kind for problem in check_tuned(ROOT / "results", path)] == ["tuned"]
