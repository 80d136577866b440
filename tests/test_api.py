"""The front door's functions that read and write a results folder (the others: tests/test_afternoon.py)."""

import shutil
from pathlib import Path

import numpy
import pandas
import pytest
import torch

import genbench
from genbench.core.errors import DataError, SpecError, StoreError, UnknownName
from genbench.core.spec import Budget
from genbench.store import Store
from genbench.store.tuned_options import find_tuned

BASELINE = Path(__file__).parents[1] / "baselines" / "ci.json"
SUITE = {
    "description": "two cells",
    "seeds": 2,
    "batch": 32,
    "budget": {"steps": 20},
    "metrics": ["mmd"],
    "samples": 200,
    "cells": [{"models": ["vae"], "datasets": ["ring"]}],
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("door") / "runs"
    result = genbench.run(SUITE, results=folder)
    assert [record.status for record in result.records] == ["ok", "ok"]
    return folder


def test_a_suite_that_was_run_has_nothing_left_to_do(folder):
    assert genbench.run(SUITE, results=folder).records == []
    assert len(genbench.run(SUITE, results=folder, seeds=3, dry_run=True).plans[0].jobs) == 1


def test_what_was_recorded_can_be_read(folder):
    frame = genbench.results(folder)
    assert set(frame["model"]) == {"vae"}
    assert genbench.samples(frame["cell"][0], results=folder).shape == (200, 2)
    (table,) = genbench.leaderboard(folder).tables
    assert [group.label for group in table.groups] == ["vae"]
    (card,) = genbench.claims("mode-collapse", results=folder)
    assert card.verdict.outcome == "inconclusive"
    result = genbench.check(folder, BASELINE)
    assert not result.ok
    assert "missing" in {row.verdict for row in result.rows}


def test_what_is_shown_in_a_session_fits_a_screen(folder):
    """What ends a cell of a notebook is shown: a card and a run printed all records that they hold."""
    (card,) = genbench.claims("mode-collapse", results=folder)
    assert repr(card) == "Card('mode-collapse', 'not measured')"
    run = genbench.run(SUITE, results=folder)
    assert "0 new records" in repr(run)
    check = genbench.check(folder, BASELINE)
    assert check.summary in repr(check)
    scores = genbench.evaluate("ring:validation", "ring:test", metrics="mmd")
    assert "│ mmd" in repr(scores) == str(scores)
    assert max(len(repr(one)) for one in (card, run, check, scores)) < 1500


def test_refusals_say_what_is_wrong(folder):
    with pytest.raises(SpecError, match="the suite: unknown key 'sedes'; did you mean 'seeds'"):
        genbench.run({**SUITE, "sedes": 3}, results=folder)
    with pytest.raises(DataError, match="zzz is not a cell"):
        genbench.samples("zzz", results=folder)
    with pytest.raises(SpecError, match="one results folder"):
        genbench.leaderboard(folder, folder)
    with pytest.raises(
        StoreError, match=r"nowhere is not a folder; make records with: genbench run claims"
    ):
        genbench.claims(results="nowhere")


def test_a_pair_of_a_suite_is_trained_as_there():
    def find_spec(model, dataset, **about):
        return genbench.train(model, dataset, suite="images", steps=1, **about).job.specs[0]

    spec = find_spec("vae", "digits")
    tuned, _ = find_tuned("vae", "digits", Budget(steps=1), 128, "samples")
    assert spec.batch == 128
    assert {name: spec.options[name] for name in tuned} == {
        name: tuple(value) if isinstance(value, list) else value for name, value in tuned.items()
    }
    assert find_spec("pixelcnn", "digits").batch == 64
    assert find_spec("pixelcnn", "digits", batch=9).batch == 9
    assert find_spec("vae", "ring").options["latent"] is None


def measured(models, datasets, **about):
    """The metrics that a comparison of its own would be measured by."""
    planned = genbench.run(
        models=models, datasets=datasets, results="nowhere", dry_run=True, **about
    )
    (job,) = planned.plans[0].jobs
    return [part.name for part in job.settings.metrics]


def test_a_comparison_of_its_own_is_measured_by_what_decides_on_its_data():
    """`Dataset.quality` names columns; images that are made from something have errors of pairs, too."""
    usual = measured(["vae"], ["digits"])
    assert not {"js_to_truth", "psnr", "near_answer"} & set(usual)
    assert measured(["vae"], ["ring"]) == [*usual, "js_to_truth"]
    assert measured(["vae"], ["circle"]) == [*usual, "manifold_distance"]
    assert measured(["srresnet"], ["super_resolution"]) == [*usual, "psnr", "ssim"]
    assert measured(["srresnet"], ["super_resolution:scale=4"])[-1] == "ssim"
    frames = measured(["regression"], ["moving_digits"])
    assert set(frames) == {*usual, "near_answer", "psnr", "ssim"}
    trained = genbench.train("bicubic", "super_resolution")
    assert [part.name for part in trained.suite.metrics] == [*usual, "psnr", "ssim"]
    trained = genbench.train("bicubic", "super_resolution", suite="demo")
    assert [part.name for part in trained.suite.metrics] == usual


def test_names_of_a_comparison_of_its_own_may_have_options():
    """As in `train`; of one kind alone, what the suite has keeps its options unless others are named."""

    def specs(**about):
        planned = genbench.run(results="nowhere", dry_run=True, seeds=1, **about).plans[0].jobs
        return [job.specs[0] for job in planned]

    pair = specs(models=["srresnet:width=8", "srresnet"], datasets=["super_resolution:scale=4"])
    assert sorted(spec.options["width"] for spec in pair) == [8, 16]
    assert {spec.dataset_options["scale"] for spec in pair} == {4}
    assert {spec.options["lr"] for spec in specs(models=["gan"])} == {0.003}
    assert {spec.options["lr"] for spec in specs(models=["gan:lr=0.5"])} == {0.5}
    with pytest.raises(SpecError, match="name no suite for a comparison of your own"):
        specs(suite="demo", models=["gan:lr=0.5"])


def test_metrics_that_are_named_are_measured_in_place_of_the_suite_s():
    """With their options; never an error of pairs without FID."""
    pair = ["srresnet"], ["super_resolution"]
    assert measured(*pair, metrics="psnr,prdc:neighbours=3") == ["psnr", "prdc"]
    run = genbench.run(SUITE, metrics="kid", results="nowhere", dry_run=True)
    assert [part.name for part in run.plans[0].jobs[0].settings.metrics] == ["kid"]
    with pytest.raises(UnknownName, match="unknown metric 'pnsr'; did you mean 'psnr'"):
        measured(*pair, metrics="pnsr")


def test_metrics_that_are_named_are_recorded_as_such(folder, tmp_path):
    """So that the leaderboard shows them, whatever they are."""
    root = tmp_path / "runs"
    shutil.copytree(folder, root)
    assert not any(record.named for record in Store(root).records())
    result = genbench.run(SUITE, metrics="sliced_wasserstein,mmd", results=root)
    assert all(record.named == ["mmd", "sliced_wasserstein"] for record in result.records)
    assert genbench.run(SUITE, metrics="mmd,recall", results=root).records
    assert genbench.run(SUITE, metrics="mmd,energy_distance", results=root).records
    assert not genbench.run(SUITE, metrics="precision", results=root).records
    names = {"energy_distance", "mmd", "precision", "recall", "sliced_wasserstein"}
    assert all(set(record.named) == names for record in Store(root).records())
    text = genbench.leaderboard(root).to_markdown()
    assert "sliced" in text
    assert "coverage" not in text


def test_metrics_that_a_trained_model_is_asked_for_are_shown():
    model = genbench.train("bicubic", "super_resolution", device="cpu")
    board = model.evaluate("pair_gap,psnr", samples=100)
    assert [record.named for record in board.records] == [["pair_gap", "psnr"]]
    assert "pair\\_gap ↓" in board.to_markdown()


def test_a_run_brings_fid_to_psnr(tmp_path):
    bicubic = {"models": ["bicubic"], "datasets": ["super_resolution"], "seeds": 1}
    result = genbench.run(**bicubic, metrics="psnr", results=tmp_path / "runs")
    (record,) = result.records
    assert {"psnr", "fid"} <= {m.id for m in record.metrics}


@pytest.mark.parametrize("place", ["nowhere", b"nowhere", Path("nowhere")])
@pytest.mark.parametrize(
    "read",
    [
        genbench.results,
        genbench.leaderboard,
        lambda place: genbench.claims(results=place),
        lambda place: genbench.check(place, BASELINE),
        lambda place: genbench.samples("abcd", results=place),
    ],
)
def test_a_folder_that_is_not_there_is_refused(read, place):
    with pytest.raises(StoreError, match="nowhere is not a folder; make records with"):
        read(place)
    with pytest.raises(SpecError, match=r"results needs a path, got (5|'')"):
        read(5 if place == "nowhere" else "")


def test_records_that_are_not_there_are_named(folder):
    with pytest.raises(UnknownName, match="model with records 'vea'; did you mean 'vae'"):
        genbench.results(folder, model="vea")
    with pytest.raises(UnknownName, match="data set with records 'rign'; did you mean 'ring'"):
        genbench.results(folder, dataset=["ring", "rign"])
    assert len(genbench.results(folder, model="vae", dataset="ring"))


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: genbench.evaluate("ring:test", metric="mmd"), "'metric'; did you mean 'metrics'"),
        (lambda: genbench.train("vae", "ring", step=5), "train .* 'step'; did you mean 'steps'"),
        (lambda: genbench.run("demo", job=2), "run has no argument 'job'; did you mean 'jobs'"),
        (lambda: genbench.api.tune(model="vae"), "tune .* 'model'; did you mean 'models'"),
        (lambda: genbench.results(modle="vae"), "'modle'; did you mean 'model'"),
        (lambda: genbench.leaderboard(suit="demo"), "'suit'; did you mean 'suite'"),
        (lambda: genbench.run(models=5, datasets="ring"), "a name is a text .* got 5"),
        (
            lambda: genbench.run(models=[None], datasets="ring"),
            r"a name is a text .* got \[None\]",
        ),
        (lambda: genbench.run("demo", data_dir=5), "data_dir needs a path, got 5"),
    ],
)
def test_arguments_that_cannot_be_are_one_sentence(call, said):
    with pytest.raises(SpecError, match=said):
        call()


