"""What the suites `toys` and `images` must show: truth on mixtures and on real digits.

Runs these suites' cells of the models below (about half an hour on two cores), or reads a folder where that
was done already, named by GENBENCH_RESULTS.
"""

from __future__ import annotations

import math
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load

import genbench
from genbench.contracts.integrals import integral, visible_share
from genbench.core.dataset import DATASETS
from genbench.core.rng import Rng
from genbench.running.build import open_dataset, prepare_model
from genbench.running.job import RunSettings
from genbench.store import Store

pytestmark = pytest.mark.slow
MODES = {"ring": 8, "grid": 25}
EXACT = ["made", "realnvp", "gaussian", "uniform"]
LEARNED = ["made", "vae", "rbm"]
ASKED = {"toys": (*EXACT, "wgan_gp", "resample"), "images": (*LEARNED, "gaussian")}


@pytest.fixture(scope="session")
def root(tmp_path_factory):
    """A results folder in which these models of both suites are done."""
    given = os.environ.get("GENBENCH_RESULTS")
    folder = Path(given).resolve() if given else tmp_path_factory.mktemp("results")
    for suite, models in ASKED.items():
        named = [word for model in models for word in ("-m", model)]
        named += ["-d", "digits"] if suite == "images" else []
        command = [sys.executable, "-m", "genbench", "run", suite, *named, "-o", str(folder)]
        subprocess.run([*command, "--executor", "processes", "-j", "2"], check=True)
    return folder


@pytest.fixture(scope="session")
def frame(root):
    """All measurements against held-out data."""
    found = genbench.results(root)
    assert (found.status == "ok").all(), found[found.status != "ok"]
    return found[found.split == "test"]


@pytest.fixture
def values(frame):
    """Gives the values of a column over eight seeds of a model on a data set, for all its options."""

    def pick(model: str, dataset: str, id: str):
        rows = frame[(frame.model == model) & (frame.dataset == dataset) & (frame.id == id)]
        assert set(rows.groupby("group").size()) == {8}
        return rows.sort_values("seed")

    return pick


@pytest.mark.parametrize("dataset", MODES)
@pytest.mark.parametrize("model", EXACT)
def test_exact_densities_integrate_to_one(root, model, dataset):
    store = Store(root)
    first = [r for r in store.records() if r.spec.seed == 0]
    found = [r for r in first if (r.spec.model, r.spec.dataset) == (model, dataset)]
    assert found
    for record in found:
        assert_density(store, record)


def assert_density(store, record):
    """The density of a recorded model integrates to one, as far as a grid can see.

    That is the share of the model's own samples in the grid's cells: one, but for a flow that folds the
    plane more narrowly than these, where both say 96 %.
    """
    weights = store.artifact(record.artifacts["weights"])
    assert weights is not None, "the weights are not here; run without GENBENCH_RESULTS"
    rng = Rng([0])
    made = prepare_model(record.spec, open_dataset(record.spec, RunSettings()), rng).eval()
    made.load_state_dict(load(weights.read_bytes()))

    def log_prob(points):
        with torch.no_grad():
            parts = points.split(50_000)
            return torch.cat(
                [made.log_prob(p.unsqueeze(0), rng.fork("density"))[0] for p in parts]
            )

    with torch.no_grad():
        points = made.sample(100_000, rng.fork("samples"))[0]
    # steps of 0.00125: a flow trained to the end has folds narrower than the modes (std 0.014 here)
    share = visible_share(log_prob, points, reach=5.0, coarse=0.0125)
    assert share >= (0.95 if record.spec.options.get("frequencies") else 0.99)
    assert integral(log_prob, reach=5.0, coarse=0.0125) == pytest.approx(share, abs=0.01)


@pytest.mark.parametrize("dataset", MODES)
@pytest.mark.parametrize("model", EXACT)
def test_no_likelihood_beats_the_entropy(values, model, dataset):
    rows = values(model, dataset, "nll")
    entropy = DATASETS.get(dataset)().truth.entropy
    assert (rows.value + 3 * rows.stderr >= entropy).all()


def test_made_comes_near_the_entropy(values):
    assert values("made", "grid", "nll").value.mean() <= 0.0653 + 0.15
    assert values("made", "ring", "nll").value.mean() <= -4.2930 + 0.6


@pytest.mark.parametrize(("dataset", "modes"), MODES.items())
def test_real_points_have_every_mode_at_the_expected_quality(values, dataset, modes):
    assert (values("resample", dataset, "modes").value == modes).all()
    assert values("resample", dataset, "high_quality").value.mean() == pytest.approx(
        0.989, abs=0.005
    )
    kl = values("resample", dataset, "reverse_kl")
    floor = (modes - 1) / (2 * 2500)
    spread = floor * math.sqrt(2 / (modes - 1) / 8)
    # the rows are drawn from a training set that has a divergence of its own, of the same law at n = 20,000
    assert kl.value.mean() == pytest.approx(floor * (1 + 2500 / 20_000), abs=4 * spread)


def test_uniform_noise_covers_the_grid_and_is_exposed(values):
    assert values("uniform", "grid", "modes").value.mean() == pytest.approx(20, abs=2)
    assert values("uniform", "grid", "high_quality").value.mean() == pytest.approx(0.02, abs=0.006)
    assert values("uniform", "grid", "modes_strict").value.mean() < 5


def test_wgan_gp_covers_the_modes(values):
    assert values("wgan_gp", "ring", "modes").value.mean() >= 7.5
    assert values("wgan_gp", "ring", "high_quality").value.mean() >= 0.60
    assert values("wgan_gp", "grid", "modes").value.mean() >= 24
    assert values("wgan_gp", "grid", "high_quality").value.mean() >= 0.30


@pytest.mark.parametrize("model", LEARNED)
def test_learned_models_beat_the_gaussian_on_digits(values, model):
    ours, gaussian = values(model, "digits", "fid"), values("gaussian", "digits", "fid")
    assert ours.protocol.iloc[0] == gaussian.protocol.iloc[0]
    assert ours.protocol.iloc[0].startswith("classifier:digits@1")
    assert (ours.value.to_numpy() < gaussian.value.to_numpy()).all()
