"""Answers that surprised: what is meant is done, or one sentence says what to type."""

import json
import os
import re

import numpy
import pytest
import yaml
from small_suites import SUITE, do, suite_of

from genbench.cli import VERBS, cli
from genbench.core.metric import METRICS
from genbench.store import Store


@pytest.fixture
def genbench(genbench, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return genbench


def options_of(command, path=()):
    import click

    if isinstance(command, click.Group):
        for name in command.list_commands(click.Context(command)):
            yield from options_of(command.get_command(click.Context(command), name), (*path, name))
    else:
        yield from ((path, option) for option in command.params)


def test_no_command_names_the_committed_records_unless_told():
    defaults = {
        (*path, option.name): str(option.default)
        for path, option in options_of(cli)
        if option.name in ("root", "candidate", "from")
    }
    assert (
        set(VERBS)
        > {path[0] for path in defaults}
        > {"run", "report", "check", "claims", "validate"}
    )
    assert {path: d for path, d in defaults.items() if d != "runs"} == {
        path: d for path, d in defaults.items() if path[0] == "merge"
    }


def test_a_model_alone_trains_on_the_data_sets_of_demo(genbench):
    code, out, err = genbench("run", "-m", "lsgan", "--seeds", "2", "--steps", "2", "--dry-run")
    assert (code, err) == (0, "")
    assert "4 cells, 0 done, 4 to train" in out
    code, out, _ = genbench("run", "-d", "spiral", "--seeds", "1", "--dry-run")
    assert code == 0
    assert "9 cells" in out


def test_a_suite_without_the_model_says_what_it_has(genbench):
    code, _, err = genbench("run", "toys", "-m", "lapgan", "--dry-run")
    assert code == 2
    assert "its models are" in err
    assert "name no suite for a comparison of your own" in err


@pytest.mark.parametrize("dry", [["--dry-run"], []])
def test_what_cannot_be_run_is_said_and_is_no_success(genbench, dry):
    call = ["run", "-m", "rbm", "-d", "markov_text", "--seeds", "1", "--steps", "1"]
    code, out, err = genbench(*call, *dry)
    assert code == 2
    assert "rbm on markov_text cannot be run: " in out
    assert err.startswith(
        "genbench: run needs a model that can do the data set: rbm on markov_text"
    )


def test_a_pair_that_cannot_be_beside_one_that_can_is_said_and_goes_on(genbench):
    call = ["run", "-m", "gan", "-m", "resample", "-d", "bars_and_stripes", "--seeds", "1"]
    code, out, _ = genbench(*call, "--dry-run")
    assert code == 0
    assert "gan on bars_and_stripes cannot be run: needs continuous data" in out


def test_a_run_ends_with_its_best_rows_and_what_to_type_next(genbench, tmp_path):
    models = ["gaussian", "vae", {"name": "gan", "options": {"hidden": [16]}}]
    cells = [{"models": models, "datasets": ["ring"]}]
    suites = {"tiny": {**SUITE, "metrics": ["mmd"], "cells": cells}}
    (tmp_path / "tiny.yaml").write_text(yaml.safe_dump({"schema": 1, "suites": suites}))
    code, out, err = genbench("run", "tiny", "-c", "tiny.yaml")
    assert code == 0, err
    best = out[out.index("┃ data set") :]
    assert re.search(r"│ +│ (vae|gan) +│ mmd ↓ [\d.]+", best)
    assert re.search(r"│ ring +│ gaussian \(reference\) +│ mmd ↓ [\d.]+", best), "it is better"
    assert out.rstrip().endswith("records: runs/   next: genbench report -o runs")
    code, again, _ = genbench("run", "tiny", "-c", "tiny.yaml")
    assert (code, again.count("next: genbench report")) == (0, 1), "though nothing was left to do"


def test_tuning_takes_the_data_sets_that_a_model_can_do(genbench):
    code, out, _ = genbench("tune", "-m", "lsgan", "--dry-run")
    assert code == 0
    assert re.search(r"lsgan\W+digits", out)
    assert "binary_digits" not in out
    code, _, err = genbench("tune", "-m", "uniform", "--dry-run")
    assert code == 2
    assert "uniform cannot be tuned on ring, grid, digits" in err
    assert ": it has no search space" in err


def test_a_cell_that_is_not_there_is_said_to_be_none(genbench):
    code, _, err = genbench("show", "3f9a")
    assert code == 2
    assert "no cell of runs has an id that begins with 3f9a" in err


@pytest.mark.parametrize("name", ["mode-collapse", "mode_collapse"])
def test_show_knows_claims(genbench, name):
    code, out, _ = genbench("show", name, "--json")
    about = json.loads(out)
    assert (code, about["kind"], about["name"]) == (0, "claim", "mode-collapse")
    assert about["verdict"] == "genbench claims mode-collapse -o runs --no-run"
    assert about["statement"] in " ".join(genbench("show", name)[1].split())


@pytest.mark.parametrize("name", ["wgan-gp", "inception-v3-compat", "processes"])
def test_show_knows_hyphens_and_executors(genbench, name):
    assert genbench("show", name)[0] == 0


def test_show_knows_the_columns_of_leaderboards(genbench):
    code, out, _ = genbench("show", "modes_strict", "--json")
    about = json.loads(out)
    assert (code, about["kind"], about["metric"]) == (0, "column", "modes")
    assert (about["meaning"], about["better"]) == (
        "modes with a tenth of their share or more",
        "higher",
    )
    code, out, _ = genbench("show", "modes-strict")
    assert (code, about["meaning"] in out) == (0, True)


def test_show_tells_metrics_and_suites_in_words(genbench):
    """They were Python's dicts."""
    of_metric, of_suite = genbench("show", "prdc")[1], genbench("show", "toys")[1]
    assert "precision ↑: fakes inside the real manifold (share)" in of_metric
    assert "models: gaussian, gaussian_mixture, kde, resample, uniform; " in of_suite
    assert "realnvp(frequencies=2, hidden=[128, 128])" in of_suite
    assert "{'" not in of_metric + of_suite


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("mode-colapse", "did you mean 'mode-collapse'?"),
        ("modes_strikt", "did you mean 'modes_strict'?"),
        ("xyzzy", "see: genbench list models (datasets, metrics, extractors, claims, suites)"),
    ],
)
def test_show_leads_from_a_slip_to_a_name_as_it_is_listed(genbench, name, said):
    code, _, err = genbench("show", name)
    assert (code, said in " ".join(err.split())) == (2, True)