@pytest.mark.parametrize("seeds", [[1, 1], [-1], [], "3", None, 1.5, True, 0, [0.5]])
def test_seeds_that_cannot_be_are_refused(seeds):
    """One seed that stood twice made an interval of no width."""
    with pytest.raises(SpecError, match="seeds needs a"):
        genbench.train("vae", "ring", steps=1, seeds=seeds)


def test_seeds_may_be_of_any_type():
    kinds = (2, range(2), numpy.int64(2), numpy.arange(2), torch.tensor([0, 1]), {0, 1})
    assert all(genbench.train("uniform", "ring", seeds=kind).seeds == [0, 1] for kind in kinds)


@pytest.fixture(scope="module")
def flow():
    return genbench.train("realnvp", "ring", seeds=2, steps=2, device="cpu")


def test_density_is_of_the_same_points_whatever_holds_them(flow):
    points = flow.dataset.points("test")[:20]
    plain, array = flow.log_prob(points).tolist(), points.numpy()
    forms = (
        *(array, points.tolist(), pandas.DataFrame(array), points.double(), array.astype(">f4")),
        *(array[::-1].copy()[::-1], numpy.asfortranarray(array), numpy.ma.array(array)),
    )
    for form in forms:
        assert flow.log_prob(form).tolist() == plain


