"""genbench tune: costs, a search, its table, its product, on the command line."""

from __future__ import annotations

import json
import math
import re

import pytest
from click.testing import CliRunner

from genbench.cli import cli
from genbench.core.errors import GenbenchError, SpecError
from genbench.store import Store
from genbench.store.tunings import Tunings
from genbench.store.validate import validate

CONFIG = (
    "suites: {}\ntuning:\n  ring: {budget: {steps: 4}, batch: 8, samples: 20, "
    "criteria: {samples: mmd}, trials: 5}\n"
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("cli")
    (path / "benchmarks.yaml").write_text(CONFIG)
    return path


def call(folder, *words, plans=True):
    config = ["-c", folder / "benchmarks.yaml"] if plans else []
    words = [*words, "-m", "vae", "-d", "ring", *config, "-o", folder / "runs"]
    return CliRunner().invoke(cli, ["tune", *map(str, words)], catch_exceptions=True)


def test_it_runs_and_writes_what_suites_take(folder):
    dry = call(folder, "--dry-run", "--json")
    assert (dry.exit_code, json.loads(dry.stdout)[0]["trials"]) == (0, 5)
    assert not (folder / "runs" / "tuning").exists()
    done = call(folder, "--device", "cpu", "--json")
    rows = json.loads(done.stdout)
    assert done.exit_code == 0
    assert len(rows) == 5 + 3 + 2  # trials that reach each rung, the default all of them
    curves = call(folder, "--curves", "--json", plans=False)
    assert curves.exit_code == 0
    assert {row["name"] for row in json.loads(curves.stdout)} == {
        "vae",
        "variational",
    }
    shown = call(folder, "--curves", plans=False).stdout
    assert "best of 4" in shown
    assert "What tuning gained on ring" in shown
    planned = call(folder, "--accept", "--dry-run", "--tuned", folder / "tuned.yaml")
    assert (planned.exit_code, "would be written" in planned.stdout) == (0, True)
    assert not (folder / "tuned.yaml").exists()
    accepted = call(folder, "--accept", "--tuned", folder / "tuned.yaml")
    assert (accepted.exit_code, "vae" in (folder / "tuned.yaml").read_text()) == (0, True)
    assert "copy it to baselines/tuned.yaml of a working folder" in accepted.stdout
    assert "0.0 core-hours left" in call(folder, "--dry-run").stdout
    assert validate(Store(folder / "runs")) == (0, [])
    path, _, _ = next(iter(Tunings(folder / "runs").scan()))
    path.write_text(path.read_text().replace('"k": 1', '"k": 9'))
    assert [problem.kind for problem in validate(Store(folder / "runs"))[1]] == ["record"]


def test_what_nobody_has_recorded_costs_nobody_knows_what(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # where there are no committed results
    (tmp_path / "benchmarks.yaml").write_text(CONFIG)
    words = ["tune", "-d", "ring", "-o", "fresh", "--dry-run", "-m", "vae"]
    (row,) = json.loads(CliRunner().invoke(cli, [*words, "--json"]).stdout)
    assert (row["seconds_per_trial"], row["core_seconds"]) == (None, None)
    printed = CliRunner().invoke(cli, words).stdout
    (line,) = [line for line in printed.splitlines() if line.startswith("│ vae")]
    assert line.split("│")[4:7] == ["   unknown ", "  unknown ", " nothing    "]
    assert "what 1 of 1 searches take is unknown before" in printed
    begin = [*words[:5], "-m", "gan", "--trials", "1", "--device", "cpu", "-q"]
    assert CliRunner().invoke(cli, begin).exit_code == 0
    total = " ".join(CliRunner().invoke(cli, [*words, "-m", "gan"]).stdout.split())
    assert "core-hours left (ring 0.0)" in total
    assert "without 1 of 2 searches, whose cost is unknown" in total
    assert total.endswith("genbench tune -m vae -m gan -d ring -o fresh --trials 1")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--trials", "4"], "take 1 or 5"),
        (["-m", "gaussian"], "no search space"),
        (["-d", "digits"], "tuning plan"),
        (["-m", "vea"], "vae"),
    ],
)
def test_what_cannot_be_is_one_sentence(folder, words, message):
    names = {"-m": "vae", "-d": "ring", **dict(zip(words[::2], words[1::2], strict=True))}
    chosen = [word for pair in names.items() for word in pair]
    result = CliRunner().invoke(
        cli, ["tune", *chosen, "-c", str(folder / "benchmarks.yaml"), "-o", str(folder / "r")]
    )
    assert isinstance(result.exception, GenbenchError)
    assert message in str(result.exception)


def test_curves_of_what_has_no_trials_name_the_nearest(folder):
    call(folder, "--device", "cpu", "-q")
    for words, message in (
        (["-d", "rnig"], r"no trials of 'rnig'; did you mean 'ring'\?"),
        (["-d", "ring", "-d", "digits"], "no trials of 'digits'; allowed: ring"),
        (["-m", "realnvp"], "no trials of 'realnvp'"),
    ):
        shown = CliRunner().invoke(cli, ["tune", "--curves", "-o", str(folder / "runs"), *words])
        assert isinstance(shown.exception, GenbenchError)
        assert re.search(message, str(shown.exception))