def test_flags_of_what_is_run_again_exclude_one_another(genbench):
    """The last one held, unsaid."""
    run = ("run", "-m", "gaussian", "-d", "ring", "--seeds", "1", "--dry-run")
    code, _, err = genbench(*run, "--force", "--retry-failed")
    assert code == 2
    assert "needs one of these options, got --retry-failed and --force; leave" in err
    assert genbench(*run, "--force")[0] == 0


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("claims", "nash", "--no-run"), "unknown claim 'nash'; did you mean 'nash-oscillation'?"),
        (("run", "-m", "gan", "-d", "fashion"), "did you mean 'fashion_mnist'?"),
        (("run", "-m", "gan", "--until-decided"), "needs the suite claims, got no suite; say"),
    ],
)
def test_beginnings_of_names_and_commands_without_a_suite_are_understood(genbench, words, said):
    code, _, err = genbench(*words)
    assert (code, said in " ".join(err.split())) == (2, True)


def test_check_alone_says_how_to_make_what_it_compares(genbench, tmp_path):
    from pathlib import Path

    (tmp_path / "baselines").mkdir()
    committed = Path(__file__).parents[2] / "baselines/ci.json"
    (tmp_path / "baselines/ci.json").write_bytes(committed.read_bytes())
    code, _, err = genbench("check")
    assert code == 2
    assert "make records with: genbench run ci -o runs" in err
    do(
        suite_of(tmp_path, seeds=1, cells=[{"models": ["gan"], "datasets": ["moons"]}]),
        tmp_path / "runs",
    )
    code, _, err = genbench("check")
    assert code == 2
    assert "holds no records of what baselines/ci.json guards" in err
    assert "genbench run ci -o runs" in err


def test_folders_without_records_name_the_committed_ones(genbench, tmp_path):
    path = Store("results").root / "ring" / "uniform" / "0123456789abcdef.json"
    path.parent.mkdir(parents=True)
    path.write_text("{}")
    for verb in (["report"], ["leaderboard"], ["export", "a.csv"]):
        code, _, err = genbench(*verb)
        assert code == 2
        assert err.rstrip().endswith("or read the committed ones: -o results")
    assert genbench("validate")[2].rstrip().endswith("genbench validate results")
    assert "genbench claims -o results" in genbench("claims")[1]


def test_all_metrics_are_those_of_points(genbench, tmp_path):
    numpy.save("mine.npy", numpy.random.default_rng(0).normal(size=(300, 2)))
    code, out, err = genbench(
        *("evaluate", "mine.npy", "-r", "ring:test", "--limit", "300", "--json"),
        *("--metrics", "all,prdc:neighbours=3"),
    )
    assert code == 0, err
    metrics = json.loads(out)["metrics"]
    assert {"fid", "mmd", "recall", "wasserstein_1", "vendi"} <= set(metrics)
    assert all(m["value"] is not None or m["reason"] for m in metrics.values())
    assert "neighbours=3" in metrics["recall"]["protocol"]
    of_models = {c for m in METRICS.all().values() if m.view == "model" for c in m.columns}
    assert not of_models & set(metrics)


def test_the_shell_completes_verbs_options_and_names(genbench, monkeypatch):
    monkeypatch.setenv("_GENBENCH_COMPLETE", "bash_complete")
    for words, place, expected in (
        ("genbench lea", 1, "plain,leaderboard"),
        ("genbench run --only-mi", 2, "plain,--only-missing"),
        ("genbench run -m wgan", 3, "plain,wgan_gp"),
        ("genbench show mode_c", 2, "plain,mode_collapse"),
    ):
        monkeypatch.setenv("COMP_WORDS", words)
        monkeypatch.setenv("COMP_CWORD", str(place))
        assert expected in genbench()[1]


PATHS = [
    ("report", "-o"),
    ("leaderboard", "-o"),
    ("pictures", "-o"),
    ("validate",),
    ("export", "x.csv", "-o"),
    ("run", "-m", "gaussian", "-d", "ring", "--dry-run", "-o"),
    ("tune", "-m", "vae", "-d", "ring", "--dry-run", "-o"),
    ("baseline", "accept", "--from"),
]


@pytest.mark.parametrize("verb", PATHS, ids=lambda verb: verb[0])
def test_a_path_that_the_system_refuses_is_named_in_a_line(genbench, verb):
    code, _, err = genbench(*verb, "a" * 3000)
    assert (code, "File name too long" in err) == (2, True), err[-300:]


def test_a_folder_that_may_not_be_looked_at_is_named(genbench, monkeypatch):
    plain = os.stat

    def refuse(path, *args, **how):
        if str(path).endswith("secret"):
            raise PermissionError(13, "Permission denied", str(path))
        return plain(path, *args, **how)

    monkeypatch.setattr(os, "stat", refuse)
    code, _, err = genbench("report", "-o", "secret")
    assert (code, "secret" in err, "Permission denied" in err) == (2, True, True)