@pytest.mark.parametrize(
    ("points", "said"),
    [
        (numpy.ma.array([[1.0, 2.0]], mask=[[True, False]]), "hides numbers under a mask"),
        ([[float("nan"), 1.0]], "needs finite numbers"),
        (numpy.array([[1j, 2]]), "needs an array of numbers, got complex128"),
        (None, "needs an array of numbers, got object"),
        ("ring:test", "needs an array of numbers"),
        (numpy.zeros((0, 2)), r"points of shape \(N, 2\), got \(0, 2\)"),
        (torch.zeros(3, 2).to_sparse(), "call .to_dense"),
    ],
)
def test_density_of_what_is_no_points_is_refused(flow, points, said):
    with pytest.raises(DataError, match=said):
        flow.log_prob(points)


@pytest.mark.parametrize("count", [0, -5, 2.5, "50", True])
def test_counts_of_samples_that_cannot_be_are_refused(flow, count):
    """Minus five compared with all true points but five."""
    with pytest.raises(SpecError, match="samples needs a whole number"):
        flow.evaluate("mmd", samples=count)
    with pytest.raises(SpecError, match="n needs a whole number"):
        flow.sample(count)


def test_a_seed_counts_once(flow):
    one, more = (genbench.train("uniform", "ring", seeds=n, device="cpu") for n in (1, 2))
    for model in (one, more):
        model.evaluate("mmd", samples=50)
    with pytest.raises(SpecError, match="each seed once, but uniform on ring, seed 0, is in two"):
        genbench.leaderboard(one, more)
    with pytest.raises(SpecError, match="suite, config and scale are for a results folder"):
        genbench.leaderboard(one, suite="demo")