def test_what_retrying_would_take_is_in_the_estimate(folder, tmp_path):
    call(folder, "--device", "cpu", "-q")
    (file,) = Tunings(folder / "runs").files()
    lost = [t.model_copy(update={"failures": dict.fromkeys(t.seeds, "x")}) for t in file.trials]
    Tunings(tmp_path).save(file.model_copy(update={"trials": lost}))
    words = ["tune", "-m", "vae", "-d", "ring", "-c", str(folder / "benchmarks.yaml")]
    words += ["-o", str(tmp_path), "--dry-run", "--json"]
    (row,) = json.loads(CliRunner().invoke(cli, words).stdout)
    assert row["core_seconds"] == 0.0
    (row,) = json.loads(CliRunner().invoke(cli, [*words, "--retry-failed"]).stdout)
    assert row["core_seconds"] > 0.0


def test_seeds_without_a_score_are_told(folder, tmp_path, monkeypatch):
    from genbench.models.variational.vae import VAE

    ORIGINAL = VAE.loss
    monkeypatch.setattr(
        VAE, "loss", lambda self, batch, rng: ORIGINAL(self, batch, rng) * math.nan
    )
    words = ["tune", "-m", "vae", "-d", "ring", "-c", str(folder / "benchmarks.yaml")]
    words += ["-o", str(tmp_path / "r"), "--device", "cpu", "--trials", "1"]
    done = CliRunner().invoke(cli, words)
    assert done.exit_code == 0
    assert "0 of 2 ok" in done.stdout
    assert "2 of 2 seeds have no score: the loss is not finite from step" in done.stderr


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (["--accept", "--curves"], "no --curves"),
        (["--accept", "--steps", "4"], "no --steps.*plan of a suite file"),
        (["--accept", "--trials", "5", "-j", "2"], "no --trials and no --jobs"),
        (["--accept", "--retry-failed"], "no --retry-failed"),
        (["--curves", "--dry-run"], "no --dry-run"),
        (["--curves", "--tuned", "x.yaml"], "no --tuned"),
        (["--curves", "--sampler", "tpe"], "no --sampler"),
        (["--tuned", "x.yaml"], "--tuned needs --accept"),
        (["--readme", "x.md"], "--readme needs --curves"),
        (["--accept", "--readme", "x.md"], "no --readme"),
    ],
)
def test_options_that_would_not_be_used_are_refused(tmp_path, monkeypatch, words, named):
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(cli, ["tune", *words])
    assert isinstance(result.exception, SpecError)
    assert re.search(named, str(result.exception))
    assert list(tmp_path.iterdir()) == []


def test_what_is_refused_is_named_and_the_exit_code_tells(folder, tmp_path):
    """A plan of more trials than were made: named models are refused, and so is everything."""
    longer = tmp_path / "benchmarks.yaml"
    longer.write_text(CONFIG.replace("trials: 5", "trials: 9"))
    call(folder, "--device", "cpu")
    words = ["--accept", "-c", longer, "-o", folder / "runs", "--tuned", tmp_path / "tuned.yaml"]
    result = CliRunner().invoke(cli, ["tune", *map(str, words)])
    assert (result.exit_code, result.stdout) == (1, "")
    assert "5 of 9 trials" in result.stderr
    given = f"-c {longer} -o {folder / 'runs'}"
    assert f"type: genbench tune {given} -m vae -d ring" in result.stderr
    assert not (tmp_path / "tuned.yaml").exists()
    named = call(folder, "--accept", "-m", "gan", "--tuned", tmp_path / "tuned.yaml")
    assert (named.exit_code, "vae" in (tmp_path / "tuned.yaml").read_text()) == (1, True)
    assert "refused: gan" in named.stderr
    alone = ["--accept", "-m", "gan", *words[1:]]
    result = CliRunner().invoke(cli, ["tune", *map(str, alone)])
    assert (result.exit_code, "has no trials of it" in result.stderr) == (1, True)


def test_an_own_file_stands_in_place_of_what_is_shipped_and_both_verbs_say_so(
    folder, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    call(folder, "--device", "cpu")
    accepted = call(folder, "--accept")
    assert (
        "suites take it by: tuned: true; genbench run by: --tuned-by samples\n" in accepted.stdout
    )
    assert "copy it" not in accepted.stdout
    (line,) = (
        text for text in accepted.stdout.splitlines() if text.startswith("on ring it stands")
    )
    assert "wgan_gp" in line
    assert " vae" not in line
    suite = tmp_path / "mine.yaml"
    suite.write_text(
        "suites:\n  mine: {description: x, metrics: [mmd], budget: {steps: 4}, batch: 8, cells: "
        "[{models: [wgan_gp], datasets: [ring], tuned: true}]}\n"
    )
    result = CliRunner().invoke(cli, ["run", "mine", "-c", str(suite), "--dry-run"])
    assert isinstance(result.exception, SpecError)
    assert "not tuned on ring by samples together" in str(result.exception)
    assert "genbench tune -m wgan_gp -d ring" in str(result.exception), "that file has no plans"
